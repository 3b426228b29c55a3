//! Rows in, events out: each with an id that only grows, and with word of the time in which nobody watched.

use super::ReplayError;
use super::column::TimeUnit;
use super::outcome::Outcome;
use super::plan::Plan;
use eddyline_wire::command::EntryId;
use eddyline_wire::command::close::MAX_MS;
use std::collections::BTreeMap;
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

/// What may be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// More or fewer values than columns.
    Width,
    /// Not a JSON object.
    NotJson,
    /// No time.
    NoTime,
    /// The time isn't a number.
    Time,
    /// The time is before the epoch or beyond the year 10889.
    TimeRange,
    /// Older than the row before.
    Older,
    /// A value that is itself an object or a list.
    Nested,
}

impl Trouble {
    /// Whether the row counts nevertheless.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Older | Self::Nested)
    }

    /// What was found and what was done.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Width => "left out: not as many values as columns",
            Self::NotJson => "left out: not a JSON object",
            Self::NoTime => "left out: no time",
            Self::Time => "left out: the time isn't a number",
            Self::TimeRange => "left out: the time is out of range, see --time-unit",
            Self::Older => "counted at the time of the row before, being older",
            Self::Nested => "counted without a value that is an object or a list",
        }
    }
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Tally {
    /// Events that were fed.
    pub events: u64,
    /// Time of the first and the last event, ms since the epoch.
    pub span: Option<(u64, u64)>,
    /// Trouble → rows and the first one's line.
    pub troubles: BTreeMap<Trouble, (u64, u64)>,
}

impl Tally {
    /// Counts trouble with the row at `line`.
    pub fn trouble(&mut self, trouble: Trouble, line: u64) {
        self.troubles.entry(trouble).or_insert((0, line)).0 += 1;
    }
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

fn milliseconds(text: &[u8], unit: TimeUnit) -> Result<u64, Trouble> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(Trouble::NoTime);
    }
    let text = std::str::from_utf8(text).map_err(|_| Trouble::Time)?;
    let ms = match (text.parse::<u64>(), unit) {
        (Ok(n), TimeUnit::Ms) => n,
        (Ok(n), TimeUnit::S) => n.checked_mul(1000).ok_or(Trouble::TimeRange)?,
        (Ok(n), TimeUnit::Us) => n / 1000,
        (Err(_), _) => {
            let n: f64 = text.parse().map_err(|_| Trouble::Time)?;
            let ms = match unit {
                TimeUnit::Ms => n,
                TimeUnit::S => n * 1000.0,
                TimeUnit::Us => n / 1000.0,
            };
            if !(ms >= 0.0 && ms <= MAX_MS as f64) {
                return Err(if n.is_nan() { Trouble::Time } else { Trouble::TimeRange });
            }
            // Half a microsecond up: 1661140339.209 s has no exact binary form.
            (ms + 0.0005).floor() as u64
        }
    };
    if ms == 0 || ms > MAX_MS { Err(Trouble::TimeRange) } else { Ok(ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_unit() {
        for (text, unit, ms) in [
            ("1661140339209", TimeUnit::Ms, 1_661_140_339_209),
            (" 1661140339 ", TimeUnit::S, 1_661_140_339_000),
            ("1661140339.209", TimeUnit::S, 1_661_140_339_209),
            ("1.661140339209e9", TimeUnit::S, 1_661_140_339_209),
            ("1661140339209999", TimeUnit::Us, 1_661_140_339_209),
        ] {
            assert_eq!(milliseconds(text.as_bytes(), unit), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_apart() {
        for (text, trouble) in [
            ("", Trouble::NoTime),
            ("yesterday", Trouble::Time),
            ("NaN", Trouble::Time),
            ("-5", Trouble::TimeRange),
            ("0", Trouble::TimeRange),
            ("1e300", Trouble::TimeRange),
            ("18446744073709551615", Trouble::TimeRange),
        ] {
            assert_eq!(milliseconds(text.as_bytes(), TimeUnit::S), Err(trouble), "{text}");
        }
    }
}
