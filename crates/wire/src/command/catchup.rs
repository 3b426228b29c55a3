//! `EDDY.CATCHUP`: read a slice of what sources had before. Internal, never in the log.

use super::arguments::{Arguments, CommandError};
use std::time::Duration;

/// A checked `EDDY.CATCHUP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catchup<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// How long to read.
    pub budget: Duration,
}

impl<'a> Catchup<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key and microseconds up to 1000.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.catchup", arguments);
        let key = args.required()?;
        let micros = args.number("us", 0..=1000, "0 to 1000 microseconds")?;
        args.end()?;
        Ok(Self { key, budget: Duration::from_micros(micros) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_takes_a_millisecond_at_most() {
        assert_eq!(Catchup::parse(&[b"m", b"1000"]).unwrap().budget, Duration::from_millis(1));
        let error = Catchup::parse(&[b"m", b"1001"]).unwrap_err().to_string();
        assert_eq!(error, "ERR us must be 0 to 1000 microseconds, got '1001'");
    }
}
