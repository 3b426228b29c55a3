//! The field `feedback` of `{monitor}:settings`: JSON that everybody may read and only [`super::give`] writes.

use eddyline_detect::controls::feedback::{Answer, Feedback, Likeness, MAX, Numbers};
use eddyline_wire::alert::{self, Alert};
use serde::{Deserialize, Serialize};

/// The field's name.
pub const FIELD: &str = "feedback";
/// Version of the shape.
const VERSION: u32 = 1;
/// Longest text, in bytes.
const MAX_TEXT: usize = 512 * 1024;
/// Longest name of who said it, in bytes.
pub const MAX_BY: usize = 128;
/// Most of an incident's summary that is kept, in characters.
const MAX_SUMMARY: usize = 256;

/// All that was said of a monitor's incidents, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    v: u32,
    said: Vec<Said>,
}

/// What somebody said of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Id of the incident.
    pub incident: String,
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// Who.
    pub by: String,
    /// When, ms since the epoch.
    pub at_ms: u64,
    /// The incident's sentence, for people who read it here.
    pub summary: String,
    /// End of the incident's first window, ms since the epoch.
    opened_end_ms: u64,
    causes: Vec<Like>,
}

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum What {
    /// The like of it opens nothing any more.
    Normal,
    /// It is one.
    Anomaly,
    /// The like of it opens nothing until then.
    Snooze {
        /// Ms since the epoch.
        until_ms: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Like {
    kind: String,
    feature: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    item: Option<String>,
    direction: alert::Direction,
    deviation: f64,
    relative: f64,
}

impl Default for Record {
    fn default() -> Self {
        Self { v: VERSION, said: Vec::new() }
    }
}

impl Record {
    /// Reads the field.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("it has {} bytes, more than {MAX_TEXT}", text.len()));
        }
        let record: Self = serde_json::from_slice(text).map_err(|error| format!("it can't be read: {error}"))?;
        if record.v != VERSION {
            return Err(format!("it has version {}, this release reads {VERSION}", record.v));
        }
        let sound = |said: &Said| said.by.len() <= MAX_BY && said.feedback().is_sound();
        if record.said.len() > MAX || !record.said.iter().all(sound) {
            return Err("it says what eddyline feedback never does".to_owned());
        }
        Ok(record)
    }

    /// The text of the field; none where nothing was said.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let text = || serde_json::to_string(self).expect("strings and finite numbers always serialise");
        (!self.said.is_empty()).then(text)
    }

    /// What detection takes of it.
    #[must_use]
    pub fn feedback(&self) -> Vec<Feedback> {
        self.said.iter().map(Said::feedback).collect()
    }

    /// What is in force at this time, oldest first.
    pub fn in_force(&self, now_ms: u64) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.is_in_force(now_ms))
    }

    /// Adds what somebody says of an incident, in place of the same said before; where there is no room, in place of what
    /// isn't in force any more. Says whether there was room.
    #[must_use]
    pub fn add(&mut self, said: Said, now_ms: u64) -> bool {
        let same = |known: &Said| known.incident == said.incident && known.what.word() == said.what.word();
        self.said.retain(|known| !same(known));
        if self.said.len() >= MAX
            && let Some(over) = self.said.iter().position(|known| !known.is_in_force(now_ms))
        {
            self.said.remove(over);
        }
        let has_room = self.said.len() < MAX;
        if has_room {
            self.said.push(said);
        }
        has_room
    }

    /// Takes back what was said last of an incident; none where nothing was said.
    pub fn take_back(&mut self, incident: &str) -> Option<Said> {
        let last = self.said.iter().rposition(|said| said.incident == incident)?;
        Some(self.said.remove(last))
    }
}

impl What {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Anomaly => "anomaly",
            Self::Snooze { .. } => "snooze",
        }
    }
}

impl Said {
    /// What `by` says of the incident that `alert` is about.
    #[must_use]
    pub fn of(alert: &Alert, what: What, by: String, at_ms: u64) -> Self {
        let like = |cause: &alert::Cause| {
            let alert::Cause { observed, expected, low, high, .. } = *cause;
            let (deviation, relative) = Numbers { observed, expected, low, high }.size();
            let item = cause.items.first().map(|item| item.item.clone());
            let (kind, feature) = (cause.kind.clone(), cause.feature.clone());
            Like { kind, feature, item, direction: cause.direction, deviation, relative }
        };
        Self {
            incident: alert.incident.clone(),
            what,
            by,
            at_ms,
            summary: alert.summary.chars().take(MAX_SUMMARY).collect(),
            opened_end_ms: alert.since_ms.saturating_add(alert.window_ms),
            causes: alert.causes.iter().take(5).map(like).collect(),
        }
    }

