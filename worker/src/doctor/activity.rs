//! Monitors that are silent though nothing is broken: no events, too little history, a backlog, nothing kept.

use super::clock::Clocks;
use super::code::Code;
use super::finding::Finding;
use super::monitors::Glance;
use super::patient::Patient;
use crate::store::stream::{RawEntry, score};
use eddyline_wire::alert::rfc3339;
use eddyline_wire::keys::Companions;
use eddyline_wire::score::State;
use eddyline_wire::text::printable;
use redis::RedisResult;

/// As long as it may be quiet, in ms.
const QUIET_MS: u64 = 300_000;
/// Fingerprints looked at, back from the newest, for one with observations.
const PAGE: usize = 50;
const PAGES: usize = 40;
/// As far as scores may be behind fingerprints, in ms.
const LATE_MS: u64 = 30_000;
/// As far as a window's end may be ahead of the server's clock, in ms.
const AHEAD_MS: u64 = 60_000;
/// After so many scores a checkpoint was due more than once.
const KEPT_AFTER: u64 = 180;

/// What is the matter with a monitor that was looked at twice.
///
/// # Errors
/// Trouble with Redis.
pub fn findings(
    patient: &mut Patient,
    keys: &Companions,
    before: &Glance,
    now: &Glance,
    clocks: Option<Clocks>,
) -> RedisResult<Vec<Finding>> {
    let name = printable(keys.monitor(), 128);
    let mut found = Vec::new();
    if let Some(progress) = &now.learning {
        let what = format!("it still finds out what to count ({progress} observations): no fingerprints yet");
        let cure = "wait for more observations, or name what to count: EDDY.CREATE … DIMENSIONS, MEASURES, CROSSES";
        found.push(Finding::advice(Code::Learning, &name, what, cure));
    }
    if let (Some(clocks), Some(window_ms)) = (clocks, now.lives_by_the_clock) {
        found.extend(ahead(&name, now, clocks, window_ms));
        if !now.paused {
            found.extend(quiet(patient, keys, &name, now, clocks, window_ms)?);
        }
    }
    let late = now.written.ms.saturating_sub(now.scored.ms);
    if now.scored.ms > 0 && late > LATE_MS && now.scored > before.scored {
        let what = format!("its scores are {} s behind its fingerprints, and getting on", late / 1000);
        let cure = "wait, or start another 'eddyline worker': monitors are shared among all that run";
        found.push(Finding::problem(Code::Lag, &name, what, cure));
    }
    found.extend(knowledge(patient, keys, &name)?);
    Ok(found)
}

fn ahead(name: &str, now: &Glance, clocks: Clocks, window_ms: u64) -> Option<Finding> {
    let ahead = now.written.ms.saturating_sub(clocks.server_ms);
    (ahead > AHEAD_MS.max(2 * window_ms)).then(|| {
        let what = format!(
            "its newest fingerprint ends {} s ahead of the server's clock, at {}: until then no other is written",
            ahead / 1000,
            rfc3339(now.written.ms)
        );
        let cure =
            "a clock was set back, or a sender made up ids: let NTP set clocks; to begin anew, 'eddyline delete'";
        Finding::problem(Code::ClockSkew, name, what, cure)
    })
}

/// Whether nothing was observed for a while.
fn quiet(
    patient: &mut Patient,
    keys: &Companions,
    name: &str,
    now: &Glance,
    clocks: Clocks,
    window_ms: u64,
) -> RedisResult<Option<Finding>> {
    if now.open_observations > 0 || now.waiting > 0 || now.learning.is_some() && now.observations > 0 {
        return Ok(None);
    }
    let longest = QUIET_MS.max(2 * window_ms);
    let last = last_busy(patient, keys, clocks.server_ms.saturating_sub(longest + window_ms))?;
    let quiet = match last {
        Last::Unknown => return Ok(None),
        Last::Busy(ms) if clocks.server_ms.saturating_sub(ms) <= longest => return Ok(None),
        Last::Busy(ms) => format!("since {}", rfc3339(ms)),
        Last::Longer if now.is_counted && now.observations == 0 => "ever".to_owned(),
        Last::Longer => format!("for {} minutes or more", longest / 60_000),
        Last::Never => "ever".to_owned(),
    };
    let stream = printable(&keys.fingerprints(), 128);
    let cure = match (&now.sources[..], now.is_counted) {
        (_, false) => format!("look at who writes XADD {stream}: redis-cli XINFO STREAM {stream} shows the last entry"),
        ([], true) => format!("look at who calls EDDY.OBSERVE {name}: redis-cli EDDY.INFO {name} counts observations"),
        (sources, true) => {
            let (source, name) = (&sources[0], name);
            format!(
                "look at who writes XADD {source}: redis-cli XINFO STREAM {source}; EDDY.INFO {name} says what was left out"
            )
        }
    };
    Ok(Some(Finding::problem(Code::NoEvents, name, format!("no events {quiet}"), cure)))
}

