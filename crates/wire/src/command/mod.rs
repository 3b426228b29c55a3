//! The grammar of the commands: one file each, from arguments to a checked value. The command's name is not among the
//! arguments; parsing touches no state, so it is tested and fuzzed without a server.

pub mod alter;
pub mod catchup;
pub mod close;
pub mod cms;
pub mod count;
pub mod create;
pub mod fingerprint;
pub mod grammar;
pub mod mobserve;
pub mod observe;
pub mod quantile;
pub mod read;
pub mod sent;
pub mod table;
pub mod top;

mod arguments;
mod entry_id;

pub use arguments::{Arguments, CommandError};
pub use entry_id::EntryId;

/// The name of a field.
fn text<'a>(argument: &'static str, bytes: &'a [u8]) -> Result<&'a str, CommandError> {
    std::str::from_utf8(bytes).map_err(|_| CommandError::value(argument, "UTF-8 text", bytes))
}
