//! The id of a stream entry.

use std::fmt;

/// `<ms>-<seq>`, ordered as Redis orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct EntryId {
    /// Milliseconds since the epoch.
    pub ms: u64,
    /// Sequence number within the millisecond.
    pub seq: u64,
}

impl EntryId {
    /// Reads `ms-seq` or `ms` alone (sequence 0).
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (ms, seq) = text.split_once('-').unwrap_or((text, "0"));
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        Some(Self { ms: number(ms)?, seq: number(seq)? })
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::EntryId;

    #[test]
    fn ids_read_back_and_order_by_time() {
        let id = EntryId::parse(b"1700000000000-3").unwrap();
        assert_eq!(id.to_string(), "1700000000000-3");
        assert!(EntryId::parse(b"1700000000000").unwrap() < id);
        for bad in ["", "-", "1-", "-1", "1-2-3", "+1-0", "x", "18446744073709551616-0"] {
            assert_eq!(EntryId::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
