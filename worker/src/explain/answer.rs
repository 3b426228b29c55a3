//! The answer: what was judged, on what basis, and what stands in the streams about it.

use super::ExplainError;
use super::past::{Basis, Past, nobody};
use super::picture::Glimpse;
use super::which::{self, Which};
use super::why::{Facts, Why, how_often, reasons};
use crate::judging::choices::Choices;
use crate::judging::results::results;
use crate::store::connect::Connection;
use crate::store::stream::{self, RawEntry};
use eddyline_detect::{Cause, Direction, Severity};
use eddyline_wire::alert::{Alert, CauseItem, rfc3339};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::score::{Score, State};
use eddyline_wire::text::utf8;
use redis::RedisResult;
use serde::{Serialize, Serializer};

/// Most features told.
const FEATURES: usize = 64;
/// Most messages about one window.
const ALERTS: usize = 16;

/// The window that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// Id of its fingerprint.
    pub id: String,
    /// When it began, RFC 3339.
    pub start: String,
    /// When it ended, RFC 3339.
    pub end: String,
    /// Its length in ms; 0 where it can't be read.
    pub window_ms: u64,
    /// Observations in it.
    pub n: u64,
    /// Time before it of which nothing is known, in ms.
    pub gap_ms: u64,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// `ready`, `warming 40/60`, `unreadable`, `partial` or `excluded`.
    #[serde(serialize_with = "shown")]
    pub state: State,
    /// 0 ordinary, 0.5 the alert line, 1 as rare as can be told.
    pub score: f64,
    /// Estimated chance that an ordinary recent window scores as high.
    pub p: f64,
    /// The band of the score, from 0.5.
    pub severity: Option<&'static str>,
    /// The control that held it back.
    pub held: Option<String>,
    /// Windows before it that were trimmed from the stream before a worker read them.
    pub missed: u64,
    /// The incident it belongs to, where that is known.
    pub incident: Option<String>,
}

fn shown<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(state)
}

impl From<&Score> for Judgement {
    fn from(score: &Score) -> Self {
        let severity = Severity::of(score.score).map(|severity| match severity {
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        });
        let Score { score, p, state, incident, held, missed } = score.clone();
        Self { state, score, p, severity, held, missed, incident }
    }
}

/// A feature, against what was expected of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Feature {
    /// Share of the surprise, 0 to 1.
    pub share: f64,
    /// The feature or block, as `EDDY.SCHEMA` names it.
    pub feature: String,
    /// The same in words, with the item where it is known.
    pub what: String,
    /// What kind of deviation it would be.
    pub kind: String,
    /// `up` or `down`.
    pub direction: &'static str,
    /// What was observed.
    pub observed: f64,
    /// What was expected.
    pub expected: f64,
    /// Lower end of what is ordinary.
    pub low: f64,
    /// Upper end of what is ordinary.
    pub high: f64,
    /// Windows that these are summed over: more than one where traffic is thin.
    pub windows: u32,
    /// Items behind it, largest first.
    pub items: Vec<CauseItem>,
}

impl From<Cause> for Feature {
    fn from(cause: Cause) -> Self {
        let Cause { kind, feature, what, direction, expected, low, high, observed, windows, share, items } = cause;
        let direction = if direction == Direction::Up { "up" } else { "down" };
        let items = items.into_iter().map(|item| CauseItem { item: item.item, count: item.count }).collect();
        Self { share, feature, what, kind: kind.to_string(), direction, observed, expected, low, high, windows, items }
    }
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The monitor's name.
    pub monitor: String,
    /// The window.
    pub window: Window,
    /// Why it alerted or didn't.
    pub why: Vec<Why>,
    /// What it is worth, judged now.
    pub judged: Judgement,
    /// The `p` at the alert line.
    pub p_alert: Option<f64>,
    /// How often a window like this, and one at the alert line, comes about.
    pub how_often: Option<(String, String)>,
    /// What stands in the scores.
    pub recorded: Option<Judgement>,
    /// Messages that were written with it.
    pub alerts: Vec<Alert>,
    /// Every feature that has a share, largest first, at most 64.
    pub features: Vec<Feature>,
    /// The windows up to this one.
    pub recent: Vec<Glimpse>,
    /// What was known before.
    pub basis: Basis,
}

