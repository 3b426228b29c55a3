//! A monitor and what judges it, in this process: events in, judged windows out, each with its explanation.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use eddyline_detect as detect;
use eddyline_detect::{Cause, Incident, Item, Layout, Pipeline, Settings, SlotName};
use eddyline_monitor::{Block, Closed, Definition, EntryId, Monitor, Schema};
use eddyline_wire::fingerprint::Top;

/// A judged window.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) end_ms: u64,
    pub(super) score: f64,
    /// Why it scored so, whether or not that is worth an alert.
    pub(super) causes: Vec<Cause>,
    /// What is told of it: an incident opened, or changed.
    pub(super) told: Option<Incident>,
}

/// A monitor with one source, and its pipeline.
#[derive(Clone)]
pub(super) struct Watched {
    monitor: Monitor,
    pipeline: Option<Pipeline>,
    settings: Settings,
    last: EntryId,
}

impl Watched {
    pub(super) fn new(definition: Definition, settings: Settings) -> Result<Self> {
        Ok(Self { monitor: Monitor::new(definition)?, pipeline: None, settings, last: EntryId::default() })
    }

    /// One event; the windows that it closes.
    pub(super) fn event(&mut self, at_ms: u64, fields: &[(&str, &str)]) -> Result<Vec<Judged>> {
        let seq = if at_ms == self.last.ms { self.last.seq + 1 } else { 0 };
        self.last = EntryId { ms: at_ms, seq };
        self.monitor.read(0, self.last, fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        self.judge()
    }

    /// Nobody watched from the end of the open window to that of `ms`.
    pub(super) fn skip(&mut self, ms: u64) -> Result<Vec<Judged>> {
        let window_ms = self.settings.window_ms;
        self.monitor.close((self.last.ms / window_ms + 1) * window_ms);
        self.monitor.close(ms / window_ms * window_ms);
        self.judge()
    }

    fn judge(&mut self) -> Result<Vec<Judged>> {
        let mut judged = Vec::new();
        while let Some(closed) = self.monitor.outbox() {
            let schema = self.monitor.schema().context("a window closes only under a schema")?;
            let pipeline = match &mut self.pipeline {
                Some(pipeline) => pipeline,
                none => none.insert(Pipeline::new(layout(schema), self.settings.clone())?),
            };
            let (items, slots) = names(closed, schema);
            let window = detect::Window {
                end_ms: closed.end_ms,
                n: closed.n,
                values: &closed.values,
                gap_ms: closed.gap_ms,
                items: &items,
                slots: &slots,
            };
            let verdict = pipeline.judge(&window)?;
            let causes = pipeline.explain(&window);
            pipeline.learn();
            let told = match verdict.change {
                Some(detect::Change::Opened(incident) | detect::Change::Updated(incident)) => Some(incident),
                _ => None,
            };
            judged.push(Judged { end_ms: closed.end_ms, score: verdict.score, causes, told });
            let end_ms = closed.end_ms;
            self.monitor.sent(end_ms);
        }
        Ok(judged)
    }
}

fn layout(schema: &Schema) -> Layout {
    let blocks = schema.blocks.iter().map(|block| match block.clone() {
        Block::Numeric { features } => detect::Block::Numeric { names: features },
        Block::Counts { name, buckets } => detect::Block::Counts { name, buckets: buckets as usize },
        Block::Histogram { name, group, measure, slots, edges } => {
            detect::Block::Histogram { name, group, measure, slots: slots as usize, edges }
        }
    });
    Layout { blocks: blocks.collect() }
}

/// What a fingerprint has room to name: items behind buckets, and behind rows.
fn names(closed: &Closed, schema: &Schema) -> (Vec<Item>, Vec<SlotName>) {
    let rows: BTreeMap<&str, bool> = schema
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Histogram { name, .. } => Some((name.as_str(), true)),
            Block::Counts { name, .. } => Some((name.as_str(), false)),
            Block::Numeric { .. } => None,
        })
        .collect();
    let (mut items, mut slots) = (Vec::new(), Vec::new());
    for (name, top) in Top::of(closed.named_top(schema)).0 {
        for (item, count, bucket) in top {
            let bucket = bucket as usize;
            if rows.get(name.as_str()) == Some(&true) {
                slots.push(SlotName { block: name.clone(), slot: bucket, item });
            } else {
                items.push(Item { dimension: name.clone(), item, count, bucket });
            }
        }
    }
    (items, slots)
}
