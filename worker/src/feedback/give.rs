//! Giving feedback and taking it back.

use super::find;
use super::record::{FIELD, Record, Said, What};
use crate::store::connect::Connection;
use eddyline_wire::alert::rfc3339;
use eddyline_wire::keys::Companions;
use eddyline_wire::keys::service::AUDIT;
use eddyline_wire::text::printable;
use redis::{RedisError, RedisResult};

const SCRIPT: &str = include_str!("give.lua");
/// Entries of the audit that are kept.
const AUDITED: usize = 10_000;
/// Longest time for which something can be snoozed.
pub const LONGEST_SNOOZE_MS: u64 = 30 * 86_400_000;
/// How often it is looked again when somebody else is faster.
const TRIES: usize = 20;

/// Feedback that somebody gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Id of the incident.
    pub incident: String,
    /// What they say.
    pub word: Word,
    /// Who.
    pub by: String,
    /// The monitor, where it is known; else it is looked for.
    pub monitor: Option<Companions>,
}

/// What they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The like of it is normal.
    Normal,
    /// It is an anomaly.
    Anomaly,
    /// Not for so many milliseconds.
    Snooze(u64),
    /// What was said last of it is taken back.
    Undo,
}

/// Feedback that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Name of the monitor.
    pub monitor: String,
    /// What was said, or taken back.
    pub said: Said,
}

/// Why no feedback was given.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// No stream has it.
    #[error(
        "no monitor of this database has an incident '{0}': the id stands in every alert and in {{monitor}}:incidents"
    )]
    NoSuchIncident(String),
    /// There is nothing to take back.
    #[error("nothing is in force that was said of incident '{0}'; 'eddyline feedback --list' shows what is")]
    NothingSaid(String),
    /// Too much was said.
    #[error("monitor '{0}' has 64 pieces of feedback in force, the most there can be: take some back with undo")]
    Full(String),
    /// Somebody wrote there by hand.
    #[error("what was said before can't be read and isn't overwritten ({1}); HDEL '{0}' feedback removes it")]
    Unreadable(String, String),
    /// Others are faster each time.
    #[error("others gave feedback at the same moment, {TRIES} times: try again")]
    Restless,
    /// It is in force, but nobody can read who gave it.
    #[error("the feedback is in force, but wasn't audited: {0}")]
    NotAudited(RedisError),
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// Gives feedback on an incident. Workers act on it within two seconds.
///
/// # Errors
/// See [`FeedbackError`].
pub async fn give(connection: &mut Connection, request: &Request) -> Result<Given, FeedbackError> {
    match request.word {
        Word::Undo => take_back(connection, request).await,
        Word::Normal | Word::Anomaly | Word::Snooze(_) => add(connection, request).await,
    }
}

/// What is in force, by monitor.
///
/// # Errors
/// Feedback that can't be read, or trouble with Redis.
pub async fn list(
    connection: &mut Connection,
    monitor: Option<&Companions>,
) -> Result<Vec<(Companions, Vec<Said>)>, FeedbackError> {
    let now_ms = now_ms(connection).await?;
    let monitors = match monitor {
        Some(monitor) => vec![monitor.clone()],
        None => find::monitors_with(connection, "settings", Companions::settings).await?,
    };
    let mut all = Vec::new();
    for monitor in monitors {
        let said: Vec<Said> = read(connection, &monitor).await?.1.in_force(now_ms).cloned().collect();
        if !said.is_empty() {
            all.push((monitor, said));
        }
    }
    Ok(all)
}

async fn add(connection: &mut Connection, request: &Request) -> Result<Given, FeedbackError> {
    let monitors = match &request.monitor {
        Some(monitor) => vec![monitor.clone()],
        None => find::monitors_with(connection, "incidents", Companions::incidents).await?,
    };
    let mut found = None;
    for monitor in monitors {
        if let Some(alert) = find::of_monitor(connection, &monitor, &request.incident).await? {
            found = Some((monitor, alert));
            break;
        }
    }
    let (monitor, alert) = found.ok_or_else(|| FeedbackError::NoSuchIncident(request.incident.clone()))?;
    for _ in 0..TRIES {
        let now_ms = now_ms(connection).await?;
        let (before, mut record) = read(connection, &monitor).await?;
        let what = match request.word {
            Word::Snooze(ms) => What::Snooze { until_ms: now_ms.saturating_add(ms) },
            Word::Anomaly => What::Anomaly,
            Word::Normal | Word::Undo => What::Normal,
        };
        let said = Said::of(&alert, what, request.by.clone(), now_ms);
        if !record.add(said.clone(), now_ms) {
            return Err(FeedbackError::Full(shown(&monitor)));
        }
        if write(connection, &monitor, &before, &record, &audit(&monitor, request, what, "")).await? {
            return Ok(Given { monitor: shown(&monitor), said });
        }
    }
    Err(FeedbackError::Restless)
}

