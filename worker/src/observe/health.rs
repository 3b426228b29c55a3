//! Whether this worker lives and is at work, and if not, why: what `/livez` and `/readyz` say.

use crate::doctor::code::Code;
use crate::service::status::{Condition, MonitorStatus, RedisStatus, Status};
use eddyline_wire::text::printable;
use serde::Serialize;
use std::time::Duration;

/// The worker's loop turns once a second, and waits at most 10 s for a reply of Redis.
const LONGEST_TURN: Duration = Duration::from_secs(30);
/// Windows that are scored later than this after their end are late.
const LATE_MS: u64 = 30_000;
/// Most reasons told; of more only their number.
const REASONS: usize = 50;

/// Whether a loop that turned last so long ago runs.
#[must_use]
pub fn is_alive(last_turn: Duration) -> bool {
    last_turn < LONGEST_TURN
}

/// Why nothing may come from this worker, or less than should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What is the matter.
    pub code: Code,
    /// The monitor that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// The same in words.
    pub what: String,
    /// What to do about it.
    pub cure: String,
    #[serde(skip)]
    stops_work: bool,
}

/// Monitors by what their detection is up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    starting: usize,
    warming: usize,
    ready: usize,
    degraded: usize,
    elsewhere: usize,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether the worker is at work: it has its Redis, and there is something to work on. Reasons may remain.
    pub ready: bool,
    /// Release of this program.
    pub version: &'static str,
    /// How it fares with Redis.
    pub redis: RedisStatus,
    /// Monitors by what their detection is up to.
    pub monitors: Counts,
    /// What keeps it from work first, then what makes it silent about single monitors.
    pub reasons: Vec<Reason>,
    /// Reasons that were left out because there are so many.
    pub more_reasons: usize,
}

impl Report {
    /// What a worker of this status says.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let redis = status.of_redis();
        let (mut monitors, mut reasons) = (Counts::default(), Vec::new());
        status.each(|name, monitor| {
            *monitors.of(&monitor.condition) += 1;
            reasons.extend(of_monitor(name, monitor));
        });
        if !redis.connected {
            // What was known of monitors is of before.
            reasons.clear();
        }
        reasons.extend(status.failing_sinks().iter().map(|(name, why)| of_sink(name, why)));
        reasons.extend(of_redis(&redis, monitors == Counts::default()));
        reasons.sort_by_key(|reason| (!reason.stops_work, reason.code));
        let ready = !reasons.iter().any(|reason| reason.stops_work);
        let more_reasons = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        Self { ready, version: env!("CARGO_PKG_VERSION"), redis, monitors, reasons, more_reasons }
    }
}

impl Counts {
    fn of(&mut self, condition: &Condition) -> &mut usize {
        match condition {
            Condition::Starting => &mut self.starting,
            Condition::Warming { .. } => &mut self.warming,
            Condition::Ready => &mut self.ready,
            Condition::Degraded { .. } => &mut self.degraded,
            Condition::Elsewhere => &mut self.elsewhere,
        }
    }
}

fn of_redis(redis: &RedisStatus, no_monitors: bool) -> Option<Reason> {
    let reason = |code, what: String, cure: &str| {
        Some(Reason { code, monitor: None, what, cure: cure.to_owned(), stops_work: true })
    };
    if !redis.connected {
        return match &redis.error {
            Some(error) => reason(
                Code::NoRedis,
                format!("no connection to {}: {error}", redis.address),
                "start the server, or give its address with --redis; the worker tries again by itself",
            ),
            None => reason(Code::Starting, "not connected yet".to_owned(), "wait a second"),
        };
    }
    if let Some(error) = &redis.error {
        return reason(
            Code::RedisRefuses,
            format!("{} refuses: {error}", redis.address),
            "eddyline doctor, with the worker's --redis, names missing rights and full memory",
        );
    }
    if no_monitors && redis.has_module == Some(false) {
        return reason(
            Code::NoModule,
            "the server doesn't have the module, and there are no vectors of your own: nothing to work on".to_owned(),
            "redis-cli MODULE LOAD /path/to/libeddyline.so",
        );
    }
    (redis.monitors_left_out > 0).then(|| Reason {
        code: Code::TooManyMonitors,
        monitor: None,
        what: format!("{} monitors are more than this worker takes, and left out", redis.monitors_left_out),
        cure: "spread them over databases or servers, with workers for each".to_owned(),
        stops_work: false,
    })
}

fn of_sink(name: &str, why: &str) -> Reason {
    Reason {
        code: Code::SinkFailing,
        monitor: None,
        what: format!("sink '{name}' doesn't take notifications: {why}"),
        cure: format!("eddyline test-sink {name}; the worker tries again by itself"),
        stops_work: false,
    }
}

