//! A monitor at a glance: what stands in Redis about it, read with as few questions as there can be.

use super::scored::{self, Order, ScoreBody, Scored};
use crate::store::connect::{Connection, is_lost};
use crate::store::search::is_forbidden;
use crate::store::stream::{self, RawEntry};
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::Schema;
use eddyline_wire::score::State as Judged;
use eddyline_wire::text::utf8;
use eddyline_wire::vector::{self, PERIOD};
use redis::{FromRedisValue, RedisResult, Value};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Windows that are shown.
pub const RECENT: usize = 60;
/// The rate is that of so long.
const RATE_MS: u64 = 60_000;
/// Longest reason that is told.
const REASON: usize = 512;

/// Who counts for a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The module.
    Module,
    /// A worker.
    Counted,
    /// Somebody else, who sends vectors.
    Vectors,
}

/// What a monitor is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It finds out which fields there are.
    Learning,
    /// It learns what is ordinary: no alerts yet.
    Warming,
    /// At work.
    Ready,
    /// At work with less than its best.
    Degraded,
    /// Nothing is counted.
    Paused,
    /// No worker scores it.
    Unscored,
}

/// The last window.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Last {
    id: String,
    end_ms: u64,
    n: Option<u64>,
    score: f64,
    p: f64,
    severity: Option<String>,
}

impl From<&ScoreBody> for Last {
    fn from(score: &ScoreBody) -> Self {
        let ScoreBody { id, end_ms, n, score, p, severity, .. } = score.clone();
        Self { id, end_ms, n, score, p, severity }
    }
}

/// The incident that is open.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OpenIncident {
    id: String,
    severity: String,
    summary: String,
    since_ms: u64,
}

impl From<Alert> for OpenIncident {
    fn from(alert: Alert) -> Self {
        let severity = alert.severity.as_str().to_owned();
        Self { id: alert.incident, severity, summary: alert.summary, since_ms: alert.since_ms }
    }
}

/// A monitor at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Monitor)]
pub struct Glance {
    /// Its name.
    pub name: String,
    /// Who counts for it.
    pub kind: Kind,
    /// What it is up to.
    pub state: State,
    /// While it learns fields, observations seen; while warming, windows seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// Of so many needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
    /// Why it is degraded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Length of a window in ms; null where that isn't known yet.
    pub window_ms: Option<u64>,
    /// The last window with a score.
    pub last: Option<Last>,
    /// Observations a second, of the last minute or window; vectors for a monitor of vectors.
    pub rate_per_s: Option<f64>,
    /// Up to 60 windows with a score, oldest first: end in ms, score, observations.
    pub recent: Vec<(u64, f64, Option<u64>)>,
    /// The incident that is open.
    pub incident: Option<OpenIncident>,
}

/// What a glance found, with what details are made of.
#[derive(Debug)]
pub(super) struct Seen {
    pub glance: Glance,
    /// What the module says of it.
    pub info: HashMap<String, Value>,
}

