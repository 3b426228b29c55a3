//! Windows that were trimmed from their stream before they were read.

use crate::store::connect::Connection;
use crate::store::stream::{self, Entry};
use eddyline_wire::command::EntryId;
use redis::RedisResult;

/// How many windows of `window_ms` are missing between `last`, which was done, and `next`, the first entry after it. What
/// the fingerprint itself says was not watched isn't missing.
fn between(last: EntryId, next: &Entry, window_ms: u64) -> u64 {
    let gap_ms = next.fingerprint.as_ref().map_or(0, |fingerprint| fingerprint.gap_ms);
    let span = next.id.ms.saturating_sub(last.ms).saturating_sub(gap_ms);
    // Vectors of others come about when they should.
    (span.saturating_add(window_ms / 2) / window_ms.max(1)).saturating_sub(1)
}

/// Windows after `last` that nobody can read any more, `next` being the first that can.
///
/// # Errors
/// Trouble with Redis.
pub(super) async fn missed(
    connection: &mut Connection,
    fingerprints: &[u8],
    last: EntryId,
    next: &Entry,
    window_ms: u64,
) -> RedisResult<u64> {
    let windows = if last == EntryId::default() { 0 } else { between(last, next, window_ms) };
    if windows == 0 {
        return Ok(0);
    }
    // A stream is trimmed from its start: with something left before it, nobody wrote these.
    let first = stream::after(connection, fingerprints, EntryId::default(), 1).await?;
    let is_first = first.first().is_some_and(|(id, _)| *id == next.id.to_string());
    Ok(if is_first { windows } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_wire::fingerprint::{Fingerprint, Top};

    fn entry(ms: u64, gap_ms: u64) -> Entry {
        let fingerprint =
            Fingerprint { end_ms: ms, n: 1, schema: 1, values: vec![1.0], top: Top::default(), gap_ms, partial: false };
        Entry { id: EntryId { ms, seq: 0 }, fingerprint: Ok(fingerprint) }
    }

    #[test]
    fn what_lies_between_is_counted_in_windows_and_a_gap_that_is_told_is_none() {
        let last = EntryId { ms: 10_000, seq: 0 };
        assert_eq!(between(last, &entry(11_000, 0), 1000), 0);
        assert_eq!(between(last, &entry(14_000, 0), 1000), 3);
        assert_eq!(between(last, &entry(14_000, 3000), 1000), 0);
        assert_eq!(between(last, &entry(14_000, u64::MAX), 1000), 0);
        assert_eq!(between(last, &entry(11_300, 0), 1000), 0, "late");
        assert_eq!(between(last, &entry(u64::MAX, 0), 0), u64::MAX - 10_001, "no division by zero");
    }
}
