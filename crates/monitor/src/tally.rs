//! What was left out, by field and reason: nothing is lost silently.

use serde::{Deserialize, Serialize};

/// Why a field of an observation didn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The observation doesn't have the field, or it is empty.
    Absent,
    /// A measure that isn't a finite number.
    Unreadable,
    /// An item longer than 1024 bytes.
    TooLong,
}

impl Reason {
    /// All, in order.
    pub(crate) const ALL: [Self; 3] = [Self::Absent, Self::Unreadable, Self::TooLong];

    /// The word that `EDDY.INFO` shows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
            Self::TooLong => "too-long",
        }
    }
}

/// What was left out since the monitor was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Entries of a source that were older than the open window.
    pub late: u64,
    /// Entries whose id lies beyond the year 10889.
    pub out_of_time: u64,
    /// Observations with none of the fields.
    pub skipped: u64,
    /// Closed windows dropped because the outbox was full.
    pub dropped_windows: u64,
    fields: Vec<[u64; 3]>,
    /// What came later; stands apart in the encoding.
    #[serde(skip)]
    pub passed: Passed,
}

/// Observations and entries that were passed over whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Passed {
    /// They came while the monitor was paused.
    pub paused: u64,
    /// Entries that a source had and lost before they could be read.
    pub trimmed: u64,
}

impl LeftOut {
    /// Counts `reason` for field number `field`.
    pub(crate) fn field(&mut self, field: usize, reason: Reason) {
        if self.fields.len() <= field {
            self.fields.resize(field + 1, [0; 3]);
        }
        let count = &mut self.fields[field][reason as usize];
        *count = count.saturating_add(1);
    }

    /// Field number, reason and count, where there is any.
    pub(crate) fn by_field(&self) -> impl Iterator<Item = (usize, Reason, u64)> {
        self.fields
            .iter()
            .enumerate()
            .flat_map(|(field, counts)| {
                Reason::ALL.into_iter().map(move |reason| (field, reason, counts[reason as usize]))
            })
            .filter(|(_, _, count)| *count > 0)
    }

    /// Number of fields that have counts.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }
}