fn of_monitor(name: &[u8], status: &MonitorStatus) -> Option<Reason> {
    let name = printable(name, 128);
    let reason = |code, what: String, cure: String| {
        Some(Reason { code, monitor: Some(name.clone()), what, cure, stops_work: false })
    };
    if status.condition == Condition::Elsewhere {
        return None;
    }
    if let Some(error) = &status.error {
        let cure = "eddyline doctor, with the worker's --redis".to_owned();
        return reason(Code::Stuck, format!("it isn't scored now: {error}"), cure);
    }
    match &status.condition {
        Condition::Degraded { reason: why } => {
            let cure = "it recovers by itself; if it doesn't, the worker's log says what to report".to_owned();
            return reason(Code::Degraded, why.clone(), cure);
        }
        Condition::Warming { seen, needed } => {
            let cure =
                format!("wait for {} more windows; min_history sets how many it takes", needed.saturating_sub(*seen));
            return reason(Code::Warming, format!("warming {seen}/{needed}: no alerts yet"), cure);
        }
        _ => {}
    }
    let late = status.lag_ms.filter(|lag| *lag > LATE_MS && status.is_behind)?;
    let cure = "start another worker, or give this one more of a processor".to_owned();
    reason(Code::Lag, format!("its windows are scored {} s after their end", late / 1000), cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected() -> Status {
        let status = Status::default();
        status.redis(|redis| {
            redis.connected = true;
            redis.has_module = Some(true);
        });
        status
    }

    fn codes(status: &Status) -> (bool, Vec<&'static str>) {
        let report = Report::of(status);
        (report.ready, report.reasons.iter().map(|reason| reason.code.as_str()).collect())
    }

    #[test]
    fn a_worker_is_ready_when_it_has_its_redis_even_if_there_is_nothing_to_score_yet() {
        let status = Status::default();
        assert_eq!(codes(&status), (false, vec!["starting"]));
        status.redis(|redis| redis.error = Some("refused".to_owned()));
        assert_eq!(codes(&status), (false, vec!["no_redis"]));
        assert_eq!(codes(&connected()), (true, vec![]));
    }

    #[test]
    fn without_the_module_it_is_ready_only_if_somebody_sends_vectors() {
        let status = connected();
        status.redis(|redis| redis.has_module = Some(false));
        assert_eq!(codes(&status), (false, vec!["no_module"]));
        status.monitor(b"web", |monitor| monitor.condition = Condition::Ready);
        assert_eq!(codes(&status), (true, vec![]));
        status.redis(|redis| redis.error = Some("NOPERM".to_owned()));
        assert_eq!(codes(&status), (false, vec!["redis_refuses"]));
    }

    #[test]
    fn each_monitor_says_why_it_is_silent_and_the_worker_is_at_work_all_the_same() {
        let status = connected();
        status.monitor(b"a", |monitor| monitor.condition = Condition::Warming { seen: 40, needed: 60 });
        status.monitor(b"b", |monitor| monitor.condition = Condition::Degraded { reason: "a fit failed".to_owned() });
        status.monitor(b"c", |monitor| {
            (monitor.condition, monitor.lag_ms, monitor.is_behind) = (Condition::Ready, Some(LATE_MS + 1), true);
        });
        status.monitor(b"d", |monitor| {
            monitor.condition = Condition::Ready;
            monitor.fail("OOM");
        });
        status.monitor(b"e", |monitor| {
            monitor.condition = Condition::Elsewhere;
            monitor.fail("another's");
        });
        status.monitor(b"f", |monitor| (monitor.condition, monitor.lag_ms) = (Condition::Ready, Some(LATE_MS + 1)));
        let report = Report::of(&status);
        let told: Vec<(&str, &str)> =
            report.reasons.iter().map(|reason| (reason.monitor.as_deref().unwrap(), reason.code.as_str())).collect();
        assert!(report.ready);
        assert_eq!(told, [("d", "stuck"), ("c", "lag"), ("a", "warming"), ("b", "degraded")]);
        assert!(report.reasons[2].what.contains("warming 40/60") && report.reasons[2].cure.contains("20 more windows"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["monitors"]["ready"], &json["reasons"][0]["code"]), (&3.into(), &"stuck".into()));
    }

    #[test]
    fn a_sink_that_fails_is_a_reason_until_it_takes_something() {
        let status = connected();
        status.sink("ops", Some("410 Gone"));
        status.sink("mail", Some("timed out"));
        status.sink("mail", None);
        let report = Report::of(&status);
        assert!(report.ready && report.reasons.len() == 1, "{report:?}");
        assert_eq!(report.reasons[0].what, "sink 'ops' doesn't take notifications: 410 Gone");
        status.forget_sinks();
        assert_eq!(codes(&status), (true, vec![]));
    }

    #[test]
    fn a_thousand_reasons_are_told_as_fifty_and_a_number() {
        let status = connected();
        for i in 0..1000 {
            let name = format!("monitor-{i}");
            status.monitor(name.as_bytes(), |monitor| monitor.condition = Condition::Warming { seen: 1, needed: 60 });
        }
        let report = Report::of(&status);
        assert_eq!((report.reasons.len(), report.more_reasons, report.monitors.warming), (50, 950, 1000));
    }

    #[test]
    fn a_loop_that_turned_lately_is_alive() {
        assert!(is_alive(Duration::from_secs(11)) && !is_alive(Duration::from_secs(31)));
    }
}
