//! How this worker and each of its monitors fare: written by the tasks, read by whoever is asked (`/readyz`, later a
//! dashboard). Nothing in it decides anything.

use eddyline_wire::command::EntryId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest error that is kept.
const ERROR: usize = 512;

/// What a monitor's detection is up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Condition {
    /// Found, and nothing known of it yet.
    Starting,
    /// Learning: no alerts yet.
    Warming {
        /// Windows seen.
        seen: u32,
        /// Windows needed.
        needed: u32,
    },
    /// At work.
    Ready,
    /// At work with less than its best.
    Degraded {
        /// What failed, and what stands in.
        reason: String,
    },
    /// Another worker has it.
    Elsewhere,
}

impl Condition {
    /// Its name, as metrics have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Warming { .. } => "warming",
            Self::Ready => "ready",
            Self::Degraded { .. } => "degraded",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// How one monitor fares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorStatus {
    /// What its detection is up to.
    #[serde(flatten)]
    pub condition: Condition,
    /// Id of the last fingerprint that has its score.
    #[serde(serialize_with = "shown")]
    pub scored: EntryId,
    /// Id of the last fingerprint that was learnt; behind `scored` while history is learnt again.
    #[serde(serialize_with = "shown")]
    pub learnt: EntryId,
    /// From the end of the last live window to its score in Redis, in ms.
    pub lag_ms: Option<u64>,
    /// Whether fingerprints wait to be read.
    pub is_behind: bool,
    /// Incidents that are open.
    pub open: u32,
    /// Why the last step failed; none once one went well.
    pub error: Option<String>,
}

fn shown<S: serde::Serializer>(id: &EntryId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Default for MonitorStatus {
    fn default() -> Self {
        Self {
            condition: Condition::Starting,
            scored: EntryId::default(),
            learnt: EntryId::default(),
            lag_ms: None,
            is_behind: false,
            open: 0,
            error: None,
        }
    }
}

impl MonitorStatus {
    /// The last step failed for this reason.
    pub fn fail(&mut self, error: &str) {
        self.error = Some(error.chars().take(ERROR).collect());
    }
}

/// How the worker fares with Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RedisStatus {
    /// Whether there is a connection.
    pub connected: bool,
    /// Where it goes, without the password.
    pub address: String,
    /// Why there is none, or what the server refuses.
    pub error: Option<String>,
    /// Whether the server has the module; none before it was asked.
    pub has_module: Option<bool>,
    /// Workers that are alive, this one among them; none before they were counted.
    pub workers: Option<usize>,
    /// Monitors left out, because there are more than a worker may have.
    pub monitors_left_out: usize,
}

#[derive(Debug, Default)]
struct Board {
    redis: RedisStatus,
    monitors: BTreeMap<Vec<u8>, MonitorStatus>,
    /// Sinks that don't take what they are sent, and why.
    sinks: BTreeMap<String, String>,
    beat: Option<Instant>,
}

/// How this worker fares. One for the process, shared.
#[derive(Debug, Default)]
pub struct Status(Mutex<Board>);

impl Status {
    /// Changes what is known of the connection.
    pub fn redis(&self, change: impl FnOnce(&mut RedisStatus)) {
        change(&mut self.board().redis);
    }

    /// Changes what is known of a monitor; one that isn't known yet is, from now on.
    pub fn monitor(&self, name: &[u8], change: impl FnOnce(&mut MonitorStatus)) {
        let mut board = self.board();
        match board.monitors.get_mut(name) {
            Some(status) => change(status),
            None => change(board.monitors.entry(name.to_vec()).or_default()),
        }
    }

    /// This monitor is none of this worker's concern any more.
    pub fn forget(&self, name: &[u8]) {
        self.board().monitors.remove(name);
    }

    /// A sink didn't take what it was sent, for this reason, or takes it again.
    pub fn sink(&self, name: &str, failure: Option<&str>) {
        let mut board = self.board();
        match failure {
            Some(why) => drop(board.sinks.insert(name.to_owned(), why.chars().take(ERROR).collect())),
            None => drop(board.sinks.remove(name)),
        }
    }

    /// This worker sends to no sink any more: what became of them is another's to tell.
    pub fn forget_sinks(&self) {
        self.board().sinks.clear();
    }

    /// Sinks that don't take what they are sent, and why.
    #[must_use]
    pub fn failing_sinks(&self) -> BTreeMap<String, String> {
        self.board().sinks.clone()
    }

    /// The worker's loop runs: at least once a second, with and without Redis.
    pub fn beat(&self) {
        self.board().beat = Some(Instant::now());
    }

    /// How long ago the loop ran last; none before its first time.
    #[must_use]
    pub fn last_beat(&self) -> Option<Duration> {
        self.board().beat.map(|beat| beat.elapsed())
    }

    /// How it fares with Redis now.
    #[must_use]
    pub fn of_redis(&self) -> RedisStatus {
        self.board().redis.clone()
    }

    /// How each monitor fares now, by name.
    #[must_use]
    pub fn of_monitors(&self) -> BTreeMap<Vec<u8>, MonitorStatus> {
        self.board().monitors.clone()
    }

    /// Looks at every monitor without a copy.
    pub fn each(&self, mut look: impl FnMut(&[u8], &MonitorStatus)) {
        self.board().monitors.iter().for_each(|(name, status)| look(name, status));
    }

    // Whoever panicked left it whole: each change is one assignment after another of plain values.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitors_status_reads_as_one_flat_object() {
        let status = Status::default();
        status.monitor(b"checkout", |monitor| {
            monitor.condition = Condition::Warming { seen: 40, needed: 60 };
            monitor.scored = EntryId { ms: 5000, seq: 0 };
            monitor.fail(&"x".repeat(2 * ERROR));
        });
        let shown = serde_json::to_value(&status.of_monitors()[&b"checkout"[..]]).unwrap();
        assert_eq!(
            (shown["state"].as_str(), shown["seen"].as_u64(), shown["scored"].as_str()),
            (Some("warming"), Some(40), Some("5000-0"))
        );
        assert_eq!(shown["error"].as_str().map(str::len), Some(ERROR));
        status.forget(b"checkout");
        assert!(status.of_monitors().is_empty());
    }

    #[test]
    fn a_loop_that_never_ran_has_no_beat() {
        let status = Status::default();
        assert_eq!(status.last_beat(), None);
        status.beat();
        assert!(status.last_beat().is_some());
    }
}
