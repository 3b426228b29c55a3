//! The grammar of the commands: one file each, from arguments to a checked value. The command's name is not among the
//! arguments; parsing touches no state, so it is tested and fuzzed without a server.

pub mod alter;
pub mod close;
pub mod create;
pub mod fingerprint;
pub mod mobserve;
pub mod observe;
pub mod read;
pub mod sent;
pub mod table;

mod arguments;
mod entry_id;

pub use arguments::{Arguments, CommandError};
pub use entry_id::EntryId;
