//! The message about an incident: the JSON that is published on `eddyline:alerts` and kept in `{monitor}:incidents`.
//!
//! The entry in the stream has the fields `event`, `incident` and `alert` (this JSON) and the id `<window end ms>-<n>`,
//! which the JSON repeats as `entry`: who hears the message finds the truth there.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Version of the message's shape. New fields don't raise it; readers ignore what they don't know.
pub const VERSION: u32 = 1;

/// What happened to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It began.
    Opened,
    /// A new peak or a new cause.
    Updated,
    /// It is over.
    Resolved,
}

impl Event {
    /// The word that stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Resolved => "resolved",
        }
    }
}

/// A band of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Score from 0.5.
    Warning,
    /// Score from 0.75.
    Critical,
}

impl Severity {
    /// As it stands in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Which way a feature left its band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More than expected.
    Up,
    /// Less than expected.
    Down,
}

/// One reason for the score, largest share first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of thing it is: `latency`, `error burst`, `vanished`, `new item`, …
    pub kind: String,
    /// The feature, as `EDDY.SCHEMA` names its block.
    pub feature: String,
    /// The feature in words, with the item's name where it is known.
    pub what: String,
    /// Which way it left its band.
    pub direction: Direction,
    /// What was expected, in the feature's unit (calls for counts).
    pub expected: f64,
    /// Lower end of what is ordinary.
    pub low: f64,
    /// Upper end of what is ordinary.
    pub high: f64,
    /// What was observed.
    pub observed: f64,
    /// Share of the score, 0 to 1.
    pub share: f64,
    /// Items behind it, largest first.
    pub items: Vec<CauseItem>,
}

/// An item behind a cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseItem {
    /// The item's text.
    pub item: String,
    /// Its observations in the window.
    pub count: u64,
}

/// Something that people did, such as a release, shortly before an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What, in their words.
    pub text: String,
}

/// The message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// [`VERSION`].
    pub v: u32,
    /// What happened.
    pub event: Event,
    /// Id of the incident: the same on every retry, different in another deployment, monitor or database.
    pub incident: String,
    /// Name of the monitor.
    pub monitor: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Number of the database.
    pub db: u32,
    /// Severity at the peak so far.
    pub severity: Severity,
    /// Highest score so far, 0.5 to 1.
    pub score: f64,
    /// The `p` of that window.
    pub p: f64,
    /// How rare that is, in words.
    pub rarity: String,
    /// One sentence for a person.
    pub summary: String,
    /// Start of the first anomalous window, RFC 3339 in UTC.
    pub since: String,
    /// The same in ms since the epoch.
    pub since_ms: u64,
    /// End of the window this message is about, ms since the epoch.
    pub window_end_ms: u64,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// Windows from the first to this one.
    pub windows: u64,
    /// Why: expected against observed, and the items behind it.
    pub causes: Vec<Cause>,
    /// What people did in the half hour before the first window, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub markers: Vec<Marker>,
    /// Why it was resolved; only with `resolved`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Id of the entry in `{monitor}:incidents`.
    pub entry: String,
}

impl Alert {
    /// Whether its incident is open after it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.event != Event::Resolved
    }

    /// The JSON text. Numbers print so that they read back to the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and finite numbers always serialise")
    }
}

/// `ms` since the epoch as RFC 3339 in UTC with milliseconds, such as `2026-11-20T09:30:05.000Z`.
#[must_use]
pub fn rfc3339(ms: u64) -> String {
    let nanos = i128::from(ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|instant| instant.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../fixtures/alert.json");

    #[test]
    fn the_message_has_its_golden_text() {
        let alert = Alert {
            v: VERSION,
            event: Event::Opened,
            incident: "5b1f2c9a7e3d4860".to_owned(),
            monitor: "checkout".to_owned(),
            deployment: "production".to_owned(),
            db: 0,
            severity: Severity::Critical,
            score: 0.875,
            p: 2.5e-8,
            rarity: "about once in 4 days".to_owned(),
            summary: "latency of pay is above usual".to_owned(),
            since: rfc3339(1_795_166_100_000),
            since_ms: 1_795_166_100_000,
            window_end_ms: 1_795_166_105_000,
            window_ms: 5000,
            windows: 1,
            causes: vec![Cause {
                kind: "latency".to_owned(),
                feature: "peer*latency_ms".to_owned(),
                what: "pay at 256–1024 ms".to_owned(),
                direction: Direction::Up,
                expected: 0.25,
                low: 0.0,
                high: 2.0,
                observed: 41.0,
                share: 0.75,
                items: vec![CauseItem { item: "pay".to_owned(), count: 118 }],
            }],
            markers: vec![],
            reason: None,
            entry: "1795166105000-0".to_owned(),
        };
        assert_eq!(alert.to_json(), GOLDEN.trim());
        assert_eq!(serde_json::from_str::<Alert>(GOLDEN).unwrap(), alert);
        let marker = Marker { at: rfc3339(1_795_165_000_000), text: "pay v1.2.3".to_owned() };
        let marked = Alert { markers: vec![marker], ..alert };
        assert!(marked.to_json().contains(r#""markers":[{"at":"2026-11-20T08:56:40Z","text":"pay v1.2.3"}]"#));
        assert_eq!(serde_json::from_str::<Alert>(&marked.to_json()).unwrap(), marked);
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_661_140_339_209), "2022-08-22T03:52:19.209Z");
        assert_eq!(rfc3339(u64::MAX), "18446744073709551615 ms");
    }
}
