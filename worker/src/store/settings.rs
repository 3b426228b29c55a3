//! What was set for one monitor in `{monitor}:settings`: a hash that counts more than the worker's own choices, read again
//! while the worker runs. A field that can't be read is said once and left out.

use crate::config::Live;
use crate::feedback::record::{FIELD, Record};
use crate::judging::choices::Choices;
use crate::judging::judge::Series;
use crate::logs::Notice;
use crate::store::connect::{Connection, is_lost};
use eddyline_wire::text::printable;
use eddyline_wire::vector::{FEATURES, PERIOD};
use redis::{FromRedisValue, RedisResult, Script, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::{info, warn};

/// How soon a change is noticed.
const EVERY: Duration = Duration::from_secs(2);

/// Most fields that the hash of a monitor may have, and most bytes of their names and values in all. Feedback may take a
/// quarter of them.
const MAX_FIELDS: u64 = 1000;
const MAX_BYTES: u64 = 2 << 20;

/// Fields that a vector monitor has besides ([`crate::store::vector`]).
const OTHERS: [&str; 2] = [PERIOD, FEATURES];

/// The fields of a hash and their values, in order.
type Hash = Vec<[Vec<u8>; 2]>;

/// The worker's choices with those of the hash in their place, and what can't be read of it.
fn joined(choices: &Choices, hash: &Hash) -> (Choices, Vec<String>) {
    let (mut choices, mut wrong) = (choices.clone(), Vec::new());
    for [name, value] in hash {
        if name == FIELD.as_bytes() {
            match Record::parse(value) {
                Ok(record) => choices.controls.feedback = record.feedback(),
                Err(why) => wrong.push(format!("'{FIELD}': {why}")),
            }
            continue;
        }
        let text = String::from_utf8_lossy(value);
        match std::str::from_utf8(name).ok().and_then(|name| choices.set(name, &text)) {
            Some(Ok(())) => {}
            Some(Err(why)) => {
                wrong.push(format!("'{}' is '{}': {why}", printable(name, 64), printable(text.trim().as_bytes(), 64)));
            }
            None if OTHERS.iter().any(|field| field.as_bytes() == name) => {}
            None => {
                let of_features = Choices::names_of_features().map(|name| format!("{name}:<feature>"));
                let all = Choices::names().chain(OTHERS).map(str::to_owned).chain(of_features);
                wrong.push(format!("'{}' isn't one of {}", printable(name, 64), all.collect::<Vec<_>>().join(", ")));
            }
        }
    }
    (choices, wrong)
}

/// `defaults` with what the hash `key` says in their place, as far as that can be read.
///
/// # Errors
/// The connection is lost.
pub async fn over(defaults: &Choices, connection: &mut Connection, key: &[u8]) -> RedisResult<Choices> {
    match read(connection, key).await {
        Ok(Ok(hash)) => Ok(joined(defaults, &hash).0),
        Err(error) if is_lost(&error) => Err(error),
        Ok(Err(_)) | Err(_) => Ok(defaults.clone()),
    }
}

/// The choices for one monitor, as they are now.
#[derive(Debug)]
pub struct Settings {
    monitor: Vec<u8>,
    /// The worker's.
    live: watch::Receiver<Arc<Live>>,
    /// The hash, as it was read last, and why not since.
    hash: Hash,
    unread: Option<String>,
    now: Choices,
    read: Option<Instant>,
    trouble: Notice,
    /// Id of the schema that was last compared with what is chosen now.
    compared: Option<u64>,
    misplaced: Notice,
    had_period: bool,
}

impl Settings {
    /// The worker's choices for `monitor`, until the hash was read.
    #[must_use]
    pub fn new(mut live: watch::Receiver<Arc<Live>>, monitor: &[u8]) -> Self {
        let (now, _) = live.borrow_and_update().choices.of(monitor);
        Self {
            monitor: monitor.to_vec(),
            live,
            hash: Vec::new(),
            unread: None,
            now,
            read: None,
            trouble: Notice::default(),
            compared: None,
            misplaced: Notice::default(),
            had_period: false,
        }
    }

    /// What is chosen now.
    #[must_use]
    pub fn choices(&self) -> &Choices {
        &self.now
    }

    /// Whether vectors were expected while this worker looked, and no longer are.
    #[must_use]
    pub fn lost_period(&self) -> bool {
        self.had_period && !has_period(&self.hash)
    }

    /// The next look reads whatever was read before.
    pub fn forget_look(&mut self) {
        self.read = None;
    }

    /// Reads the hash `key` of `monitor`, if that was a while ago.
    ///
    /// # Errors
    /// The connection is lost. What was chosen stays where the hash can't be read.
    pub async fn look(&mut self, connection: &mut Connection, key: &[u8], monitor: &str) -> RedisResult<()> {
        let is_changed = self.live.has_changed().unwrap_or(false);
        if !is_changed && self.read.is_some_and(|read| read.elapsed() < EVERY) {
            return Ok(());
        }
        let found = match read(connection, key).await {
            Ok(found) => found,
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        let is_first = self.read.replace(Instant::now()).is_none();
        let is_same = match &found {
            Ok(hash) => self.unread.is_none() && *hash == self.hash,
            Err(why) => self.unread.as_ref() == Some(why),
        };
        if is_same && !is_first && !is_changed {
            return Ok(());
        }
        match found {
            Ok(hash) => {
                self.had_period |= has_period(&hash);
                (self.hash, self.unread) = (hash, None);
            }
            Err(why) => self.unread = Some(why),
        }
        let (defaults, mut wrong) = self.live.borrow_and_update().choices.of(&self.monitor);
        let (now, wrong_in_hash) = joined(&defaults, &self.hash);
        if self.now != now {
            (self.now, self.compared) = (now, None);
        }
        wrong.extend(self.unread.clone().map_or(wrong_in_hash, |why| vec![why]));
        let wrong = wrong.join("; ");
        if wrong.is_empty() {
            if self.trouble.is_over() {
                info!(monitor, "its settings can be read now");
            }
        } else if self.trouble.is_news(&wrong) {
            warn!(monitor, "left out of {}: {wrong}", printable(key, 128));
        }
        Ok(())
    }

    /// Says once which controls are for features that the monitor doesn't have.
    pub fn compare(&mut self, series: &Series, monitor: &str) {
        if self.compared == Some(series.schema.id) {
            return;
        }
        self.compared = Some(series.schema.id);
        let wrong: Vec<String> = self.now.controls.misplaced(series.pipeline.layout());
        let shown: Vec<String> = wrong.iter().take(SHOWN).map(|wrong| printable(wrong.as_bytes(), 256)).collect();
        let (shown, more) = (shown.join("; "), wrong.len().saturating_sub(SHOWN));
        if wrong.is_empty() {
            _ = self.misplaced.is_over();
        } else if self.misplaced.is_news(&shown) {
            warn!(monitor, more, "controls without effect (EDDY.SCHEMA names the features): {shown}");
        }
    }
}

/// Controls without effect that are named.
const SHOWN: usize = 10;

fn has_period(hash: &Hash) -> bool {
    hash.iter().any(|[field, _]| field == PERIOD.as_bytes())
}

/// The hash, or why it isn't taken.
async fn read(connection: &mut Connection, key: &[u8]) -> RedisResult<Result<Hash, String>> {
    let script = Script::new(include_str!("settings.lua"));
    match script.key(key).arg(MAX_FIELDS).arg(MAX_BYTES).invoke_async(connection).await? {
        Value::SimpleString(why) => Ok(Err(format!("all of it: {why}"))),
        reply => {
            let words: Vec<Vec<u8>> = FromRedisValue::from_redis_value(reply)?;
            let mut hash = words.as_chunks().0.to_vec();
            hash.sort();
            Ok(Ok(hash))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> (Choices, Vec<String>) {
        let mut hash: Hash =
            fields.iter().map(|(name, value)| [name, value].map(|text| text.as_bytes().to_vec())).collect();
        hash.sort();
        joined(&Choices::default(), &hash)
    }

    #[test]
    fn what_is_set_for_a_monitor_counts_more() {
        let (choices, wrong) = read(&[("detectors", "level, ewma"), ("budget", "24"), ("period_ms", "5000")]);
        assert_eq!((choices.detectors.to_string().as_str(), choices.budget_per_day), ("level,ewma", 24.0));
        assert_eq!(wrong, Vec::<String>::new());
        let mut defaults = choices;
        defaults.min_history = 100;
        let back = joined(&defaults, &vec![[b"detectors".to_vec(), b"auto".to_vec()]]).0;
        assert_eq!((back.detectors.to_string().as_str(), back.budget_per_day, back.min_history), ("auto", 24.0, 100));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed_and_the_rest_counts() {
        let (choices, wrong) = read(&[("sensitivity", "high"), ("budget", "-1"), ("detectors", "ewma")]);
        assert_eq!(choices.budget_per_day, Choices::default().budget_per_day);
        assert_eq!(choices.detectors.to_string(), "ewma");
        let all = wrong.join("; ");
        assert!(all.contains("'budget' is '-1': a number above 0"), "{all}");
        assert!(all.contains("'sensitivity' isn't one of budget, min_history, quiet_after, accept_after, detectors, time_zone, schedule, exclude, period_ms, features, direction:<feature>, min_absolute"), "{all}");
        let (choices, wrong) = read(&[("detectors", "magic")]);
        assert_eq!(choices, Choices::default());
        assert!(wrong[0].contains("no detector is called 'magic'") && wrong[0].contains("moving-average"), "{wrong:?}");
    }
}