async fn take_back(connection: &mut Connection, request: &Request) -> Result<Given, FeedbackError> {
    let monitors = match &request.monitor {
        Some(monitor) => vec![monitor.clone()],
        None => find::monitors_with(connection, "settings", Companions::settings).await?,
    };
    for monitor in monitors {
        for _ in 0..TRIES {
            let (before, mut record) = read(connection, &monitor).await?;
            let Some(said) = record.take_back(&request.incident) else { break };
            if write(connection, &monitor, &before, &record, &audit(&monitor, request, said.what, "undo ")).await? {
                return Ok(Given { monitor: shown(&monitor), said });
            }
        }
    }
    Err(FeedbackError::NothingSaid(request.incident.clone()))
}

/// The field as it stands, and what it says.
async fn read(connection: &mut Connection, monitor: &Companions) -> Result<(Vec<u8>, Record), FeedbackError> {
    let settings = monitor.settings();
    let text: Option<Vec<u8>> = match redis::cmd("HGET").arg(&settings).arg(FIELD).query_async(connection).await {
        // Somebody else's key that is called like ours.
        Err(error) if error.code() == Some("WRONGTYPE") => None,
        text => text?,
    };
    let text = text.unwrap_or_default();
    let unreadable = |why| FeedbackError::Unreadable(printable(&settings, 256), why);
    let record = if text.is_empty() { Record::default() } else { Record::parse(&text).map_err(unreadable)? };
    Ok((text, record))
}

fn audit(monitor: &Companions, request: &Request, what: What, undo: &str) -> Vec<(&'static str, String)> {
    let until = match what {
        What::Snooze { until_ms } => format!(" until {}", rfc3339(until_ms)),
        What::Normal | What::Anomaly => String::new(),
    };
    let what = format!("{undo}{}{until}", what.word());
    let (incident, by) = (request.incident.clone(), request.by.clone());
    vec![("monitor", shown(monitor)), ("incident", incident), ("what", what), ("by", by)]
}

/// Writes and audits; false where somebody else was faster.
async fn write(
    connection: &mut Connection,
    monitor: &Companions,
    before: &[u8],
    record: &Record,
    audit: &[(&'static str, String)],
) -> Result<bool, FeedbackError> {
    let (settings, after) = (monitor.settings(), record.to_json().unwrap_or_default());
    let call = |keys: &[&[u8]]| {
        let mut call = redis::cmd("EVAL");
        call.arg(SCRIPT).arg(keys.len()).arg(keys).arg(before).arg(&after).arg(FIELD).arg(AUDITED).arg(audit);
        call
    };
    let both: RedisResult<String> = call(&[&settings, AUDIT.as_bytes()]).query_async(connection).await;
    match both {
        // A cluster: they are in different slots, and no script reaches into two.
        Err(error) if error.code() == Some("CROSSSLOT") => {
            let word: String = call(&[&settings]).query_async(connection).await?;
            if word == "OK" {
                let mut add = redis::cmd("XADD");
                add.arg(AUDIT).arg("MAXLEN").arg("~").arg(AUDITED).arg("*").arg(audit);
                add.exec_async(connection).await.map_err(FeedbackError::NotAudited)?;
            }
            Ok(word == "OK")
        }
        word => Ok(word? == "OK"),
    }
}

/// The server's time, ms since the epoch.
async fn now_ms(connection: &mut Connection) -> RedisResult<u64> {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(connection).await?;
    Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
}

fn shown(monitor: &Companions) -> String {
    printable(monitor.monitor(), 1024)
}
