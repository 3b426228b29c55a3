//! The message that vectors stopped coming. There is no fingerprint to judge, so the clock says it.

use crate::judging::announce::Announced;
use crate::judging::identity::Identity;
use crate::judging::translate;
use eddyline_detect as detect;
use eddyline_wire::alert::{self, Alert, Event, Severity};
use eddyline_wire::command::EntryId;

/// Sequence number of the message's entry at least: it stands behind what the last vector gave rise to, before what the next one will.
const BEHIND: u64 = 1_000;
/// What is missing, as a cause names it.
const FEATURE: &str = "fingerprints";
const CRITICAL: f64 = 0.75;

/// Vectors that don't come any more.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    /// Id of the last one.
    pub last: EntryId,
    /// How long they should have taken to come, at the latest.
    pub within_ms: u64,
    /// Usual time between two, as the monitor's settings have it.
    pub window_ms: u64,
    /// Pauses between vectors known, of which hardly any was as long.
    pub known: usize,
}

impl Silence {
    /// Id of the message's entry in `{monitor}:incidents`, `said` being the last one: the same for every worker, so there is
    /// one.
    #[must_use]
    pub fn entry(&self, said: EntryId) -> EntryId {
        let seq = if said.ms == self.last.ms && said.seq >= BEHIND { said.seq.saturating_add(1) } else { BEHIND };
        EntryId { ms: self.last.ms, seq }
    }

    /// Whether the world heard of it.
    #[must_use]
    pub fn is_told(&self, announced: &[Announced]) -> bool {
        let ms = |alert: &Alert| EntryId::parse(alert.entry.as_bytes()).map(|entry| entry.ms);
        announced.iter().any(|known| is_about_silence(&known.alert) && ms(&known.alert) == Some(self.last.ms))
    }

    /// What is missing, as detection has it.
    #[must_use]
    pub fn cause(&self) -> detect::Cause {
        let windows = (self.within_ms / self.window_ms.max(1)) as f64;
        detect::Cause {
            kind: detect::Kind::Silence,
            feature: FEATURE.to_owned(),
            what: "vectors".to_owned(),
            direction: detect::Direction::Down,
            expected: windows,
            low: 1.0,
            high: windows,
            observed: 0.0,
            windows: 1,
            share: 1.0,
            items: Vec::new(),
        }
    }

    /// The message: an incident of its own, or news of one that is open, which can't end while nothing comes.
    #[must_use]
    pub fn message(&self, announced: &[Announced], said: EntryId, identity: &Identity) -> Alert {
        let entry = self.entry(said).to_string();
        let since_ms = self.last.ms;
        let windows = self.within_ms / self.window_ms.max(1);
        let cause = translate::cause(&self.cause());
        let seconds = self.within_ms as f64 / 1000.0;
        let summary =
            format!("silence: no vector for {seconds} s, usually one in {} s", self.window_ms as f64 / 1000.0);
        let window_end_ms = self.last.ms.saturating_add(self.within_ms);
        if let Some(known) = announced.last() {
            let mut causes = vec![cause];
            causes.extend(known.alert.causes.iter().take(4).cloned());
            let windows = window_end_ms.saturating_sub(known.alert.since_ms) / self.window_ms.max(1);
            let event = Event::Updated;
            return Alert { event, summary, window_end_ms, windows, causes, entry, ..known.alert.clone() };
        }
        Alert {
            v: alert::VERSION,
            event: Event::Opened,
            incident: identity.incident(since_ms.saturating_add(self.window_ms)),
            monitor: identity.shown(),
            deployment: identity.deployment.clone(),
            db: identity.db,
            severity: Severity::Critical,
            score: CRITICAL,
            p: 1.0 / (self.known as f64 + 1.0),
            rarity: format!("in less than one of {} pauses", self.known),
            summary,
            since: alert::rfc3339(since_ms),
            since_ms,
            window_end_ms,
            window_ms: self.window_ms,
            windows,
            causes: vec![cause],
            markers: Vec::new(),
            reason: None,
            entry,
        }
    }
}

/// Whether the news of a message are that vectors stopped coming.
#[must_use]
pub fn is_about_silence(alert: &Alert) -> bool {
    alert.causes.first().is_some_and(|cause| cause.feature == FEATURE)
}

/// Whether a message is about vectors that stopped coming and nothing else.
#[must_use]
pub fn is_silence(alert: &Alert) -> bool {
    matches!(&alert.causes[..], [cause] if cause.feature == FEATURE)
}
