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
    /// What else is known of the stream. Stands apart in the encoding, which didn't have it at first.
    #[serde(skip)]
    pub(crate) stream: Known,
}

/// What a monitor knows of the stream that its cursor stands in. None of it is asked of the server while entries come, so
/// that it is the same on every node: a key may have expired for one and not for another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The newest entry that was heard of. An append-only file tells of entries again; they aren't newer.
    pub(crate) newest: EntryId,
    /// Entries behind the cursor, read ones taken off, where their number is known: those that aren't there any more when all
    /// is read were trimmed.
    pub(crate) unread: Option<u64>,
    /// It went from under this name, by deletion, expiry or another name. What comes next is another stream, unless it holds
    /// the entry that was read last.
    pub(crate) gone: bool,
}

/// What there is of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Number of entries.
    pub length: u64,
    /// The oldest entry; 0-0 where there is none.
    pub first: EntryId,
    /// The newest entry; 0-0 where there is none.
    pub newest: EntryId,
    /// Whether it has the entry that the cursor stands at.
    pub holds_cursor: bool,
}

impl Extent {
    /// A stream without entries, or none.
    pub const EMPTY: Self =
        Self { length: 0, first: EntryId { ms: 0, seq: 0 }, newest: EntryId { ms: 0, seq: 0 }, holds_cursor: false };

    /// Entries behind `cursor`; none where only a count could tell.
    fn behind(&self, cursor: EntryId) -> Option<u64> {
        match cursor {
            _ if self.newest <= cursor => Some(0),
            _ if cursor < self.first => Some(self.length),
            _ => None,
        }
    }
}

impl Source {
    pub(crate) fn new(name: Vec<u8>, cursor: EntryId) -> Self {
        Self { name, cursor, stream: Known { newest: cursor, unread: None, gone: false } }
    }

    /// Takes in what there is of its stream, whose entries behind the cursor aren't read yet.
    pub(crate) fn measure(&mut self, extent: &Extent) {
        self.stream = Known { newest: extent.newest, unread: extent.behind(self.cursor), gone: false };
    }

    /// Starts over in another stream of the same name.
    pub(crate) fn start_over(&mut self, extent: &Extent) {
        self.cursor = EntryId::default();
        self.measure(extent);
    }

    /// The cursor moves to an entry that was read.
    pub(crate) fn advance(&mut self, id: EntryId) {
        self.cursor = id;
        self.stream.newest = self.stream.newest.max(id);
        self.stream.unread = self.stream.unread.map(|unread| unread.saturating_sub(1));
    }
}
