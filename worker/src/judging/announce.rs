//! Which incidents the world believes open, and the messages that keep that belief true.
//!
//! The pipeline's changes are one source of messages. The other is loss: a schema that changed, settings that changed, a
//! failover that took the incident's first window along. An incident that was announced and that the baseline no longer
//! holds open is resolved with that reason.
//!
//! An incident keeps the id under which it was announced: a monitor that was renamed meanwhile would give it another, and
//! who heard of it under the first would wait for its end for ever.

use crate::judging::identity::Identity;
use crate::judging::overdue;
use crate::judging::translate::{self, Moment};
use eddyline_detect::Change;
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::command::EntryId;
use std::fmt;

/// Why an announced incident may no longer be one of the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Its windows were judged under other settings, or from more history than is left.
    Rebuilt,
    /// Redis lost its first window.
    Failover,
    /// It was that no vectors came.
    Silence,
}

const SCHEMA_CHANGED: &str = "the monitor's schema changed";

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rebuilt => "no incident under the settings and history of now",
            Self::Failover => "lost in failover",
            Self::Silence => "vectors arrive again",
        })
    }
}

/// An incident that was announced and not resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Announced {
    /// The last message about it.
    pub alert: Alert,
    /// What to say should it be gone.
    pub lapse: Lapse,
    /// End of its first window as a baseline that was rebuilt dates it, where that is another than was announced.
    pub redated: Option<u64>,
}

impl Announced {
    /// End of its first window, ms since the epoch, as the baseline dates it.
    #[must_use]
    pub fn opened_end_ms(&self) -> u64 {
        self.redated.unwrap_or_else(|| self.alert.since_ms.saturating_add(self.alert.window_ms))
    }
}

/// One judged window, as far as incidents are concerned.
#[derive(Debug)]
pub struct Judged<'a> {
    /// End of the window, ms since the epoch.
    pub end_ms: u64,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// What it did to the incident.
    pub change: Option<&'a Change>,
    /// The incident that is open after it, by the end of its first window.
    pub open: Option<u64>,
    /// Whether it is the first window under its schema.
    pub schema_changed: bool,
}

/// A baseline that was rebuilt, as for other settings, may date the incident that is open otherwise than it was announced:
/// it is the one that people heard of, and keeps its id.
pub fn redate(announced: &mut [Announced], judged: &Judged<'_>) {
    let resolved = judged.change.and_then(|change| match change {
        Change::Resolved(incident, _) => Some(incident.opened_end_ms),
        _ => None,
    });
    let Some(opened) = judged.open.or(resolved).filter(|opened| *opened < judged.end_ms) else { return };
    if judged.schema_changed || known_as(announced, opened).is_some() {
        return;
    }
    // Both are open, so they overlap. What Redis lost waits for its first window.
    if let Some(known) = announced.iter_mut().rfind(|known| known.lapse == Lapse::Rebuilt) {
        known.redated = Some(opened);
    }
}

/// The messages that this window calls for, and the belief they leave. At most one is about the open incident; the rest
/// resolve what lapsed.
#[must_use]
pub fn messages(announced: &mut Vec<Announced>, judged: &Judged<'_>, identity: &Identity) -> Vec<Alert> {
    let mut messages = Vec::new();
    let moment = |nth| Moment { end_ms: judged.end_ms, window_ms: judged.window_ms, nth };
    let touched = judged.change.map(|change| match change {
        Change::Opened(incident) | Change::Updated(incident) | Change::Resolved(incident, _) => incident.opened_end_ms,
    });
    announced.retain(|known| {
        let opened = known.opened_end_ms();
        let alive = judged.open == Some(opened) || touched == Some(opened) || judged.end_ms < opened;
        if !alive {
            let reason = if judged.schema_changed { SCHEMA_CHANGED.to_owned() } else { known.lapse.to_string() };
            messages.push(lapsed(known, reason, identity, moment(messages.len())));
        }
        alive
    });
    let Some(change) = judged.change else { return messages };
    match change {
        Change::Opened(incident) | Change::Updated(incident) => {
            let known = known_as(announced, incident.opened_end_ms);
            let opens = known.is_none() || matches!(change, Change::Opened(_));
            let event = if opens { Event::Opened } else { Event::Updated };
            let mut alert = translate::alert(event, incident, None, identity, moment(messages.len()));
            if let Some(known) = known {
                alert.incident = known;
            }
            hear(announced, &alert);
            messages.push(alert);
        }
        Change::Resolved(incident, resolution) => {
            if let Some(known) = known_as(announced, incident.opened_end_ms) {
                announced.retain(|known| known.opened_end_ms() != incident.opened_end_ms);
                let reason = Some(resolution.to_string());
                let alert = translate::alert(Event::Resolved, incident, reason, identity, moment(messages.len()));
                messages.push(Alert { incident: known, ..alert });
            }
        }
    }
    messages
}