/// Looks at a monitor; none where there is no such one.
pub(super) async fn look(connection: &mut Connection, keys: &Companions) -> RedisResult<Option<Seen>> {
    let mut pipe = redis::pipe();
    pipe.cmd("EDDY.INFO").arg(keys.monitor());
    pipe.cmd("EXISTS").arg(keys.counting());
    pipe.cmd("HGET").arg(keys.settings()).arg(PERIOD);
    pipe.cmd("PTTL").arg(keys.lease());
    pipe.cmd("GET").arg(keys.condition());
    pipe.cmd("XREVRANGE").arg(keys.incidents()).arg("+").arg("-").arg("COUNT").arg(1);
    pipe.add_command(scored::command(keys, Order::NewestFirst, "+", "-", RECENT));
    let replies: Vec<RedisResult<Value>> = pipe.ignore_errors().query_async(connection).await?;
    let [info, counted, period, lease, condition, incident, scores] =
        <[_; 7]>::try_from(replies).expect("as many replies as commands");
    // What another's key holds under such a name is none of ours.
    let info: HashMap<String, Value> = ours(info)?.unwrap_or_default();
    let period: Option<u64> =
        ours::<Option<Vec<u8>>>(period)?.flatten().and_then(|period| vector::period(&period).ok());
    let kind = match (info.is_empty(), ours(counted)? == Some(true), period) {
        (false, ..) => Kind::Module,
        (true, true, _) => Kind::Counted,
        (true, false, Some(_)) => Kind::Vectors,
        (true, false, None) => return Ok(None),
    };
    let window_ms = match kind {
        Kind::Module => text(&info, "window_ms").and_then(|window| window.parse().ok()),
        Kind::Counted => window_of_schema(connection, keys).await?,
        Kind::Vectors => period,
    };
    let incidents: Vec<RawEntry> = ours(incident)?.unwrap_or_default();
    let open = incidents.first().and_then(|(_, fields)| stream::alert(fields)).filter(Alert::is_open);
    let mut scored = Scored::of(ours(scores)?.unwrap_or_default());
    scored.scores.reverse();
    let recent: Vec<ScoreBody> = scored.scores.into_iter().map(|(_, score)| score).collect();
    let reason = ours::<Option<Vec<u8>>>(condition)?.flatten().map(|reason| utf8(&reason, REASON));
    let has_worker = ours::<i64>(lease)?.is_some_and(|left| left != -2);
    let standing = Standing { info: &info, recent: &recent, has_worker, reason };
    let (state, seen, needed, reason) = standing.state();
    let glance = Glance {
        name: utf8(keys.monitor(), eddyline_wire::keys::MAX_NAME),
        kind,
        state,
        seen,
        needed,
        reason,
        window_ms,
        last: recent.last().map(Last::from),
        rate_per_s: window_ms.and_then(|window_ms| rate(&recent, window_ms)),
        recent: recent.iter().map(|score| (score.end_ms, score.score, score.n)).collect(),
        incident: open.map(OpenIncident::from),
    };
    Ok(Some(Seen { glance, info }))
}

/// A reply, unless the server says that there is nothing of ours.
fn ours<T: FromRedisValue>(reply: RedisResult<Value>) -> RedisResult<Option<T>> {
    match reply {
        Ok(value) => Ok(T::from_redis_value(value).ok()),
        Err(error) if is_lost(&error) || is_forbidden(&error) => Err(error),
        Err(error) if error.code().is_some_and(|code| code != "WRONGTYPE" && code != "ERR") => Err(error),
        Err(_) => Ok(None),
    }
}

/// A field of what the module says.
pub(super) fn text(info: &HashMap<String, Value>, field: &str) -> Option<String> {
    info.get(field).and_then(|value| String::from_redis_value_ref(value).ok())
}

/// The schema of the newest fingerprint.
pub(super) async fn newest_schema(connection: &mut Connection, keys: &Companions) -> RedisResult<Option<Schema>> {
    let mut newest = redis::cmd("XREVRANGE");
    newest.arg(keys.fingerprints()).arg("+").arg("-").arg("COUNT").arg(1);
    let page: Vec<RawEntry> = newest.query_async(connection).await?;
    let Some((_, fields)) = page.first() else { return Ok(None) };
    let pair = fields.as_chunks::<2>().0.iter().find(|[field, _]| field == b"schema");
    let Some([_, id]) = pair else { return Ok(None) };
    let json: Option<Vec<u8>> = redis::cmd("HGET").arg(keys.schemas()).arg(id).query_async(connection).await?;
    Ok(json.and_then(|json| Schema::from_json(&json).ok()))
}

async fn window_of_schema(connection: &mut Connection, keys: &Companions) -> RedisResult<Option<u64>> {
    Ok(newest_schema(connection, keys).await?.map(|schema| schema.window_ms))
}

/// What tells a monitor's state.
struct Standing<'a> {
    info: &'a HashMap<String, Value>,
    recent: &'a [ScoreBody],
    has_worker: bool,
    reason: Option<String>,
}

type Told = (State, Option<u64>, Option<u64>, Option<String>);

