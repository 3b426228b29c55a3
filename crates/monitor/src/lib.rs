//! One monitor, as a pure function of its command log.
//!
//! In the order data meets it: a [`Definition`] says what to watch, [`learning`](Phase) fills in what it leaves open,
//! the [`Schema`] names the features; observations and source entries are counted in the open window, [`Monitor`] moves
//! from window to window, and each closed one waits in the outbox as a [`Closed`] fingerprint until it was sent.
//!
//! No clock, no randomness, no Redis: the same calls in the same order leave the same bytes on every machine.

mod closed;
mod definition;
mod encoding;
mod fields;
mod hashed;
mod histogram;
mod items;
mod last;
mod learning;
mod measure;
mod monitor;
mod outbox;
mod query;
mod schema;
mod source;
mod sources;
mod surprise;
mod tally;
mod timeline;
mod values;
mod window;

pub use closed::{Closed, TopItem};
pub use definition::{
    Clock, Definition, DefinitionError, MAX_FEATURES, MAX_FIELDS, MAX_HASHED, MAX_MS, MAX_NAME, MAX_SOURCES,
    MAX_UNIQUES, Measure,
};
pub use encoding::{DecodeError, ENCODING};
pub use hashed::Hashed;
pub use learning::Progress;
pub use monitor::{Monitor, NoWindow, Phase, Reading};
pub use outbox::MAX_WAITING;
pub use query::{Estimate, Heavy, NoAnswer};
pub use schema::{Block, Schema};
pub use source::{EntryId, Extent, Source};
pub use tally::{LeftOut, Passed, Reason};
