//! Samples of metrics become vectors: those of one instance's window are gathered in Redis by one script, which writes the
//! vector when the window is over. The same samples again change nothing.

use super::Gateway;
use super::errors::Problem;
use super::link::Current;
use super::outcome::refusal;
use crate::observe::names;
use crate::store::connect::is_lost;
use eddyline_intake::samples::{Sample, Samples};
use eddyline_wire::keys::{Companions, service};
use redis::{RedisError, RedisResult, Script};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tracing::warn;

/// A vector a minute, as exporters send by default; a monitor's `period_ms` says otherwise.
pub(super) const PERIOD_MS: u64 = 60_000;
/// A window waits at most so long for samples that come later than those of the next.
const PATIENCE_MS: u64 = 10_000;
/// Features of a monitor: the first ones stay.
const MOST_FEATURES: usize = 64;
/// Series that become a monitor's features.
const MOST_SERIES: usize = 2048;
/// Features that come about later are none: a new one begins a new baseline.
const SETTLED: usize = 10;
/// Vectors kept.
pub(super) const RETENTION: usize = 20_000;
/// What is gathered goes when nothing comes any more.
const KEPT: Duration = Duration::from_secs(86_400);
/// Instances at once, in all of Redis.
const MOST_INSTANCES: usize = 1000;
/// An instance is heard of this often.
const HEARD: Duration = Duration::from_secs(600);
/// Samples of one call, which holds the server.
const AT_ONCE: usize = 1000;

static GATHER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("gather.lua")));
static INSTANCES: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("instances.lua")));

/// What is known of an instance here.
#[derive(Debug)]
struct Known {
    heard: Instant,
    was_told: bool,
}

/// The instances that this gateway heard of.
#[derive(Debug, Default)]
pub(super) struct Instances(Mutex<BTreeMap<String, Known>>);

/// The time, in milliseconds since the epoch.
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

/// Gathers them; how many samples there is no room for, since there are too many instances.
///
/// # Errors
/// Redis refuses or is gone. Sending the same again is safe.
pub(super) async fn gather(gateway: &Gateway, samples: Samples) -> Result<usize, Problem> {
    let mut current = gateway.link.current()?;
    let mut left_out = 0;
    for (monitor, samples) in samples.by_monitor {
        // Parts of the name are short and have no braces.
        let Ok(keys) = Companions::of(monitor.as_bytes()) else { continue };
        let refused = |error: RedisError, current: &Current| {
            gateway.link.reporter().report(current.number, &error);
            let is_gone = is_lost(&error) && Problem::forbidden(&error).is_none();
            if is_gone { Problem::unavailable() } else { refusal(&monitor, &error) }
        };
        if !is_let_in(gateway, &monitor, &mut current).await.map_err(|error| refused(error, &current))? {
            warn!(monitor, "samples of more than {MOST_INSTANCES} instances a day aren't taken");
            left_out += samples.len();
            count(samples.len(), "instance");
            continue;
        }
        let mut no_feature = 0;
        for samples in samples.chunks(AT_ONCE) {
            let reply: RedisResult<(usize, usize, usize, usize)> =
                call(&keys, &monitor, samples).invoke_async(&mut current.connection).await;
            let (late, feature, series, _) = reply.map_err(|error| refused(error, &current))?;
            count(late, "late");
            count(feature, "feature");
            count(series, "series");
            no_feature += feature + series;
        }
        if no_feature > 0 {
            gateway.instances.tell(&monitor);
        }
    }
    Ok(left_out)
}

fn call<'a>(keys: &Companions, monitor: &str, samples: &[Sample]) -> redis::ScriptInvocation<'a> {
    let mut call = GATHER.prepare_invoke();
    call.key(keys.gathering()).key(keys.fingerprints()).key(keys.settings());
    call.arg(PERIOD_MS).arg(PATIENCE_MS).arg(MOST_FEATURES).arg(MOST_SERIES).arg(SETTLED).arg(RETENTION);
    call.arg(monitor).arg(KEPT.as_millis() as u64);
    for Sample { feature, series, kind, time_ms, value } in samples {
        call.arg(feature)
            .arg(kind.letter().to_string())
            .arg(format!("{series:016x}"))
            .arg(time_ms)
            .arg(value.to_string());
    }
    call
}

fn count(samples: usize, reason: &'static str) {
    metrics::counter!(names::HTTP_LEFT_OUT, "reason" => reason).increment(samples as u64);
}

/// Whether there may be vectors of it.
async fn is_let_in(gateway: &Gateway, monitor: &str, current: &mut Current) -> RedisResult<bool> {
    if gateway.instances.is_known(monitor) {
        return Ok(true);
    }
    let mut call = INSTANCES.key(service::INSTANCES);
    call.arg(monitor).arg(now_ms()).arg(KEPT.as_millis() as u64).arg(MOST_INSTANCES);
    let is_in: bool = call.invoke_async(&mut current.connection).await?;
    if is_in {
        gateway.instances.hear(monitor);
    }
    Ok(is_in)
}

impl Instances {
    fn is_known(&self, monitor: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(monitor).is_some_and(|known| known.heard.elapsed() < HEARD)
    }

    fn hear(&self, monitor: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_told = known.get(monitor).is_some_and(|known| known.was_told);
        if known.len() >= MOST_INSTANCES {
            known.retain(|_, known| known.heard.elapsed() < HEARD);
        }
        known.insert(monitor.to_owned(), Known { heard: Instant::now(), was_told });
    }

    /// Once for each.
    fn tell(&self, monitor: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.get_mut(monitor).filter(|known| !known.was_told) else { return };
        known.was_told = true;
        warn!(
            monitor,
            "it has more than {MOST_FEATURES} features, {MOST_SERIES} series, or features that came late: the first ones \
             stay, eddyline_http_samples_left_out_total counts the others"
        );
    }
}
