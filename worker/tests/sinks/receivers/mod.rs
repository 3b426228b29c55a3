//! Receivers of notifications, each on a port of its own: they take what is sent, answer as told, and know the rules.

pub(crate) mod http;
pub(crate) mod rules;
pub(crate) mod smtp;
pub(crate) mod tls;

use eddyline_wire::alert::{Alert, CauseItem, Event, Marker, Severity};
use eddyline_wire::notification::{News, Notification};
use eddyline_worker::sinks::{Refused, Sink, make};
use std::sync::Arc;

const SAMPLE: &str = include_str!("../../../fixtures/sinks/notification.json");
/// What someone could have for a name.
pub(crate) const NASTY: &str = "a\"b'c\r\nBcc: all@example.com\n\n<!channel> <@U1> <https://evil.example|click> &lt; <script>alert(1)</script>\u{0}\u{1b}[31m\u{202e}";

/// The sink that a section of the file describes.
pub(crate) fn sink(section: &str) -> Arc<dyn Sink> {
    try_sink(section).unwrap()
}

pub(crate) fn try_sink(section: &str) -> Result<Arc<dyn Sink>, Refused> {
    make("test", &toml::from_str(section).unwrap())
}

/// One incident that opened.
pub(crate) fn opened() -> Notification {
    serde_json::from_str(SAMPLE).unwrap()
}

/// Two hundred incidents, of which the notification lists fifty.
pub(crate) fn joined() -> Notification {
    let first = opened();
    let alerts = (0..50).map(|i| Alert {
        incident: format!("{i:016x}"),
        monitor: format!("shop-{i}"),
        severity: if i < 10 { Severity::Critical } else { Severity::Warning },
        ..first.alerts[0].clone()
    });
    let alerts = alerts.collect();
    Notification { id: format!("{}-1", first.group), news: News::Joined, incidents: 200, open: 200, alerts, ..first }
}

/// The end of the one that opened.
pub(crate) fn resolved() -> Notification {
    let first = opened();
    let alert = Alert {
        event: Event::Resolved,
        window_end_ms: first.alerts[0].window_end_ms + 60_000,
        reason: Some("quiet for 10 windows".to_owned()),
        ..first.alerts[0].clone()
    };
    Notification {
        id: format!("{}-2", first.group),
        event: Event::Resolved,
        news: News::Resolved,
        open: 0,
        at_ms: first.at_ms + 61_000,
        alerts: vec![alert],
        ..first
    }
}

/// Every text as bad and as long as can be.
pub(crate) fn hostile() -> Notification {
    let first = opened();
    let long = NASTY.repeat(10_000 / NASTY.len() + 1);
    let mut cause = first.alerts[0].causes[0].clone();
    cause.kind.clone_from(&long);
    cause.feature.clone_from(&long);
    cause.what.clone_from(&long);
    (cause.expected, cause.low, cause.high, cause.observed) = (1e-300, -0.0, f64::MAX, f64::MIN);
    cause.items = vec![CauseItem { item: long.clone(), count: u64::MAX }; 3];
    let alert = Alert {
        monitor: NASTY.repeat(1024 / NASTY.len()),
        deployment: NASTY.to_owned(),
        summary: long.clone(),
        rarity: long.clone(),
        reason: Some(long.clone()),
        causes: vec![cause; 4],
        markers: vec![Marker { at: long.clone(), text: long.clone() }; 4],
        ..first.alerts[0].clone()
    };
    Notification { title: long, deployment: NASTY.to_owned(), incidents: 200, alerts: vec![alert; 50], ..first }
}

/// All kinds of news that there are rules for.
pub(crate) fn all() -> [(&'static str, Notification); 5] {
    let test = eddyline_worker::sinks::trial::notification("production", "test", 1_795_166_105_250);
    [("opened", opened()), ("joined", joined()), ("resolved", resolved()), ("hostile", hostile()), ("test", test)]
}

/// Compares with the file that shows what is sent; with `EDDYLINE_GOLDEN=write` it makes the file.
pub(crate) fn assert_golden(name: &str, sent: &str) {
    let path = format!("{}/fixtures/sinks/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("EDDYLINE_GOLDEN").is_some_and(|what| what == "write") {
        std::fs::write(&path, sent).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(sent, golden, "what {name} shows has changed: EDDYLINE_GOLDEN=write accepts it");
}
