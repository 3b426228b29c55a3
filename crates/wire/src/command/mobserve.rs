//! `EDDY.MOBSERVE`: many observations that share their list of fields.

use super::arguments::{Arguments, CommandError};

/// Most observations in one command: bounds the time it holds the server.
pub const MAX_ROWS: usize = 1000;
/// Most fields of an observation.
pub const MAX_COLUMNS: usize = 64;

/// A checked `EDDY.MOBSERVE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mobserve<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// The fields of every observation.
    pub columns: &'a [&'a [u8]],
    /// Their values, observation after observation.
    pub values: &'a [&'a [u8]],
}

impl<'a> Mobserve<'a> {
    /// Reads the arguments after the command's name; checked whole before anything counts.
    ///
    /// # Errors
    /// A number of fields out of range, no value, or values that don't fill whole observations.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.mobserve", arguments);
        let key = args.required()?;
        let n = args.number("n", 1..=MAX_COLUMNS, "1 to 64 fields")?;
        let rest = args.rest();
        if rest.len() < 2 * n {
            return Err(CommandError::Arity("eddy.mobserve"));
        }
        let (columns, values) = rest.split_at(n);
        if !values.len().is_multiple_of(n) {
            return Err(CommandError::Conflict(format!(
                "{} values don't fill observations of {n} fields: nothing was counted",
                values.len()
            )));
        }
        if values.len() / n > MAX_ROWS {
            return Err(CommandError::Conflict(format!(
                "{} observations in one command, at most {MAX_ROWS} are allowed: nothing was counted",
                values.len() / n
            )));
        }
        Ok(Self { key, columns, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Vec<Vec<(String, String)>>, String> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mobserve = Mobserve::parse(&words).map_err(|error| error.to_string())?;
        let rows = mobserve.values.chunks(mobserve.columns.len());
        let pairs = |row: &[&[u8]]| mobserve.columns.iter().zip(row).map(|(f, v)| (text(f), text(v))).collect();
        Ok(rows.map(pairs).collect())
    }

    #[test]
    fn columns_are_named_once() {
        let rows = parse("m 2 service status pay 200 cart 500").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], [("service".to_owned(), "cart".to_owned()), ("status".to_owned(), "500".to_owned())]);
    }

    #[test]
    fn a_ragged_or_oversized_batch_is_refused_whole() {
        assert_eq!(
            parse("m 2 a b 1 2 3").unwrap_err(),
            "ERR 3 values don't fill observations of 2 fields: nothing was counted"
        );
        assert_eq!(parse("m 0 a").unwrap_err(), "ERR n must be 1 to 64 fields, got '0'");
        assert_eq!(parse("m 1 a").unwrap_err(), "ERR wrong number of arguments for 'eddy.mobserve' command");
        let many = format!("m 1 a{}", " x".repeat(1001));
        assert!(parse(&many).unwrap_err().contains("at most 1000"));
    }
}
