//! `EDDY.SENT`: the fingerprints up to a window end stand in the stream, or never will. Internal, idempotent.

use super::arguments::{Arguments, CommandError};
use super::close::MAX_MS;

/// A checked `EDDY.SENT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// End of the newest window that stands in the stream.
    pub end_ms: u64,
    /// They can't be written any more: the stream has a later entry.
    pub lost: bool,
}

impl<'a> Sent<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key, milliseconds and, perhaps, `LOST`.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.sent", arguments);
        let key = args.required()?;
        let end_ms = args.number("end-ms", 0..=MAX_MS, "milliseconds since the epoch")?;
        let lost = match args.optional() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case(b"LOST") => true,
            Some(word) => return Err(CommandError::UnknownOption(crate::text::printable(word, 64), "LOST")),
        };
        args.end()?;
        Ok(Self { key, end_ms, lost })
    }
}
