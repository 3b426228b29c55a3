//! `POST /v1/preview`: how often other settings would have fired, by judging the stored windows again.

use super::Reading;
use super::asked::{Body, invalid, monitor};
use super::turn::Turn;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::judging::choices::Choices;
use crate::judging::judge::NamedSchema;
use crate::replay::court::Court;
use crate::replay::incidents::incidents;
use crate::replay::{ReplayError, stored};
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::settings;
use crate::store::stream::RawEntry;
use axum::Json;
use axum::extract::State;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Days that are judged, where the request doesn't say, and at most.
const USUAL_DAYS: f64 = 7.0;
const MOST_DAYS: f64 = 90.0;
const DAY_MS: f64 = 86_400_000.0;
/// Entries read at once, and most bytes of them.
const PAGE: usize = 250;
const MOST_BYTES: usize = 96 << 20;
/// Settings of a request.
const MOST_SETTINGS: usize = 100;
/// Incidents that are told.
const TOLD: usize = 200;
/// Judging may take so long.
const LONGEST: Duration = Duration::from_secs(20);

/// Which settings to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// Name of the monitor.
    monitor: String,
    /// Settings by name, as in `{monitor}:settings` (docs/configuration.md); all others are as they are now.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"budget": 0.5}))]
    settings: BTreeMap<String, Setting>,
    /// Days before now that are judged, as far as their windows are kept.
    #[schema(minimum = 0, maximum = 90, default = 7)]
    days: Option<f64>,
}

/// A setting, as text or as the number that it is.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// As it stands in the hash.
    Text(String),
    /// A number.
    Number(serde_json::Number),
}

impl Setting {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// An incident that there would have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imagined {
    /// Start of its first window, ms since the epoch.
    since_ms: u64,
    /// `warning` or `critical`, at its peak.
    severity: &'static str,
    /// Its highest score.
    score: f64,
    /// One sentence for a person.
    summary: String,
}

/// What would have come of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Previewed {
    /// Windows judged.
    windows: usize,
    /// End of the first of them, ms since the epoch.
    from_ms: Option<u64>,
    /// End of the last.
    to_ms: Option<u64>,
    /// Incidents under these settings.
    alerts: usize,
    /// Incidents under those of now, judged the same way.
    alerts_now: usize,
    /// The newest 200 of the former, oldest first.
    incidents: Vec<Imagined>,
}

