//! The workers as a whole: is one alive, does one notify, do sinks take what they are sent?

use super::clock::Clocks;
use super::code::Code;
use super::finding::{Finding, SERVER};
use super::patient::Patient;
use crate::notify::state::State;
use crate::store::stream::RawEntry;
use eddyline_wire::alert::rfc3339;
use eddyline_wire::keys::service;
use eddyline_wire::text::printable;
use redis::RedisResult;
use std::collections::BTreeMap;

/// A worker that hasn't said so for this long isn't alive, in ms.
const ALIVE_MS: u64 = 5_000;
/// Dead letters are told for an hour, in ms.
const FRESH_MS: u64 = 3_600_000;
/// What wasn't told is told here for a day, in ms.
const DAY_MS: u64 = 86_400_000;
/// Most of them that are counted.
const LETTERS: usize = 1_000;
/// A sink that is this far behind is told, in ms.
const WAITING_MS: u64 = 60_000;

/// The workers at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crew {
    /// Workers that are alive.
    pub alive: usize,
    /// Whether notifying was begun, but nobody does it now.
    pub unnotified: bool,
}

/// Looks at the workers.
///
/// # Errors
/// Trouble with Redis.
pub fn look(patient: &mut Patient, clocks: Option<Clocks>) -> RedisResult<Crew> {
    let since = clocks.map_or(0, |clocks| clocks.server_ms.saturating_sub(ALIVE_MS));
    let alive: Option<usize> = patient.try_ask(redis::cmd("ZCOUNT").arg(service::WORKERS).arg(since).arg("+inf"))?;
    let begun: Option<u8> = patient.try_ask(redis::cmd("EXISTS").arg(service::NOTIFIER))?;
    let held: Option<u8> = patient.try_ask(redis::cmd("EXISTS").arg(service::NOTIFIER_LEASE))?;
    Ok(Crew { alive: alive.unwrap_or(0), unnotified: begun == Some(1) && held == Some(0) })
}

/// What is wrong with workers that were looked at twice, and with the sinks.
///
/// # Errors
/// Trouble with Redis.
pub fn findings(patient: &mut Patient, before: Crew, now: Crew, clocks: Option<Clocks>) -> RedisResult<Vec<Finding>> {
    let mut found = Vec::new();
    if now.alive > 0 && before.unnotified && now.unnotified {
        let what = format!("of {} workers none notifies: incidents are found and nobody is told", now.alive);
        let cure = "look at the workers' logs for 'notif'; a worker takes it over within 5 s of another's end";
        found.push(Finding::problem(Code::NoNotifier, SERVER, what, cure));
    }
    let Some(clocks) = clocks else { return Ok(found) };
    found.extend(untold(patient, clocks)?);
    found.extend(dead_letters(patient, clocks)?);
    found.extend(waiting(patient, clocks)?);
    Ok(found)
}

/// What the budget of the deployment held back within the last day.
fn untold(patient: &mut Patient, clocks: Clocks) -> RedisResult<Option<Finding>> {
    let state: Option<Option<Vec<u8>>> = patient.try_ask(redis::cmd("GET").arg(service::NOTIFIER))?;
    let Some(Ok(State { untold, .. })) = state.flatten().map(|state| State::decode(&state)) else { return Ok(None) };
    let is_old = clocks.server_ms.saturating_sub(untold.last_ms) > DAY_MS;
    Ok((untold.incidents > 0 && !is_old).then(|| {
        let what = format!(
            "the deployment's budget held {} incidents back since {}, the last of monitor '{}': they stand in the monitors' \
             incidents, and nobody was told",
            untold.incidents,
            rfc3339(untold.since_ms),
            printable(untold.monitor.as_bytes(), 128)
        );
        let cure = "raise budget under [notify], or lower the budget of the monitors that open often; docs/notifications.md \
                    says how much passes";
        Finding::advice(Code::HeldByBudget, SERVER, what, cure)
    }))
}

fn dead_letters(patient: &mut Patient, clocks: Clocks) -> RedisResult<Vec<Finding>> {
    let mut range = redis::cmd("XREVRANGE");
    let since = clocks.server_ms.saturating_sub(FRESH_MS);
    range.arg(service::DEAD_LETTERS).arg("+").arg(since).arg("COUNT").arg(LETTERS);
    let letters: Vec<RawEntry> = patient.try_ask(&range)?.unwrap_or_default();
    let mut sinks: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (_, fields) in &letters {
        let text = |name: &str| {
            let pair = fields.as_chunks::<2>().0.iter().find(|[field, _]| field == name.as_bytes());
            pair.map_or_else(|| "?".to_owned(), |[_, value]| printable(value, 256))
        };
        // The newest comes first, and tells why.
        sinks.entry(text("sink")).or_insert_with(|| (0, text("error"))).0 += 1;
    }
    let finding = |(sink, (count, error)): (String, (usize, String))| {
        let what =
            format!("sink '{sink}' didn't take {count} notifications within the last hour, the last because: {error}");
        let cure = format!(
            "eddyline test-sink {sink}; redis-cli XREVRANGE '{}' + - COUNT 10 shows what was lost",
            service::DEAD_LETTERS
        );
        Finding::problem(Code::SinkFailing, SERVER, what, cure)
    };
    Ok(sinks.into_iter().map(finding).collect())
}

fn waiting(patient: &mut Patient, clocks: Clocks) -> RedisResult<Vec<Finding>> {
    let delivered: BTreeMap<String, String> =
        patient.try_ask(redis::cmd("HGETALL").arg(service::DELIVERED))?.unwrap_or_default();
    let mut found = Vec::new();
    for (sink, last) in delivered {
        let mut range = redis::cmd("XRANGE");
        range.arg(service::NOTIFICATIONS).arg(format!("({last}")).arg("+").arg("COUNT").arg(1);
        let next: Vec<RawEntry> = patient.try_ask(&range)?.unwrap_or_default();
        let since = next.first().and_then(|(id, _)| id.split('-').next()?.parse::<u64>().ok());
        let Some(since) = since.filter(|since| clocks.server_ms.saturating_sub(*since) > WAITING_MS) else { continue };
        let sink = printable(sink.as_bytes(), 64);
        let what =
            format!("notifications wait for sink '{sink}' since {}: it fails, or no worker sends", rfc3339(since));
        let cure = format!("eddyline test-sink {sink}; the worker's log says what the receiver answers");
        found.push(Finding::problem(Code::SinkWaiting, SERVER, what, cure));
    }
    Ok(found)
}
