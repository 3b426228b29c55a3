//! A monitor's baseline over the life of its schema: fingerprints in, verdicts out. Pure: the same fingerprints give the
//! same verdicts live, offline and after a restart.

use crate::judging::choices::Choices;
use crate::judging::translate;
use eddyline_detect::{Cause, Change, Pipeline, Verdict, Window};
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::schema::{Block, Schema};
use std::sync::Arc;

/// A schema under its id.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedSchema {
    /// Its id.
    pub id: u64,
    /// The record.
    pub record: Schema,
}

impl NamedSchema {
    /// Whether some of its features are plain numbers.
    #[must_use]
    pub fn has_numbers(&self) -> bool {
        self.record.blocks.iter().any(|block| matches!(block, Block::Numeric { .. }))
    }
}

/// Why a fingerprint can't be judged.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The vector isn't as long as its schema says.
    #[error("its vector has {got} features where schema {schema} has {expected}")]
    Length {
        /// The schema's id.
        schema: String,
        /// Features found.
        got: usize,
        /// Features expected.
        expected: usize,
    },
    /// Detection can't take it.
    #[error("{0}")]
    Detect(#[from] eddyline_detect::Error),
}

/// The baseline under one schema.
#[derive(Debug)]
pub struct Series {
    /// The schema.
    pub schema: Arc<NamedSchema>,
    /// Everything learnt.
    pub pipeline: Pipeline,
    /// The incident that the pipeline holds open, by the end of its first window.
    pub open: Option<u64>,
    /// End of the last window judged, ms since the epoch; 0 before the first.
    pub last_end_ms: u64,
}

impl Series {
    /// Milliseconds between the last window and the one that ends at `end_ms`, in whole windows: vectors of others come
    /// about when they should. Where the stream was trimmed before it was read, no `gap` tells of them.
    fn missing_before(&self, end_ms: u64) -> u64 {
        let window_ms = self.schema.record.window_ms;
        match self.last_end_ms {
            0 => 0,
            last => {
                let windows = end_ms.saturating_sub(last).saturating_add(window_ms / 2) / window_ms;
                windows.saturating_sub(1) * window_ms
            }
        }
    }
}

/// A monitor's baseline.
#[derive(Debug)]
pub struct Judge {
    choices: Choices,
    series: Option<Series>,
}

impl Judge {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(choices: Choices) -> Self {
        Self { choices, series: None }
    }

    /// Goes on from a checkpoint.
    #[must_use]
    pub fn resume(choices: Choices, series: Series) -> Self {
        Self { choices, series: Some(series) }
    }

    /// What was chosen.
    #[must_use]
    pub fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Goes on under other choices with all that was learnt.
    ///
    /// # Errors
    /// Choices under which the windows would have taught something else; nothing is changed then.
    pub fn choose(&mut self, choices: &Choices) -> Result<(), eddyline_detect::Error> {
        if self.choices == *choices {
            return Ok(());
        }
        if let Some(series) = &mut self.series {
            series.pipeline.reconfigure(choices.settings(series.schema.record.window_ms))?;
        }
        self.choices = choices.clone();
        Ok(())
    }

    /// The baseline, once there was a fingerprint.
    #[must_use]
    pub fn series(&self) -> Option<&Series> {
        self.series.as_ref()
    }

    /// The incident that is open, by the end of its first window.
    #[must_use]
    pub fn open(&self) -> Option<u64> {
        self.series.as_ref().and_then(|series| series.open)
    }

    /// Whether a fingerprint of this schema starts a new baseline in place of one that was.
    #[must_use]
    pub fn would_start_anew(&self, schema: &NamedSchema) -> bool {
        self.series.as_ref().is_some_and(|series| series.schema.id != schema.id)
    }

    /// Judges the next fingerprint. One of another schema than the last starts a new baseline. What it teaches is learnt
    /// by [`Self::learn`], or else before the next one is judged.
    ///
    /// # Errors
    /// A fingerprint that doesn't fit its schema, or that detection refuses; the baseline is as before.
    pub fn judge(&mut self, fingerprint: &Fingerprint, schema: &Arc<NamedSchema>) -> Result<Verdict, Unreadable> {
        if fingerprint.values.len() != schema.record.len() {
            return Err(Unreadable::Length {
                schema: schema_id(schema.id),
                got: fingerprint.values.len(),
                expected: schema.record.len(),
            });
        }
        if self.series.as_ref().is_none_or(|series| series.schema.id != schema.id) {
            let settings = self.choices.settings(schema.record.window_ms);
            let pipeline = Pipeline::new(translate::layout(&schema.record), settings)?;
            self.series = Some(Series { schema: Arc::clone(schema), pipeline, open: None, last_end_ms: 0 });
        }
        let series = self.series.as_mut().expect("made above");
        let (items, slots) = translate::items(fingerprint, &schema.record);
        let verdict = series.pipeline.judge(&Window {
            end_ms: fingerprint.end_ms,
            n: fingerprint.n,
            values: &fingerprint.values,
            gap_ms: fingerprint.gap_ms.max(series.missing_before(fingerprint.end_ms)),
            items: &items,
            slots: &slots,
        })?;
        series.last_end_ms = fingerprint.end_ms;
        match &verdict.change {
            Some(Change::Opened(incident) | Change::Updated(incident)) => series.open = Some(incident.opened_end_ms),
            Some(Change::Resolved(..)) => series.open = None,
            None => {}
        }
        Ok(verdict)
    }

    /// Why the fingerprint judged last scored as it did: up to `most` features, largest share first. Nothing once it is learnt.
    #[must_use]
    pub fn explain(&self, fingerprint: &Fingerprint, most: usize) -> Vec<Cause> {
        let Some(series) = &self.series else { return Vec::new() };
        let (items, slots) = translate::items(fingerprint, &series.schema.record);
        let Fingerprint { end_ms, n, values, gap_ms, .. } = fingerprint;
        let window = Window { end_ms: *end_ms, n: *n, values, gap_ms: *gap_ms, items: &items, slots: &slots };
        series.pipeline.explain_in_full(&window, most)
    }

    /// The `p` at the alert boundary, once there was a fingerprint.
    #[must_use]
    pub fn p_alert(&self) -> Option<f64> {
        self.series.as_ref().map(|series| series.pipeline.p_alert())
    }

    /// Learns from the fingerprint judged last, if that wasn't done: for when its score is on its way.
    pub fn learn(&mut self) {
        if let Some(series) = &mut self.series {
            series.pipeline.learn();
        }
    }
}