/// Finds the window, learns what was known before it and judges it again: under these choices of the operator, with the
/// monitor's own settings over them, or else under those that the last checkpoint was written with.
///
/// # Errors
/// See [`ExplainError`].
pub async fn find_as_chosen(
    connection: &mut Connection,
    keys: &Companions,
    which: Which,
    chosen: Option<&Choices>,
) -> Result<Answer, ExplainError> {
    let raw = which::entry(connection, keys, which).await?;
    let none = || ExplainError::NoWindow(format!("'{}' isn't the id of an entry", raw.0));
    let id = EntryId::parse(raw.0.as_bytes()).ok_or_else(none)?;
    let mut past = Past::before(connection, keys, id, chosen).await?;
    let entry = past.read(connection, keys, std::slice::from_ref(&raw)).await?.pop().ok_or_else(none)?;
    let recorded = recorded(connection, keys, id).await?;
    let alerts = alerts(connection, keys, id.ms).await?;

    let mut window = Window { id: raw.0, start: rfc3339(id.ms), end: rfc3339(id.ms), window_ms: 0, n: 0, gap_ms: 0 };
    let mut features = Vec::new();
    let judged = entry.fingerprint.and_then(|fingerprint| {
        (window.n, window.gap_ms) = (fingerprint.n, fingerprint.gap_ms);
        let schema = past.schemas.get(&fingerprint.schema).ok_or("its schema isn't known")?;
        window.window_ms = schema.record.window_ms;
        window.start = rfc3339(id.ms.saturating_sub(window.window_ms));
        let judged = results(&mut past.judge, None, &nobody(), &fingerprint, schema);
        let (score, _) = judged.map_err(|error| error.to_string())?;
        features = past.judge.explain(&fingerprint, FEATURES);
        Ok(score)
    });
    if let Which::At(ms) = which
        && ms < id.ms.saturating_sub(window.window_ms)
    {
        let what = format!("no window holds {}: the next is {}, from {} on", rfc3339(ms), window.id, window.start);
        return Err(ExplainError::NoWindow(what));
    }
    let unreadable = judged.as_ref().err().cloned();
    let score = judged.unwrap_or_else(|_: String| Score::not_judged(State::Unreadable));
    past.glimpse(id.ms, Some(&score));
    let p_alert = past.judge.p_alert();
    let window_ms = window.window_ms;
    let seen = past.judge.series().map_or(0, |series| series.pipeline.seen());
    let facts = Facts {
        score: &score,
        p_alert,
        window_ms,
        seen,
        unreadable: unreadable.as_deref(),
        recorded: recorded.as_ref(),
        alerts: &alerts,
    };
    let why = reasons(&facts);
    let how_often = p_alert
        .filter(|_| score.state == State::Ready)
        .map(|line| (how_often(score.p, window_ms, Some(seen)), how_often(line, window_ms, None)));
    // The name under which people know the incident stands in the scores only.
    let known = recorded.as_ref().and_then(|recorded| recorded.incident.clone());
    let judged = Judgement { incident: known, ..Judgement::from(&score) };
    Ok(Answer {
        monitor: utf8(keys.monitor(), eddyline_wire::keys::MAX_NAME),
        window,
        why,
        judged,
        p_alert,
        how_often,
        recorded: recorded.as_ref().map(Judgement::from),
        alerts,
        features: features.into_iter().map(Feature::from).collect(),
        recent: past.recent.into(),
        basis: past.basis,
    })
}

async fn recorded(connection: &mut Connection, keys: &Companions, id: EntryId) -> RedisResult<Option<Score>> {
    let id = id.to_string();
    let page: Vec<RawEntry> = redis::cmd("XRANGE").arg(keys.scores()).arg(&id).arg(&id).query_async(connection).await?;
    Ok(page.first().and_then(|(_, fields)| stream::score(fields)))
}

async fn alerts(connection: &mut Connection, keys: &Companions, end_ms: u64) -> RedisResult<Vec<Alert>> {
    let mut range = redis::cmd("XRANGE");
    range.arg(keys.incidents()).arg(end_ms).arg(end_ms).arg("COUNT").arg(ALERTS);
    let page: Vec<RawEntry> = range.query_async(connection).await?;
    Ok(page.iter().filter_map(|(_, fields)| stream::alert(fields)).collect())
}