/// The last window with observations.
enum Last {
    Never,
    /// It ended then.
    Busy(u64),
    /// None as far as was looked.
    Longer,
    Unknown,
}

fn last_busy(patient: &mut Patient, keys: &Companions, until_ms: u64) -> RedisResult<Last> {
    let mut from = "+".to_owned();
    for _ in 0..PAGES {
        let mut range = redis::cmd("XREVRANGE");
        range.arg(keys.fingerprints()).arg(&from).arg(until_ms).arg("COUNT").arg(PAGE);
        let Some(page): Option<Vec<RawEntry>> = patient.try_ask(&range)? else { return Ok(Last::Unknown) };
        let ms = |id: &str| id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(0);
        if let Some((id, _)) = page.iter().find(|(_, fields)| is_busy(fields)) {
            return Ok(Last::Busy(ms(id)));
        }
        match page.last() {
            Some((id, _)) if page.len() == PAGE => from = format!("({id}"),
            _ => {
                let newest: Option<Vec<RawEntry>> = patient
                    .try_ask(redis::cmd("XREVRANGE").arg(keys.fingerprints()).arg("+").arg("-").arg("COUNT").arg(1))?;
                return Ok(match newest.unwrap_or_default().first() {
                    None => Last::Never,
                    Some((id, fields)) if is_busy(fields) => Last::Busy(ms(id)),
                    Some(_) => Last::Longer,
                });
            }
        }
    }
    Ok(Last::Unknown)
}

/// A vector is there because somebody sent it; a fingerprint says how many observations it has.
fn is_busy(fields: &[Vec<u8>]) -> bool {
    fields.as_chunks::<2>().0.iter().find(|[field, _]| field == b"n").is_none_or(|[_, n]| n != b"0")
}

/// Whether enough is known to alert, and kept.
fn knowledge(patient: &mut Patient, keys: &Companions, name: &str) -> RedisResult<Option<Finding>> {
    let mut newest = redis::cmd("XREVRANGE");
    newest.arg(keys.scores()).arg("+").arg("-").arg("COUNT").arg(1);
    let newest: Option<Vec<RawEntry>> = patient.try_ask(&newest)?;
    let Some(score) = newest.unwrap_or_default().first().and_then(|(_, fields)| score(fields)) else { return Ok(None) };
    if let State::Warming { seen, needed } = score.state {
        let what = format!("warming {seen}/{needed}: no alerts before it knows {needed} windows");
        let fewer = format!("redis-cli HSET {} min_history 20", printable(&keys.settings(), 128));
        let cure = format!("wait for {} more; fewer (at least 20) with {fewer}", needed.saturating_sub(seen));
        return Ok(Some(Finding::advice(Code::Warming, name, what, cure)));
    }
    let scores: u64 = patient.try_ask(redis::cmd("XLEN").arg(keys.scores()))?.unwrap_or(0);
    let model: Option<String> = patient.try_ask(redis::cmd("TYPE").arg(keys.model()))?;
    Ok((scores >= KEPT_AFTER && model.as_deref() == Some("none")).then(|| {
        let what = "nothing that was learnt is kept: a worker that takes it over learns from the stream again";
        let cure = format!(
            "redis-cli --bigkeys and the worker's log say whether {} was deleted, evicted or refused",
            printable(&keys.model(), 128)
        );
        Finding::advice(Code::ModelMissing, name, what, cure)
    }))
}
