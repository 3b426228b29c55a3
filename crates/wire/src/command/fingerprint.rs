//! `EDDY.FINGERPRINT`: the last fingerprint, or the one under an id.

use super::arguments::{Arguments, CommandError};
use super::entry_id::EntryId;

/// A checked `EDDY.FINGERPRINT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerprintOf<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// Its id; the last one without.
    pub id: Option<EntryId>,
}

impl<'a> FingerprintOf<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but `key` or `key ID id`.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        const ALLOWED: &str = "the id of a fingerprint, <window end ms>-0";
        let mut args = Arguments::new("eddy.fingerprint", arguments);
        let key = args.required()?;
        let id = match args.optional() {
            None => None,
            Some(word) if word.eq_ignore_ascii_case(b"ID") => {
                let id = args.optional().ok_or(CommandError::NeedsValue("ID", ALLOWED))?;
                Some(EntryId::parse(id).ok_or_else(|| CommandError::value("ID", ALLOWED, id))?)
            }
            Some(word) => {
                return Err(CommandError::UnknownOption(crate::text::printable(word, 64), "ID"));
            }
        };
        args.end()?;
        Ok(Self { key, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_optional() {
        assert_eq!(FingerprintOf::parse(&[b"m"]).unwrap().id, None);
        let args: [&[u8]; 3] = [b"m", b"id", b"5000-0"];
        assert_eq!(FingerprintOf::parse(&args).unwrap().id, Some(EntryId { ms: 5000, seq: 0 }));
        let args: [&[u8]; 3] = [b"m", b"ID", b"last"];
        assert_eq!(
            FingerprintOf::parse(&args).unwrap_err().to_string(),
            "ERR ID must be the id of a fingerprint, <window end ms>-0, got 'last'"
        );
    }
}
