//! `EDDY.COUNT`: how often items were counted.

use super::arguments::{Arguments, CommandError};
use super::text;

/// Most items of one call.
pub const MAX_ITEMS: usize = 1000;

/// A checked `EDDY.COUNT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// A dimension, or a cross such as `service*status`.
    pub dimension: &'a str,
    /// Items, such as `pay` or `pay*500`.
    pub items: &'a [&'a [u8]],
}

impl<'a> Count<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key, a dimension and 1 to [`MAX_ITEMS`] items.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.count", arguments);
        let (key, dimension) = (args.required()?, text("dimension", args.required()?)?);
        let items = args.rest();
        match items.len() {
            0 => Err(CommandError::Arity("eddy.count")),
            1..=MAX_ITEMS => Ok(Self { key, dimension, items }),
            _ => Err(CommandError::Conflict(format!("at most {MAX_ITEMS} items a call"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_item_and_at_most_a_thousand() {
        let args: [&[u8]; 4] = [b"m", b"service", b"pay", b"\xff"];
        assert_eq!(Count::parse(&args).unwrap().items, [&b"pay"[..], b"\xff"]);
        assert_eq!(Count::parse(&args[..2]), Err(CommandError::Arity("eddy.count")));
        let many = [&args[..2], &[&b"x"[..]; 1001]].concat();
        assert_eq!(Count::parse(&many).unwrap_err().to_string(), "ERR at most 1000 items a call");
        let error = Count::parse(&[b"m", b"\xff", b"x"]).unwrap_err().to_string();
        assert_eq!(error, "ERR dimension must be UTF-8 text, got '\\xff'");
    }
}