/// The id under which the incident that opened then was announced.
#[must_use]
pub fn known_as(announced: &[Announced], opened_end_ms: u64) -> Option<String> {
    announced.iter().find(|known| known.opened_end_ms() == opened_end_ms).map(|known| known.alert.incident.clone())
}

/// What the world believes after it heard `alert`.
pub fn hear(announced: &mut Vec<Announced>, alert: &Alert) {
    announced.retain(|known| known.alert.incident != alert.incident);
    if alert.event != Event::Resolved {
        let lapse = if overdue::is_silence(alert) { Lapse::Silence } else { Lapse::Rebuilt };
        announced.push(Announced { alert: alert.clone(), lapse, redated: None });
    }
}

/// The message that an announced incident ended then, for a reason that no window gives.
#[must_use]
pub fn ended(known: &Announced, reason: String, identity: &Identity, end_ms: u64, entry: EntryId) -> Alert {
    Alert {
        event: Event::Resolved,
        monitor: identity.shown(),
        window_end_ms: end_ms,
        windows: end_ms.saturating_sub(known.alert.since_ms) / known.alert.window_ms.max(1),
        reason: Some(reason),
        entry: entry.to_string(),
        ..known.alert.clone()
    }
}

fn lapsed(known: &Announced, reason: String, identity: &Identity, moment: Moment) -> Alert {
    let alert = ended(known, reason, identity, moment.end_ms, EntryId::default());
    Alert { entry: moment.entry(), ..alert }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_detect::{Incident, Resolution, Severity};

    fn identity() -> Identity {
        Identity { deployment: "test".into(), monitor: b"m".to_vec(), db: 0 }
    }

    fn incident(opened_end_ms: u64) -> Incident {
        Incident {
            opened_end_ms,
            last_end_ms: opened_end_ms,
            windows: 1,
            score: 0.9,
            p: 1e-9,
            severity: Severity::Critical,
            rarity: "about once in an hour".into(),
            summary: "something".into(),
            causes: vec![],
        }
    }

    const NEW_SCHEMA: u64 = 60_000;

    fn step(announced: &mut Vec<Announced>, end_ms: u64, change: Option<&Change>, open: Option<u64>) -> Vec<String> {
        let judged = Judged { end_ms, window_ms: 1000, change, open, schema_changed: end_ms == NEW_SCHEMA };
        let messages = messages(announced, &judged, &identity());
        messages
            .iter()
            .map(|alert| {
                let reason = alert.reason.as_deref().unwrap_or("-");
                format!("{} {} {} {reason}", alert.entry, alert.event.as_str(), alert.since_ms)
            })
            .collect()
    }

    #[test]
    fn an_incident_is_opened_updated_and_resolved() {
        let mut announced = Vec::new();
        let opened = Change::Opened(incident(5000));
        assert_eq!(step(&mut announced, 5000, Some(&opened), Some(5000)), ["5000-0 opened 4000 -"]);
        assert!(step(&mut announced, 6000, None, Some(5000)).is_empty());
        let updated = Change::Updated(incident(5000));
        assert_eq!(step(&mut announced, 7000, Some(&updated), Some(5000)), ["7000-0 updated 4000 -"]);
        let resolved = Change::Resolved(incident(5000), Resolution::Quiet);
        assert_eq!(step(&mut announced, 9000, Some(&resolved), None), ["9000-0 resolved 4000 back to normal"]);
        assert!(announced.is_empty());
    }

    #[test]
    fn an_incident_that_nobody_heard_of_is_announced_at_its_next_update_and_never_resolved_unheard() {
        let mut announced = Vec::new();
        let resolved = Change::Resolved(incident(5000), Resolution::Quiet);
        assert!(step(&mut announced, 6000, Some(&resolved), None).is_empty());
        let updated = Change::Updated(incident(7000));
        assert_eq!(step(&mut announced, 8000, Some(&updated), Some(7000)), ["8000-0 opened 6000 -"]);
    }

    #[test]
    fn an_announced_incident_that_is_gone_is_resolved_with_the_reason_before_the_next_opens() {
        let mut announced = Vec::new();
        step(&mut announced, 5000, Some(&Change::Opened(incident(5000))), Some(5000));
        let next = Change::Opened(incident(6000));
        assert_eq!(
            step(&mut announced.clone(), 6000, Some(&next), Some(6000)),
            ["6000-0 resolved 4000 no incident under the settings and history of now", "6000-1 opened 5000 -"]
        );
        assert_eq!(
            step(&mut announced, NEW_SCHEMA, None, None),
            ["60000-0 resolved 4000 the monitor's schema changed"]
        );
        assert!(announced.is_empty());
    }

    #[test]
    fn an_incident_that_a_rebuilt_baseline_dates_otherwise_keeps_its_id() {
        let mut announced = Vec::new();
        let judged = |end_ms, change, open| Judged { end_ms, window_ms: 1000, change, open, schema_changed: false };
        let mut step = |judged: &Judged<'_>| {
            redate(&mut announced, judged);
            messages(&mut announced, judged, &identity())
        };
        let opened = Change::Opened(incident(5000));
        let first = step(&judged(5000, Some(&opened), Some(5000))).remove(0);
        // Under other settings it began two windows earlier.
        assert!(step(&judged(8000, None, Some(3000))).is_empty());
        let updated = Change::Updated(incident(3000));
        let second = step(&judged(9000, Some(&updated), Some(3000))).remove(0);
        assert_eq!((second.event, &second.incident, second.since_ms), (Event::Updated, &first.incident, 2000));
        let resolved = Change::Resolved(incident(3000), Resolution::Quiet);
        let last = step(&judged(10_000, Some(&resolved), None)).remove(0);
        assert_eq!((last.event, last.incident), (Event::Resolved, first.incident));
        // One that opens now is another.
        let next = Change::Opened(incident(12_000));
        assert_eq!(step(&judged(12_000, Some(&next), Some(12_000))).len(), 1);
    }

    #[test]
    fn an_incident_keeps_its_id_when_its_monitor_is_renamed() {
        let mut announced = Vec::new();
        let judged = |end_ms, change, open| Judged { end_ms, window_ms: 1000, change, open, schema_changed: false };
        let opened = Change::Opened(incident(5000));
        let first = messages(&mut announced, &judged(5000, Some(&opened), Some(5000)), &identity()).remove(0);
        let renamed = Identity { monitor: b"n".to_vec(), ..identity() };
        let updated = Change::Updated(incident(5000));
        let second = messages(&mut announced, &judged(6000, Some(&updated), Some(5000)), &renamed).remove(0);
        assert_eq!((second.event, second.monitor.as_str(), &second.incident), (Event::Updated, "n", &first.incident));
        let gone = messages(&mut announced.clone(), &judged(7000, None, None), &renamed).remove(0);
        assert_eq!((gone.monitor.as_str(), &gone.incident), ("n", &first.incident));
        let resolved = Change::Resolved(incident(5000), Resolution::Quiet);
        let last = messages(&mut announced, &judged(7000, Some(&resolved), None), &renamed).remove(0);
        assert_eq!((last.event, &last.incident), (Event::Resolved, &first.incident));
        assert!(announced.is_empty());
    }

    #[test]
    fn a_lost_incident_waits_until_its_first_window_is_judged_again() {
        let mut announced = Vec::new();
        step(&mut announced, 5000, Some(&Change::Opened(incident(5000))), Some(5000));
        announced[0].lapse = Lapse::Failover;
        assert!(step(&mut announced, 4000, None, None).is_empty());
        assert_eq!(step(&mut announced.clone(), 5000, None, None), ["5000-0 resolved 4000 lost in failover"]);
        let again = Change::Opened(incident(5000));
        assert_eq!(step(&mut announced, 5000, Some(&again), Some(5000)), ["5000-0 opened 4000 -"]);
    }
}
