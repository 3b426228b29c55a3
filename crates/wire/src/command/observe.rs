//! `EDDY.OBSERVE`: one observation.

use super::arguments::{Arguments, CommandError};

/// Most fields of one observation.
pub const MAX_PAIRS: usize = 256;

/// A checked `EDDY.OBSERVE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observe<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// Alternating fields and values.
    pub pairs: &'a [&'a [u8]],
}

impl<'a> Observe<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// No pair, half a pair, or more than [`MAX_PAIRS`].
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.observe", arguments);
        let (key, pairs) = (args.required()?, args.rest());
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(CommandError::Arity("eddy.observe"));
        }
        if pairs.len() / 2 > MAX_PAIRS {
            return Err(CommandError::Conflict(format!("an observation has at most {MAX_PAIRS} fields")));
        }
        Ok(Self { key, pairs })
    }

    /// The fields with their values.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
        self.pairs.as_chunks::<2>().0.iter().map(|[field, value]| (*field, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_values_alternate() {
        let args: [&[u8]; 5] = [b"m", b"service", b"pay", b"status", b"500"];
        let fields: Vec<_> = Observe::parse(&args).unwrap().fields().collect();
        assert_eq!(fields, [(&b"service"[..], &b"pay"[..]), (b"status", b"500")]);
    }

    #[test]
    fn half_a_pair_is_the_wrong_number_of_arguments() {
        for n in [0, 1, 2, 4] {
            let args = vec![&b"x"[..]; n];
            assert_eq!(Observe::parse(&args), Err(CommandError::Arity("eddy.observe")), "{n}");
        }
        assert!(Observe::parse(&vec![&b"x"[..]; 1 + 2 * 257]).is_err());
    }
}
