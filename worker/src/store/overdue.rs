//! When the next vector is due, by the pauses of the past, and the script that tells that it didn't come (`overdue.lua`).

use crate::store::connect::Connection;
use crate::store::lease::Token;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{ALERTS, Companions};
use redis::{RedisResult, Script, Value};

const SCRIPT: &str = include_str!("overdue.lua");
/// Pauses that are looked at, and the fewest that say something.
const PAUSES: usize = 250;
const LEAST: usize = 60;
/// One pause in so many may have been an outage, which makes the next one no less of one.
const RARE: usize = 50;
/// A vector is overdue after so many times the longest usual pause, or so many periods.
const TIMES: u64 = 3;

/// Milliseconds after the last vector at which the next is overdue, and the pauses known; none where too few are.
///
/// # Errors
/// Trouble with Redis.
pub async fn within(
    connection: &mut Connection,
    keys: &Companions,
    window_ms: u64,
) -> RedisResult<Option<(u64, usize)>> {
    let mut latest = redis::cmd("XREVRANGE");
    latest.arg(keys.fingerprints()).arg(&["+", "-", "COUNT"]).arg(PAUSES + 1);
    let entries: Vec<(String, Vec<Vec<u8>>)> = latest.query_async(connection).await?;
    let times: Vec<u64> = entries.iter().filter_map(|(id, _)| EntryId::parse(id.as_bytes())).map(|id| id.ms).collect();
    Ok(due_within(&times, window_ms))
}

/// The same of the times of vectors, newest first.
fn due_within(times: &[u64], window_ms: u64) -> Option<(u64, usize)> {
    let mut pauses: Vec<u64> = times.windows(2).map(|pair| pair[0].saturating_sub(pair[1])).collect();
    pauses.sort_unstable();
    let known = pauses.len();
    let usual = (known >= LEAST).then(|| pauses[known - 1 - known / RARE])?;
    Some((usual.max(window_ms).saturating_mul(TIMES), known))
}

/// What the script said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The message stands.
    Told,
    /// The lease is another worker's.
    Fenced,
    /// It isn't time, or something came meanwhile.
    NotNow,
}

/// Tells that after `last` nothing came until `due_ms`.
///
/// # Errors
/// Trouble with Redis.
pub async fn tell(
    connection: &mut Connection,
    keys: &Companions,
    token: &Token,
    last: EntryId,
    due_ms: u64,
    retention: u64,
    alert: &Alert,
) -> RedisResult<Outcome> {
    let script = Script::new(SCRIPT);
    let mut call = script.prepare_invoke();
    [keys.lease(), keys.scores(), keys.fingerprints(), keys.incidents()].into_iter().for_each(|key| _ = call.key(key));
    call.arg(token.as_str()).arg(last.to_string()).arg(due_ms).arg(retention).arg(ALERTS).arg(keys.alerts());
    call.arg(&alert.entry).arg(alert.event.as_str()).arg(&alert.incident).arg(alert.to_json());
    Ok(match call.invoke_async(connection).await? {
        Value::Okay => Outcome::Told,
        Value::SimpleString(word) if word == "TOLD" => Outcome::Told,
        Value::SimpleString(word) if word == "FENCED" => Outcome::Fenced,
        _ => Outcome::NotNow,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times, newest first, with this pause between two and some long ones.
    fn times(count: u64, pause: u64, long: &[u64]) -> Vec<u64> {
        let mut now = 1_000_000_000;
        let mut times = vec![now];
        for i in 0..count {
            now -= long.get(i as usize).copied().unwrap_or(pause);
            times.push(now);
        }
        times
    }

    #[test]
    fn a_vector_is_overdue_after_three_of_the_longest_usual_pauses() {
        assert_eq!(due_within(&times(100, 60_000, &[]), 60_000), Some((180_000, 100)));
        assert_eq!(due_within(&times(200, 1_000, &[]), 5_000), Some((15_000, 200)));
        // Who comes late often is waited for.
        assert_eq!(due_within(&times(250, 60_000, &[600_000; 10]), 60_000), Some((1_800_000, 250)));
    }

    #[test]
    fn outages_of_the_past_make_the_next_one_no_later() {
        assert_eq!(due_within(&times(250, 60_000, &[3_600_000; 5]), 60_000), Some((180_000, 250)));
    }

    #[test]
    fn few_vectors_say_nothing() {
        assert_eq!(due_within(&times(59, 60_000, &[]), 60_000), None);
        assert_eq!(due_within(&[], 60_000), None);
    }
}
