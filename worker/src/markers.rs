//! Markers: what people did (a release, a migration), so that an incident can show what came just before it. They stand in
//! one stream for the whole deployment.

use crate::logs::Notice;
use crate::store::connect::Connection;
use eddyline_wire::alert::{Alert, Marker, rfc3339};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::MAX_NAME;
use eddyline_wire::keys::service::MARKERS;
use eddyline_wire::text::utf8;
use redis::RedisResult;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tracing::warn;

/// Longest text, in bytes.
pub const MAX_TEXT: usize = 256;
/// Markers that the stream keeps, that a worker remembers, and that an alert shows (the last ones).
const KEPT: usize = 10_000;
const REMEMBERED: usize = 256;
const SHOWN: usize = 10;
/// Markers so long before the first window of an incident are shown.
const BEFORE_MS: u64 = 30 * 60_000;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Adds a marker, for one monitor or for all; its id in the stream.
///
/// # Errors
/// Trouble with Redis.
pub async fn add(connection: &mut Connection, text: &str, monitor: Option<&[u8]>) -> RedisResult<String> {
    let mut add = redis::cmd("XADD");
    add.arg(MARKERS).arg("MAXLEN").arg("~").arg(KEPT).arg("*").arg("text").arg(text);
    if let Some(monitor) = monitor {
        add.arg("monitor").arg(monitor);
    }
    add.query_async(connection).await
}

/// The last markers, as this worker knows them.
#[derive(Debug, Default)]
pub struct Markers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    last: EntryId,
    marks: VecDeque<Mark>,
    trouble: Notice,
}

#[derive(Debug)]
struct Mark {
    at_ms: u64,
    monitor: Option<Vec<u8>>,
    text: String,
}

impl Markers {
    /// Reads those that came since the last look. Where that can't be, it is said once and tried again at the next.
    pub async fn look(&self, connection: &mut Connection) {
        let last = self.known(|known| known.last);
        let range = |command: &str, from: String, to: &str| {
            redis::cmd(command).arg(MARKERS).arg(from).arg(to).arg("COUNT").arg(REMEMBERED).to_owned()
        };
        // At first the newest ones, then whatever follows.
        let is_first = last == EntryId::default();
        let command =
            if is_first { range("XREVRANGE", "+".to_owned(), "-") } else { range("XRANGE", format!("({last}"), "+") };
        let read: RedisResult<Vec<(String, Fields)>> = command.query_async(connection).await;
        match read {
            Ok(mut entries) => {
                if is_first {
                    entries.reverse();
                }
                self.known(|known| {
                    let _ = known.trouble.is_over();
                    entries.into_iter().for_each(|(id, fields)| known.hear(&id, fields));
                });
            }
            Err(error) => {
                if self.known(|known| known.trouble.is_news(&error.to_string())) {
                    warn!("deploy markers can't be read, alerts are without them: {error}");
                }
            }
        }
    }

    /// Gives alerts of a monitor the markers that came just before their incidents began, or with their first window.
    pub fn attach(&self, monitor: &[u8], alerts: &mut [Alert]) {
        for alert in alerts {
            let from_ms = alert.since_ms.saturating_sub(BEFORE_MS);
            let during = from_ms..=alert.since_ms.saturating_add(alert.window_ms);
            alert.markers = self.known(|known| {
                let concerns = |mark: &&Mark| mark.monitor.as_deref().is_none_or(|name| name == monitor);
                let marks = known.marks.iter().filter(|mark| during.contains(&mark.at_ms)).filter(concerns);
                let shown: Vec<Marker> =
                    marks.map(|mark| Marker { at: rfc3339(mark.at_ms), text: mark.text.clone() }).collect();
                shown[shown.len().saturating_sub(SHOWN)..].to_vec()
            });
        }
    }

    fn known<T>(&self, of: impl FnOnce(&mut Known) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn hear(&mut self, id: &str, fields: Fields) {
        let Some(id) = EntryId::parse(id.as_bytes()) else { return };
        self.last = id;
        let field = |name: &str| fields.iter().find(|(field, _)| field == name.as_bytes()).map(|(_, value)| value);
        let Some(text) = field("text") else { return };
        let monitor = field("monitor").map(|name| name[..name.len().min(MAX_NAME)].to_vec());
        self.marks.push_back(Mark { at_ms: id.ms, monitor, text: utf8(text, MAX_TEXT) });
        if self.marks.len() > REMEMBERED {
            self.marks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(since_ms: u64) -> Alert {
        let alert: Alert = serde_json::from_str(include_str!("../../crates/wire/fixtures/alert.json")).unwrap();
        Alert { since_ms, window_ms: 5000, ..alert }
    }

    fn shown(markers: &Markers, monitor: &str, since_ms: u64) -> Vec<String> {
        let mut alerts = [alert(since_ms)];
        markers.attach(monitor.as_bytes(), &mut alerts);
        alerts[0].markers.iter().map(|marker| marker.text.clone()).collect()
    }

    fn heard(marks: &[(u64, &str, Option<&str>)]) -> Markers {
        let markers = Markers::default();
        for (at_ms, text, monitor) in marks {
            let mut fields = vec![(b"text".to_vec(), text.as_bytes().to_vec())];
            fields.extend(monitor.map(|name| (b"monitor".to_vec(), name.as_bytes().to_vec())));
            markers.known(|known| known.hear(&format!("{at_ms}-0"), fields));
        }
        markers
    }

    #[test]
    fn an_alert_shows_what_came_in_the_half_hour_before_or_in_its_first_window() {
        let minute = 60_000;
        let markers = heard(&[
            (9 * minute, "too early", None),
            (11 * minute, "pay v1", None),
            (12 * minute, "cart v2", Some("cart")),
            (40 * minute + 4000, "pay v2", Some("shop")),
            (40 * minute + 6000, "too late", None),
        ]);
        assert_eq!(shown(&markers, "shop", 40 * minute), ["pay v1", "pay v2"]);
        assert_eq!(shown(&markers, "cart", 40 * minute), ["pay v1", "cart v2"]);
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered_and_shown() {
        let texts: Vec<String> = (0..1000).map(|i| format!("{i}")).collect();
        let marks: Vec<_> = texts.iter().enumerate().map(|(at, text)| (at as u64 + 1, text.as_str(), None)).collect();
        let markers = heard(&marks);
        assert_eq!(markers.known(|known| known.marks.len()), REMEMBERED);
        assert_eq!(shown(&markers, "shop", 1000).len(), SHOWN);
        assert_eq!(shown(&markers, "shop", 1000)[9], "999");
        let markers = heard(&[(1, &"é".repeat(1000), None)]);
        assert!(shown(&markers, "shop", 1)[0].len() <= MAX_TEXT + 8);
    }
}
