//! `EDDY.CLOSE`: time has come to a window boundary. Internal, idempotent.

use super::arguments::{Arguments, CommandError};

/// A checked `EDDY.CLOSE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// The boundary, ms since the epoch.
    pub end_ms: u64,
}

impl<'a> Close<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key and milliseconds.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.close", arguments);
        let key = args.required()?;
        let end_ms = args.number("end-ms", 0..=super::close::MAX_MS, "milliseconds since the epoch")?;
        args.end()?;
        Ok(Self { key, end_ms })
    }
}

/// Latest time that a monitor accepts: the year 10889, far enough and safe to add to.
pub const MAX_MS: u64 = 1 << 48;
