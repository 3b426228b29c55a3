//! Incidents, from the messages about them.

use eddyline_wire::alert::{Alert, Event, Severity};

/// An incident, from all messages about it.
#[derive(Debug, Clone, Copy)]
pub struct Incident<'a> {
    /// The last message that tells of its peak.
    pub peak: &'a Alert,
    /// End of the first window, ms since the epoch.
    pub opened_end_ms: u64,
    /// End of the last window that a message tells of, ms since the epoch.
    pub end_ms: u64,
    /// Whether it was resolved.
    pub over: bool,
}

impl Incident<'_> {
    /// Whether its peak was critical.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.peak.severity == Severity::Critical
    }
}

/// The incidents that messages tell of, in order of their opening.
#[must_use]
pub fn incidents(alerts: &[Alert]) -> Vec<Incident<'_>> {
    let mut incidents: Vec<Incident<'_>> = Vec::new();
    for alert in alerts {
        let opened_end_ms = alert.since_ms + alert.window_ms;
        let over = alert.event == Event::Resolved;
        let incident = Incident { peak: alert, opened_end_ms, end_ms: alert.window_end_ms, over };
        match incidents.iter_mut().find(|incident| incident.peak.incident == alert.incident) {
            Some(known) => *known = incident,
            None => incidents.push(incident),
        }
    }
    incidents
}
