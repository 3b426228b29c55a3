//! The notification that only tries out a sink: no reader could take it for an incident.

use eddyline_wire::alert::{Event, Severity};
use eddyline_wire::notification::{News, Notification, VERSION};

/// A test of sink `sink`, made at `at_ms`.
#[must_use]
pub fn notification(deployment: &str, sink: &str, at_ms: u64) -> Notification {
    let group = format!("test-{at_ms:x}");
    Notification {
        v: VERSION,
        id: format!("{group}-0"),
        group,
        event: Event::Opened,
        news: News::Opened,
        deployment: deployment.to_owned(),
        severity: Severity::Warning,
        title: format!("This is a test: eddyline reaches sink {sink}. Nothing is wrong."),
        since_ms: at_ms,
        at_ms,
        incidents: 0,
        open: 0,
        alerts: Vec::new(),
        test: true,
    }
}

/// Its end, for receivers that keep it open until they hear of one.
#[must_use]
pub fn end_of(test: &Notification) -> Notification {
    Notification { id: format!("{}-1", test.group), event: Event::Resolved, news: News::Resolved, ..test.clone() }
}
