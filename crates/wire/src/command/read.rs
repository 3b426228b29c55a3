//! `EDDY.READ`: count a source's entries up to an id, from this node's own copy. Internal, idempotent.

use super::arguments::{Arguments, CommandError};
use super::entry_id::EntryId;

/// A checked `EDDY.READ`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'a> {
    /// The monitor.
    pub key: &'a [u8],
    /// The source.
    pub source: &'a [u8],
    /// The last entry to count.
    pub last: EntryId,
}

impl<'a> Read<'a> {
    /// Reads the arguments after the command's name.
    ///
    /// # Errors
    /// Anything but a key, a source and an entry id.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CommandError> {
        let mut args = Arguments::new("eddy.read", arguments);
        let (key, source, id) = (args.required()?, args.required()?, args.required()?);
        args.end()?;
        let last = EntryId::parse(id).ok_or_else(|| CommandError::value("last-id", "an entry id", id))?;
        Ok(Self { key, source, last })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{close::Close, sent::Sent};
    use super::*;

    #[test]
    fn internal_commands_check_their_arguments() {
        assert_eq!(Close::parse(&[b"m", b"5000"]).unwrap().end_ms, 5000);
        assert_eq!(
            Close::parse(&[b"m", b"soon"]).unwrap_err().to_string(),
            "ERR end-ms must be milliseconds since the epoch, got 'soon'"
        );
        assert_eq!(
            Sent::parse(&[b"m"]).unwrap_err().to_string(),
            "ERR option end-ms needs milliseconds since the epoch"
        );
        let args: [&[u8]; 3] = [b"m", b"metrics", b"5-1"];
        assert_eq!(Read::parse(&args).unwrap().last, EntryId { ms: 5, seq: 1 });
        let args: [&[u8]; 4] = [b"m", b"metrics", b"5-1", b"x"];
        assert_eq!(Read::parse(&args).unwrap_err(), CommandError::Arity("eddy.read"));
    }
}
