//! `EDDY.TOP`: the heaviest items.

use super::arguments::{Arguments, CommandError, parse};
use super::text;

/// Most items that are told.
pub const MAX_K: usize = 32;

/// A checked `EDDY.TOP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopOf<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// A dimension, or a cross such as `service*status`.
    pub dimension: &'a str,
    /// How many items.
    pub k: usize,
}

impl<'a> TopOf<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key, a dimension and, perhaps, 1 to [`MAX_K`].
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.top", arguments);
        let (key, dimension) = (args.required()?, text("dimension", args.required()?)?);
        let k = match args.optional() {
            None => 10,
            Some(word) => {
                let k = parse(word).filter(|k| (1..=MAX_K).contains(k));
                k.ok_or_else(|| CommandError::value("k", format!("1 to {MAX_K}"), word))?
            }
        };
        args.end()?;
        Ok(Self { key, dimension, k })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_items_unless_told_otherwise() {
        let args: [&[u8]; 3] = [b"m", b"service", b"3"];
        assert_eq!(TopOf::parse(&args).unwrap().k, 3);
        assert_eq!(TopOf::parse(&args[..2]).unwrap().k, 10);
        let error = TopOf::parse(&[b"m", b"service", b"33"]).unwrap_err().to_string();
        assert_eq!(error, "ERR k must be 1 to 32, got '33'");
        assert_eq!(TopOf::parse(&[b"m", b"service", b"3", b"x"]), Err(CommandError::Arity("eddy.top")));
    }
}
