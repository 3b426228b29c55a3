//! What one notifier leaves to the next: the open groups, and how far each monitor's incidents were read. JSON under a
//! version, in one key.

use crate::notify::groups::Groups;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::MAX_NAME;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Raised when the meaning of what is written changes.
const VERSION: u32 = 1;
/// How long what wasn't told is counted together.
const DAY_MS: u64 = 86_400_000;
/// Begins the text of a name that isn't UTF-8, or that begins like one.
const HEX: &str = "\\x";

/// All that the notifier knows.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    /// The open groups.
    pub groups: Groups,
    /// What the budget of the deployment held back lately.
    pub untold: Untold,
    /// By monitor: the last entry of its incidents that was read. 0-0 says that there was none yet.
    pub read: BTreeMap<Vec<u8>, EntryId>,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    v: u32,
    read: BTreeMap<String, String>,
    groups: Cow<'a, Groups>,
    #[serde(default, skip_serializing_if = "Untold::is_nothing")]
    untold: Cow<'a, Untold>,
}

/// Incidents that weren't rare enough to be told when they opened, for about a day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Untold {
    /// Since when they are counted, ms since the epoch.
    pub since_ms: u64,
    /// The last one.
    pub last_ms: u64,
    /// How many.
    pub incidents: u64,
    /// The monitor of the last one.
    pub monitor: String,
}

/// Longest name of a monitor as text.
const LONGEST_NAME: usize = HEX.len() + 2 * MAX_NAME;

impl Untold {
    /// One more, of this monitor.
    pub fn count(&mut self, monitor: &str, now_ms: u64) {
        if now_ms.saturating_sub(self.since_ms) > DAY_MS {
            (self.since_ms, self.incidents) = (now_ms, 0);
        }
        (self.last_ms, self.incidents) = (now_ms, self.incidents.saturating_add(1));
        monitor.clone_into(&mut self.monitor);
    }

    // As serde asks.
    #[allow(clippy::ptr_arg)]
    fn is_nothing(this: &Cow<'_, Self>) -> bool {
        this.incidents == 0
    }
}

/// Why a state can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It isn't what this code writes.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Another version wrote it.
    #[error("it has version {0}, this worker reads {VERSION}")]
    Version(u32),
    /// Its parts contradict each other.
    #[error("its parts don't fit together")]
    Inconsistent,
}

impl State {
    /// The text that stands in Redis.
    #[must_use]
    pub fn encode(&self) -> String {
        let read = self.read.iter().map(|(name, id)| (label(name), id.to_string())).collect();
        let (groups, untold) = (Cow::Borrowed(&self.groups), Cow::Borrowed(&self.untold));
        let written = Written { v: VERSION, read, groups, untold };
        serde_json::to_string(&written).expect("strings and numbers always serialise")
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Anything that [`State::encode`] doesn't write.
    pub fn decode(text: &[u8]) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let Version { v } = serde_json::from_slice(text)?;
        if v != VERSION {
            return Err(Unusable::Version(v));
        }
        let written: Written<'_> = serde_json::from_slice(text)?;
        let pair = |(name, id): (&String, &String)| Some((name_of(name)?, EntryId::parse(id.as_bytes())?));
        let read = written.read.iter().map(pair).collect::<Option<_>>().ok_or(Unusable::Inconsistent)?;
        let (groups, untold) = (written.groups.into_owned(), written.untold.into_owned());
        if !groups.is_consistent() || untold.monitor.len() > LONGEST_NAME {
            return Err(Unusable::Inconsistent);
        }
        Ok(Self { groups, untold, read })
    }
}

/// A monitor's name as text, from which the name can be told.
#[must_use]
pub fn label(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if !text.starts_with(HEX) => text.to_owned(),
        _ => name.iter().fold(HEX.to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}

fn name_of(label: &str) -> Option<Vec<u8>> {
    let Some(hex) = label.strip_prefix(HEX) else { return Some(label.as_bytes().to_vec()) };
    let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| odd.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::budget::Budget;
    use crate::notify::settings::{NotifySettings, Openings};

    fn state() -> State {
        let mut state = State::default();
        let alert = serde_json::from_str(include_str!("../../../crates/wire/fixtures/alert.json")).unwrap();
        state.groups.be_at(1_795_166_106_000);
        let budget = Budget::new(Openings::Unlimited, 0.0);
        state.groups.hear("checkout", alert, budget, &NotifySettings::default());
        state.read.insert(b"checkout".to_vec(), EntryId { ms: 1_795_166_105_000, seq: 0 });
        state.read.insert(b"\xff\x00odd".to_vec(), EntryId::default());
        state.read.insert(b"\\xff".to_vec(), EntryId::default());
        state
    }

    #[test]
    fn what_one_leaves_the_next_finds() {
        assert_eq!(State::decode(state().encode().as_bytes()).unwrap(), state());
        assert_eq!(State::decode(State::default().encode().as_bytes()).unwrap(), State::default());
    }

    #[test]
    fn what_the_budget_held_back_is_counted_for_a_day_and_left_to_the_next() {
        let mut state = state();
        state.untold.count("pay", 1_795_166_106_000);
        state.untold.count("mail", 1_795_166_107_000);
        let Untold { since_ms, last_ms, incidents, monitor } =
            &State::decode(state.encode().as_bytes()).unwrap().untold;
        assert_eq!((*since_ms, *last_ms), (1_795_166_106_000, 1_795_166_107_000));
        assert_eq!((*incidents, monitor.as_str()), (2, "mail"));
        state.untold.count("pay", 1_795_166_106_001 + DAY_MS);
        assert_eq!((state.untold.incidents, state.untold.since_ms), (1, 1_795_166_106_001 + DAY_MS));
    }

    #[test]
    fn what_stands_in_redis_has_its_golden_text() {
        assert_eq!(state().encode(), include_str!("../../fixtures/notifier.json").trim());
    }

    #[test]
    fn what_is_cut_or_altered_is_refused() {
        let text = state().encode();
        for end in 0..text.len() {
            assert!(State::decode(&text.as_bytes()[..end]).is_err(), "{end}");
        }
        let other =
            |from: &str, to: &str| State::decode(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert_eq!(other(r#""v":1"#, r#""v":2"#), "it has version 2, this worker reads 1");
        assert_eq!(other("1795166105000-0", "x"), "its parts don't fit together");
        assert_eq!(other(r#""incidents":1"#, r#""incidents":0"#), "its parts don't fit together");
        assert!(State::decode(b"\xff").is_err());
    }
}
