//! Clocks: a worker tells lateness by its own, the server puts its own into ids.

use super::code::Code;
use super::finding::{Finding, SERVER};
use super::patient::Patient;
use redis::RedisResult;
use std::time::{SystemTime, UNIX_EPOCH};

/// Further apart than this, lateness can't be told.
const APART_MS: u64 = 2_000;
/// Further apart than this, times in messages mislead.
const FAR_APART_MS: u64 = 60_000;

/// What two clocks show at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The server's, in ms since the epoch.
    pub server_ms: u64,
    /// This machine's, before the server was asked and when it had answered.
    pub here_ms: (u64, u64),
}

/// Looks at both; none where the server doesn't tell.
///
/// # Errors
/// Trouble with Redis.
pub fn look(patient: &mut Patient) -> RedisResult<Option<Clocks>> {
    let before = here_ms();
    let time: Option<(u64, u64)> = patient.try_ask(&redis::cmd("TIME"))?;
    let here_ms = (before, here_ms());
    Ok(time.map(|(seconds, micros)| Clocks { server_ms: seconds * 1000 + micros / 1000, here_ms }))
}

fn here_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What is wrong with them.
#[must_use]
pub fn finding(clocks: Clocks) -> Option<Finding> {
    let (before, after) = clocks.here_ms;
    // The answer may have been under way for all of the time.
    let (ahead, behind) = (clocks.server_ms.saturating_sub(after), before.saturating_sub(clocks.server_ms));
    let apart = ahead.max(behind);
    (apart > APART_MS).then(|| {
        let finding = if apart > FAR_APART_MS { Finding::problem } else { Finding::advice };
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        finding(
            Code::ClockSkew,
            SERVER,
            format!("the server's clock is {:.1} s {way} this machine's", apart as f64 / 1000.0),
            "let NTP set both: chronyc tracking, or timedatectl, shows whether it does".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn clocks_that_are_apart_are_named_beyond_what_the_answer_took() {
        let told = |server_ms| {
            let clocks = Clocks { server_ms, here_ms: (1_000_000, 1_005_000) };
            finding(clocks).map(|finding| (finding.level, finding.what))
        };
        assert_eq!([998_000, 1_000_000, 1_005_000, 1_007_000].map(told), [None, None, None, None]);
        let said = told(1_008_500).unwrap();
        assert_eq!(said, (Level::Advice, "the server's clock is 3.5 s ahead of this machine's".to_owned()));
        let said = told(900_000).unwrap();
        assert_eq!(said, (Level::Problem, "the server's clock is 100.0 s behind this machine's".to_owned()));
    }
}
