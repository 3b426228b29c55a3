//! Rows in, events out: each with an id that only grows, and with word of the time in which nobody watched.

use super::ReplayError;
use super::outcome::Outcome;
use super::plan::Plan;
use super::tally::{Tally, Trouble};
use super::time::{TimeUnit, milliseconds};
use eddyline_wire::command::EntryId;
use std::path::PathBuf;

/// What takes events.
pub trait Feed {
    /// One event; ids grow.
    ///
    /// # Errors
    /// Whatever keeps it from being taken.
    fn event<'a>(
        &mut self,
        id: EntryId,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Result<(), ReplayError>;

    /// Time has come to `ms`: the open window closes if it is over, and what lies between its end and `ms` is unknown.
    ///
    /// # Errors
    /// Whatever keeps it from being said.
    fn close(&mut self, ms: u64) -> Result<(), ReplayError>;

    /// There are no more events. The open window isn't judged: the file may end in its middle.
    ///
    /// # Errors
    /// Whatever keeps the outcome from being had.
    fn finish(self) -> Result<Outcome, ReplayError>;
}

/// Turns rows into events.
#[derive(Debug)]
pub struct Pump<F> {
    feed: F,
    file: PathBuf,
    unit: TimeUnit,
    gap_ms: Option<u64>,
    window_ms: u64,
    last: EntryId,
    /// What became of the rows so far.
    pub tally: Tally,
}

impl<F: Feed> Pump<F> {
    /// Into `feed`.
    pub fn new(plan: &Plan, feed: F) -> Self {
        Self {
            feed,
            file: plan.file.clone(),
            unit: plan.time_unit,
            gap_ms: plan.gap_ms,
            window_ms: plan.create.window_ms,
            last: EntryId::default(),
            tally: Tally::default(),
        }
    }

    /// One row: its line, its time as text, its fields.
    ///
    /// # Errors
    /// Whatever keeps the feed from taking it; a bad row is only counted.
    pub fn row<'a>(
        &mut self,
        line: u64,
        time: &[u8],
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Result<(), ReplayError> {
        let ms = match milliseconds(time, self.unit) {
            Ok(ms) => ms,
            Err(trouble) => {
                self.tally.trouble(trouble, line);
                return Ok(());
            }
        };
        let first = self.tally.span.map_or(ms, |(first, _)| first);
        let id = if ms > self.last.ms {
            let away = self.tally.span.is_some() && self.gap_ms.is_some_and(|gap| ms - self.last.ms > gap);
            if away {
                // The file can't tell whether a window was cut; two closings say that neither was.
                self.feed.close((self.last.ms / self.window_ms + 1) * self.window_ms)?;
                self.feed.close(ms / self.window_ms * self.window_ms)?;
            }
            EntryId { ms, seq: 0 }
        } else {
            if ms < self.last.ms {
                self.tally.trouble(Trouble::Older, line);
            }
            EntryId { seq: self.last.seq + 1, ..self.last }
        };
        self.feed.event(id, fields)?;
        self.last = id;
        self.tally.events += 1;
        self.tally.span = Some((first, id.ms));
        Ok(())
    }

    /// All rows were read.
    ///
    /// # Errors
    /// No event among them, or whatever the feed says.
    pub fn finish(self) -> Result<(Outcome, Tally), ReplayError> {
        if self.tally.span.is_none() {
            let why = self
                .tally
                .troubles
                .iter()
                .map(|(trouble, (rows, line))| format!("{rows} rows {} (first in line {line})", trouble.what()));
            let why = why.collect::<Vec<_>>().join("; ");
            return Err(ReplayError::Empty(self.file, if why.is_empty() { "it has no rows".into() } else { why }));
        }
        Ok((self.feed.finish()?, self.tally))
    }
}