impl Standing<'_> {
    fn state(self) -> Told {
        let is_paused = text(self.info, "paused").is_some_and(|paused| paused == "yes");
        let learning = text(self.info, "state").and_then(|state| progress(state.strip_prefix("learning ")?));
        // Windows that weren't judged say nothing of the baseline.
        let judged = self.recent.iter().rev().find_map(|score| match score.state.strip_prefix("warming ") {
            Some(warming) => Some(progress(warming)),
            None => (score.state == Judged::Ready.to_string()).then_some(None),
        });
        match (is_paused, learning, self.has_worker, self.reason, judged) {
            (true, ..) => (State::Paused, None, None, None),
            (_, Some((seen, needed)), ..) => (State::Learning, Some(seen), Some(needed), None),
            (_, _, false, ..) => (State::Unscored, None, None, None),
            (_, _, _, Some(reason), _) => (State::Degraded, None, None, Some(reason)),
            (_, _, _, _, Some(Some((seen, needed)))) => (State::Warming, Some(seen), Some(needed), None),
            (_, _, _, _, Some(None)) => (State::Ready, None, None, None),
            // A worker has it, and nothing came yet.
            (_, _, _, _, None) => (State::Warming, None, None, None),
        }
    }
}

fn progress(text: &str) -> Option<(u64, u64)> {
    let (seen, needed) = text.split_once('/')?;
    Some((seen.parse().ok()?, needed.parse().ok()?))
}

/// Observations a second.
fn rate(recent: &[ScoreBody], window_ms: u64) -> Option<f64> {
    let from_ms = recent.last()?.end_ms.saturating_sub(RATE_MS.max(window_ms));
    let counted: Vec<u64> = recent.iter().filter(|score| score.end_ms > from_ms).filter_map(|score| score.n).collect();
    let ms = (counted.len() as u64).saturating_mul(window_ms);
    (ms > 0).then(|| counted.iter().map(|&n| n as f64).sum::<f64>() * 1000.0 / ms as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_wire::command::EntryId;

    fn score(end_ms: u64, state: &str, n: u64) -> ScoreBody {
        let id = EntryId { ms: end_ms, seq: 0 }.to_string();
        let (severity, incident, held) = (None, None, None);
        let state = state.to_owned();
        ScoreBody { id, end_ms, n: Some(n), score: 0.1, p: 0.5, state, severity, incident, held, missed: 0 }
    }

    fn state(info: &[(&str, &str)], recent: &[ScoreBody], has_worker: bool, reason: Option<&str>) -> Told {
        let value = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let info = info.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect();
        Standing { info: &info, recent, has_worker, reason: reason.map(str::to_owned) }.state()
    }

    #[test]
    fn what_keeps_a_monitor_from_alerting_is_told_first() {
        let (ready, warming) = ([score(5, "ready", 1)], [score(5, "warming 3/60", 1)]);
        let counting = [("state", "counting"), ("paused", "no")];
        assert_eq!(state(&[("paused", "yes")], &ready, true, None).0, State::Paused);
        let told = state(&[("state", "learning 7/1000")], &[], true, None);
        assert_eq!(told, (State::Learning, Some(7), Some(1000), None));
        assert_eq!(state(&counting, &ready, false, None).0, State::Unscored);
        let told = state(&counting, &ready, true, Some("robust"));
        assert_eq!(told, (State::Degraded, None, None, Some("robust".to_owned())));
        assert_eq!(state(&counting, &warming, true, None), (State::Warming, Some(3), Some(60), None));
        assert_eq!(state(&counting, &ready, true, None).0, State::Ready);
        assert_eq!(state(&counting, &[], true, None).0, State::Warming);
        let partial = [score(5, "ready", 1), score(6, "partial", 1)];
        assert_eq!(state(&counting, &partial, true, None).0, State::Ready);
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute_or_window() {
        let recent: Vec<ScoreBody> =
            (1..=30).map(|i| score(i * 5000, "ready", if i > 18 { 50 } else { 5000 })).collect();
        assert_eq!(rate(&recent, 5000), Some(10.0));
        assert_eq!(rate(&[score(5_000_000, "ready", 600)], 600_000), Some(1.0));
        assert_eq!(rate(&[], 5000), None);
    }
}
