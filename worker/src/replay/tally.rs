//! What became of the rows of a file.

use std::collections::BTreeMap;

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
    /// In a vector: more or fewer values than columns.
    Uneven,
    /// In a vector: a value that isn't a number.
    Value,
    /// A vector without a time that can be read.
    Timeless,
    /// A vector that isn't later than the one before.
    NotLater,
}

impl Trouble {
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
            Self::Uneven => "taken as far as they go: not as many values as columns",
            Self::Value => "taken with a value missing: it isn't a number",
            Self::Timeless => "taken one period after the row before: the time can't be read",
            Self::NotLater => "taken 1 ms after the row before, not being later",
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

    /// Takes in what became of the rows of another file.
    pub fn join(&mut self, other: Self) {
        self.events += other.events;
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (known, other) => known.or(other),
        };
        for (trouble, (rows, line)) in other.troubles {
            self.troubles.entry(trouble).or_insert((0, line)).0 += rows;
        }
    }
}
