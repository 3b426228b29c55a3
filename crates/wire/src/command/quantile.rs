//! `EDDY.QUANTILE`: quantiles of a measure.

use super::arguments::{Arguments, CommandError, parse};
use super::text;

/// Most quantiles of one call.
pub const MAX_QUANTILES: usize = 100;

/// A checked `EDDY.QUANTILE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// A measure.
    pub measure: &'a str,
    /// Ranks from 0, the least value, to 1, the greatest.
    pub ranks: Vec<f64>,
}

impl<'a> Quantile<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key, a measure and 1 to [`MAX_QUANTILES`] numbers from 0 to 1.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.quantile", arguments);
        let (key, measure) = (args.required()?, text("measure", args.required()?)?);
        let ranks = args.rest();
        if ranks.is_empty() {
            return Err(CommandError::Arity("eddy.quantile"));
        }
        if ranks.len() > MAX_QUANTILES {
            return Err(CommandError::Conflict(format!("at most {MAX_QUANTILES} quantiles a call")));
        }
        let rank = |word: &&[u8]| {
            let rank = parse(word).filter(|rank: &f64| (0.0..=1.0).contains(rank));
            rank.ok_or_else(|| CommandError::value("q", "0 to 1, such as 0.99", word))
        };
        Ok(Self { key, measure, ranks: ranks.iter().map(rank).collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_from_0_to_1() {
        let args: [&[u8]; 4] = [b"m", b"latency_ms", b"0.5", b"1"];
        assert_eq!(Quantile::parse(&args).unwrap().ranks, [0.5, 1.0]);
        assert_eq!(Quantile::parse(&args[..2]), Err(CommandError::Arity("eddy.quantile")));
        for bad in ["99", "-0.1", "NaN", "p99", ""] {
            let error = Quantile::parse(&[b"m", b"latency_ms", bad.as_bytes()]).unwrap_err().to_string();
            assert_eq!(error, format!("ERR q must be 0 to 1, such as 0.99, got '{bad}'"));
        }
    }
}