    fn is_in_force(&self, now_ms: u64) -> bool {
        !matches!(self.what, What::Snooze { until_ms } if now_ms >= until_ms)
    }

    fn feedback(&self) -> Feedback {
        let likeness = |like: &Like| Likeness {
            kind: like.kind.clone(),
            feature: like.feature.clone(),
            item: like.item.clone(),
            direction: match like.direction {
                alert::Direction::Up => eddyline_detect::Direction::Up,
                alert::Direction::Down => eddyline_detect::Direction::Down,
            },
            deviation: like.deviation,
            relative: like.relative,
        };
        Feedback {
            answer: match self.what {
                What::Normal => Answer::Normal,
                What::Anomaly => Answer::Anomaly,
                What::Snooze { until_ms } => Answer::Snoozed { until_ms },
            },
            by: self.by.clone(),
            opened_end_ms: self.opened_end_ms,
            likes: self.causes.iter().map(likeness).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(incident: &str, what: What) -> Said {
        let alert: Alert = serde_json::from_str(include_str!("../../../crates/wire/fixtures/alert.json")).unwrap();
        Said::of(&Alert { incident: incident.to_owned(), ..alert }, what, "ann".to_owned(), 5)
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let mut record = Record::default();
        assert_eq!(record.to_json(), None);
        assert!(record.add(said("a", What::Normal), 5) && record.add(said("b", What::Snooze { until_ms: 9 }), 5));
        let text = record.to_json().unwrap();
        assert!(text.contains(r#""incident":"b","what":"snooze","until_ms":9,"by":"ann","at_ms":5"#), "{text}");
        assert_eq!(Record::parse(text.as_bytes()), Ok(record.clone()));
        assert_eq!(record.feedback()[1].answer, Answer::Snoozed { until_ms: 9 });
        assert_eq!((record.in_force(8).count(), record.in_force(9).count()), (2, 1));
        for at in 0..text.len() {
            assert!(Record::parse(&text.as_bytes()[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn what_nobody_could_have_said_is_refused() {
        let mut record = Record::default();
        assert!(record.add(said("a", What::Normal), 5));
        let text = record.to_json().unwrap();
        for (good, bad) in
            [(r#""v":1"#, r#""v":2"#), ("\"deviation\":", "\"deviation\":-1,\"x\":"), ("ann", &"x".repeat(129))]
        {
            assert!(text.contains(good));
            assert!(Record::parse(text.replace(good, bad).as_bytes()).is_err(), "{bad}");
        }
        record.said = vec![said("a", What::Normal); 65];
        assert!(Record::parse(record.to_json().unwrap().as_bytes()).is_err());
        assert!(Record::parse(&vec![b' '; MAX_TEXT + 1]).unwrap_err().contains("more than"));
    }

    #[test]
    fn there_is_room_for_64_and_what_is_over_goes_first() {
        let mut record = Record::default();
        assert!(record.add(said("snoozed", What::Snooze { until_ms: 9 }), 5));
        assert!((1..64).all(|i| record.add(said(&i.to_string(), What::Normal), 5)));
        assert!(!record.add(said("one more", What::Normal), 8), "all are in force");
        assert!(record.add(said("3", What::Normal), 8), "in place of the same");
        assert!(record.add(said("one more", What::Normal), 9));
        assert_eq!((record.said.len(), record.said[0].incident.as_str()), (64, "1"));
    }

    #[test]
    fn the_last_word_on_an_incident_is_taken_back_first() {
        let mut record = Record::default();
        for (incident, what) in [("a", What::Normal), ("a", What::Anomaly), ("b", What::Normal)] {
            assert!(record.add(said(incident, what), 5));
        }
        let mut words = || record.take_back("a").map(|said| said.what.word());
        assert_eq!([words(), words(), words()], [Some("anomaly"), Some("normal"), None]);
    }
}
