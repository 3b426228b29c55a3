//! `EDDY.ALTER`: change a monitor that exists.

use super::arguments::{Arguments, CommandError};
use super::create::{Clock, From, MAX_SOURCES, clock, from};
use crate::text::printable;

const OPTIONS: &str = "SOURCES FROM CLOCK PAUSED RETENTION";
/// What a monitor is made of; other fingerprints couldn't be held against the old ones.
const FIXED: [&str; 8] = ["WINDOW", "BUCKETS", "MEMORY", "DIMENSIONS", "CROSSES", "MEASURES", "UNIQUES", "HASHED"];

/// A checked `EDDY.ALTER`: what isn't given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alter<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// All sources from now on, at least one. Those that it reads already go on from where they are.
    pub sources: Option<Vec<&'a [u8]>>,
    /// Where to start in those it doesn't read yet.
    pub from: From,
    /// Who moves its time.
    pub clock: Option<Clock>,
    /// Whether nothing is counted.
    pub paused: Option<bool>,
    /// Fingerprints kept in the stream.
    pub retention: Option<u64>,
}

impl<'a> Alter<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// The first argument that isn't allowed, or nothing to change.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.alter", arguments);
        let mut alter = Self { key: args.required()?, ..Self::default() };
        let mut seen: Vec<&'static str> = Vec::new();
        while let Some(word) = args.optional() {
            let option = option(word)?;
            if seen.contains(&option) {
                return Err(CommandError::Twice(option));
            }
            match option {
                "SOURCES" if !seen.is_empty() => {
                    return Err(CommandError::Conflict("SOURCES must stand directly after the key".to_owned()));
                }
                "SOURCES" => alter.sources = Some(args.names("SOURCES", MAX_SOURCES)?),
                "FROM" => alter.from = from(&mut args)?,
                "CLOCK" => alter.clock = Some(clock(&mut args)?),
                "PAUSED" => alter.paused = Some(paused(&mut args)?),
                _ => alter.retention = Some(args.number("RETENTION", 100..=10_000_000, "100 to 10000000")?),
            }
            seen.push(option);
        }
        if seen.is_empty() {
            return Err(CommandError::Arity("eddy.alter"));
        }
        if seen.contains(&"FROM") && alter.sources.is_none() {
            return Err(CommandError::Conflict("FROM needs SOURCES".to_owned()));
        }
        if alter.sources.iter().flatten().any(|source| *source == alter.key) {
            return Err(CommandError::Conflict("a monitor can't be its own source".to_owned()));
        }
        Ok(alter)
    }
}

fn option(word: &[u8]) -> Result<&'static str, CommandError> {
    let known = OPTIONS.split(' ').find(|option| option.as_bytes().eq_ignore_ascii_case(word));
    known.ok_or_else(|| match FIXED.iter().find(|fixed| fixed.as_bytes().eq_ignore_ascii_case(word)) {
        Some(fixed) => CommandError::Conflict(format!(
            "{fixed} can't be altered, new fingerprints would mean something else: make another monitor with EDDY.CREATE"
        )),
        None => CommandError::UnknownOption(printable(word, 64), OPTIONS),
    })
}

fn paused(args: &mut Arguments<'_>) -> Result<bool, CommandError> {
    const ALLOWED: &str = "yes or no";
    match args.optional() {
        None => Err(CommandError::NeedsValue("PAUSED", ALLOWED)),
        Some(word) if word.eq_ignore_ascii_case(b"yes") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case(b"no") => Ok(false),
        Some(word) => Err(CommandError::value("PAUSED", ALLOWED, word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<String, String> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        Alter::parse(&words).map(|alter| format!("{alter:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_given_stays() {
        let words: Vec<&[u8]> =
            "m sources 2 a b FROM 0 CLOCK SERVER PAUSED no RETENTION 500".split(' ').map(str::as_bytes).collect();
        let alter = Alter::parse(&words).unwrap();
        assert_eq!(alter.sources, Some(vec![&b"a"[..], b"b"]));
        assert_eq!((alter.clock, alter.paused, alter.retention), (Some(Clock::Server), Some(false), Some(500)));
        let alter = Alter::parse(&[b"m", b"PAUSED", b"yes"]).unwrap();
        assert_eq!(alter, Alter { key: b"m", paused: Some(true), ..Alter::default() });
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        let cases = [
            ("m", "ERR wrong number of arguments for 'eddy.alter' command"),
            ("m CLOCK", "ERR option CLOCK needs server or stream"),
            ("m PAUSED maybe", "ERR PAUSED must be yes or no, got 'maybe'"),
            ("m PAUSED no PAUSED no", "ERR option PAUSED is given twice"),
            ("m FROM 0", "ERR FROM needs SOURCES"),
            ("m CLOCK server SOURCES 1 a", "ERR SOURCES must stand directly after the key"),
            ("m SOURCES 1 m", "ERR a monitor can't be its own source"),
            ("m SOURCES 0", "ERR SOURCES must be 1 to 16 names, got '0'"),
            (
                "m WINDOW 5",
                "ERR WINDOW can't be altered, new fingerprints would mean something else: make another monitor with \
                 EDDY.CREATE",
            ),
            ("m x 5", "ERR unknown option 'x'. Options are: SOURCES FROM CLOCK PAUSED RETENTION"),
        ];
        for (line, message) in cases {
            assert_eq!(parse_line(line), Err(message.to_owned()), "{line}");
        }
    }
}