/// How often other settings would have fired. The windows that are kept are judged again under these settings, and under
/// those of now, both from a cold start; nothing is changed.
#[utoipa::path(
    post, path = "/v1/preview", tag = "monitors", request_body = Preview,
    responses(
        (status = 200, body = Previewed), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "What stands in Redis for it is none of ours"),
        (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn preview(
    State(reading): State<Reading>,
    Body(asked): Body<Preview>,
) -> Result<Json<Previewed>, Problem> {
    let keys = monitor(&asked.monitor)?;
    let days = asked.days.unwrap_or(USUAL_DAYS);
    if !(days > 0.0 && days <= MOST_DAYS) {
        return Err(invalid("days", "a number above 0, up to 90"));
    }
    let mut connection = reading.connection()?;
    super::known(&mut connection, &keys).await?;
    let now = chosen(&reading, &mut connection, &keys).await?;
    let tried = with(&now, &asked.settings)?;
    let turn = Turn::take(&reading.judging).await?;
    let windows = stored_windows(&mut connection, &keys, (days * DAY_MS) as u64).await?;
    let (deployment, db) = (reading.gateway.deployment.clone(), reading.gateway.link.address().db());
    let judged = turn.think(move || {
        let end = Instant::now() + LONGEST;
        let identity = || crate::judging::identity::Identity {
            deployment: deployment.clone(),
            monitor: keys.monitor().to_vec(),
            db,
        };
        let alerts = judge(Court::new(tried, identity()), &windows, end)?;
        let alerts_now = judge(Court::new(now, identity()), &windows, end)?;
        Ok(told(&windows, &alerts, &alerts_now))
    });
    judged.await?.map(Json)
}

/// What is in force for a monitor.
async fn chosen(reading: &Reading, connection: &mut Connection, keys: &Companions) -> Result<Choices, Problem> {
    // A worker's own settings, which may differ from this process', stand in its checkpoint.
    let mut command = redis::cmd("GETRANGE");
    let bytes: Vec<u8> = command.arg(keys.model()).arg(0).arg(checkpoint::LONGEST).query_async(connection).await?;
    let known = if bytes.is_empty() { None } else { checkpoint::choices(&bytes).ok() };
    let defaults = known.unwrap_or_else(|| reading.gateway.live.borrow().choices.of(keys.monitor()).0);
    Ok(settings::over(&defaults, connection, &keys.settings()).await?)
}

/// The choices with these settings in their place.
fn with(now: &Choices, settings: &BTreeMap<String, Setting>) -> Result<Choices, Problem> {
    if settings.len() > MOST_SETTINGS {
        return Err(invalid("settings", "at most 100"));
    }
    let mut choices = now.clone();
    for (name, setting) in settings {
        let shown = eddyline_wire::text::printable(name.as_bytes(), 64);
        match choices.set(name, &setting.text()) {
            Some(Ok(())) => {}
            Some(Err(why)) => return Err(invalid(&format!("settings.{shown}"), &why)),
            None => {
                let features = Choices::names_of_features().map(|name| format!("{name}:<feature>"));
                let all: Vec<String> = Choices::names().map(str::to_owned).chain(features).collect();
                return Err(invalid(&format!("settings.{shown}"), &format!("isn't one of {}", all.join(", "))));
            }
        }
    }
    Ok(choices)
}

type Windows = Vec<(Fingerprint, Arc<NamedSchema>)>;

/// The windows of so many ms up to the last, oldest first; fewer where they are very large.
async fn stored_windows(connection: &mut Connection, keys: &Companions, span_ms: u64) -> RedisResult<Windows> {
    let (mut entries, mut end, mut bytes): (Vec<RawEntry>, _, usize) = (Vec::new(), "+".to_owned(), 0);
    let mut from_ms = None;
    loop {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(keys.fingerprints()).arg(&end).arg("-").arg("COUNT").arg(PAGE);
        let page: Vec<RawEntry> = command.query_async(connection).await?;
        let is_last = page.len() < PAGE;
        for (id, fields) in page {
            let Some(at) = EntryId::parse(id.as_bytes()) else { continue };
            let from_ms = *from_ms.get_or_insert(at.ms.saturating_sub(span_ms));
            bytes += fields.iter().map(Vec::len).sum::<usize>();
            if at.ms <= from_ms || bytes > MOST_BYTES {
                return windows(connection, keys, entries).await;
            }
            entries.push((id, fields));
        }
        match entries.last() {
            Some((last, _)) if !is_last => end = format!("({last}"),
            _ => return windows(connection, keys, entries).await,
        }
    }
}

async fn windows(connection: &mut Connection, keys: &Companions, mut entries: Vec<RawEntry>) -> RedisResult<Windows> {
    entries.reverse();
    let records: BTreeMap<String, Vec<u8>> = redis::cmd("HGETALL").arg(keys.schemas()).query_async(connection).await?;
    let reader = super::values::reader(connection, keys, &entries).await?;
    stored::windows(&entries, records, reader)
}

fn judge(mut court: Court, windows: &Windows, end: Instant) -> Result<Vec<Alert>, Problem> {
    for (fingerprint, schema) in windows {
        if Instant::now() > end {
            let message =
                format!("{} windows can't be judged in {} s: ask for fewer days", windows.len(), LONGEST.as_secs());
            return Err(Problem::new(Code::Timeout, message));
        }
        court
            .hear(fingerprint, schema)
            .map_err(|error: ReplayError| Problem::new(Code::Conflict, error.to_string()))?;
    }
    Ok(court.outcome.alerts)
}

fn told(windows: &Windows, alerts: &[Alert], alerts_now: &[Alert]) -> Previewed {
    let all = incidents(alerts);
    let newest = all.iter().skip(all.len().saturating_sub(TOLD));
    let imagined = newest.map(|incident| Imagined {
        since_ms: incident.peak.since_ms,
        severity: incident.peak.severity.as_str(),
        score: incident.peak.score,
        summary: incident.peak.summary.clone(),
    });
    Previewed {
        windows: windows.len(),
        from_ms: windows.first().map(|(window, _)| window.end_ms),
        to_ms: windows.last().map(|(window, _)| window.end_ms),
        incidents: imagined.collect(),
        alerts: all.len(),
        alerts_now: incidents(alerts_now).len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(json: &str) -> Result<Choices, Problem> {
        with(&Choices::default(), &serde_json::from_str(json).unwrap())
    }

    #[test]
    fn settings_are_numbers_or_text_and_what_is_wrong_is_named() {
        let choices = tried(r#"{"budget": 0.5, "quiet_after": "20", "direction:count": "up"}"#).unwrap();
        assert_eq!((choices.budget_per_day, choices.quiet_after), (0.5, 20));
        assert_eq!(choices.controls.limits.len(), 1);
        let refused = |json| tried(json).unwrap_err().message;
        assert_eq!(refused(r#"{"budget": -1}"#), "settings.budget: a number above 0 and at most 10000");
        assert!(refused(r#"{"sensitivity": 3}"#).starts_with("settings.sensitivity: isn't one of budget, min_history"));
    }
}
