//! `EDDY.ALTER`: change a monitor that exists.

use super::arguments::{Arguments, CommandError};
use super::create::{Clock, clock};

/// A checked `EDDY.ALTER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alter<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// Who moves its time from now on.
    pub clock: Clock,
}

impl<'a> Alter<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but `key CLOCK server|stream`.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.alter", arguments);
        let (key, option) = (args.required()?, args.required()?);
        if !option.eq_ignore_ascii_case(b"CLOCK") {
            return Err(CommandError::UnknownOption(crate::text::printable(option, 64), "CLOCK"));
        }
        let clock = clock(&mut args)?;
        args.end()?;
        Ok(Self { key, clock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_can_be_changed() {
        let args: [&[u8]; 3] = [b"m", b"clock", b"SERVER"];
        assert_eq!(Alter::parse(&args).unwrap().clock, Clock::Server);
        let args: [&[u8]; 3] = [b"m", b"WINDOW", b"5"];
        assert_eq!(Alter::parse(&args).unwrap_err().to_string(), "ERR unknown option 'WINDOW'. Options are: CLOCK");
        let args: [&[u8]; 2] = [b"m", b"CLOCK"];
        assert_eq!(Alter::parse(&args).unwrap_err().to_string(), "ERR option CLOCK needs server or stream");
    }
}
