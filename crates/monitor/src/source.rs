//! A stream that a monitor reads, and how far it has read.

use serde::{Deserialize, Serialize};

/// The id of a stream entry, ordered as Redis orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct EntryId {
    /// Milliseconds since the epoch.
    pub ms: u64,
    /// Sequence number within the millisecond.
    pub seq: u64,
}

/// A source and its cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The stream's key.
    pub name: Vec<u8>,
    /// The last entry that was read; entries up to it are known.
    pub cursor: EntryId,
    /// How many entries the stream had ever been given at the cursor, where that is known: entries that were trimmed before
    /// they were read are told by it. Stands apart in the encoding, which didn't have it at first.
    #[serde(skip)]
    pub added: Option<u64>,
}
