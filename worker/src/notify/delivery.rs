//! One sink's deliveries: in order, each until it is taken or given up.
//!
//! At least once: a worker that dies between a delivery and its record leaves a second one to the next, under the same `id`.

use crate::logs::Notice;
use crate::notify::clock::now_ms;
use crate::notify::dead_letters::{self, DeadLetter};
use crate::notify::deliveries::Terms;
use crate::notify::group::ms;
use crate::notify::plan::Outlet;
use crate::observe::names;
use crate::sinks::SinkError;
use crate::store::stream;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::service::{DEAD_LETTERS, DELIVERED, NOTIFICATIONS, NOTIFIER_LEASE};
use eddyline_wire::notification::{News, Notification};
use redis::{ErrorKind, RedisError, RedisResult, Script};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

/// Notifications read at once.
const PAGE: usize = 100;
/// Sinks have time limits of their own, shorter ones.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(90);
/// The first wait is at most this long, each further one at most twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// Nothing is given up after fewer, however old it is: the worker may have been away for long.
const LEAST_ATTEMPTS: u32 = 3;

/// What the notifier tells its couriers after each write: the last notification of every open group.
pub(super) type Bulletin = Arc<Vec<Notification>>;

/// Why a courier stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// It was told to.
    Stopped,
    /// Another worker notifies.
    Fenced,
}

/// What became of a notification.
enum Fate {
    Delivered,
    LeftOut,
    Dead(DeadLetter),
    /// It is tried again after this wait.
    Later(Duration),
    /// The courier is to stop.
    Undone,
}

/// One sink's deliveries.
#[derive(Debug)]
pub(super) struct Courier {
    terms: Terms,
    outlet: Outlet,
    give_up_after: Duration,
    end: EntryId,
    stop: watch::Receiver<bool>,
    trouble: Notice,
}

impl Courier {
    /// For this sink. One that nobody has delivered to is told of what stands, and then of what comes after `end`.
    pub(super) fn new(
        terms: Terms,
        outlet: Outlet,
        give_up_after: Duration,
        end: EntryId,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { terms, outlet, give_up_after, end, stop, trouble: Notice::default() }
    }

    /// Delivers until told to stop.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn run(mut self) -> RedisResult<Parting> {
        let mut known = redis::cmd("HGET");
        known.arg(DELIVERED).arg(&self.outlet.name);
        let known: Option<Vec<u8>> = known.query_async(&mut self.terms.connection).await?;
        let mut at = match known.and_then(|id| EntryId::parse(&id)) {
            Some(at) => at,
            None => match self.introduce(self.end).await? {
                None => self.end,
                Some(parting) => return Ok(parting),
            },
        };
        let every = self.outlet.sink.repeats_every();
        let mut repeat_at = Instant::now();
        // Groups whose end was delivered while the bulletin may still show them.
        let mut ended = BTreeSet::new();
        let mut attempts = 0;
        loop {
            let page = stream::after(&mut self.terms.connection, NOTIFICATIONS.as_bytes(), at, PAGE).await?;
            self.waiting(page.len());
            if page.is_empty() {
                tokio::select! {
                    _ = self.stop.changed() => return Ok(Parting::Stopped),
                    changed = self.terms.bulletin.changed() => if changed.is_err() { return Ok(Parting::Stopped) },
                    () = sleep_until(repeat_at), if every.is_some() => {
                        self.repeat(&mut ended).await;
                        repeat_at = Instant::now() + every.unwrap_or_default();
                    }
                }
                continue;
            }
            let count = page.len();
            for (done, (id, fields)) in page.into_iter().enumerate() {
                self.waiting(count - done);
                let read = notification(&fields);
                attempts += 1;
                let fate = match &read {
                    Ok(notification) => self.attempt(notification, attempts, notification.at_ms).await,
                    Err(why) => Fate::Dead(DeadLetter::unreadable(&fields, why)),
                };
                if let Fate::Later(wait) = fate {
                    tokio::select! {
                        _ = self.stop.changed() => return Ok(Parting::Stopped),
                        () = sleep(wait) => {}
                    }
                    break;
                }
                let id = EntryId::parse(id.as_bytes())
                    .ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "not the id of an entry", id)))?;
                if let Some(parting) = self.record(id, fate).await? {
                    return Ok(parting);
                }
                if let Ok(notification) = read
                    && notification.news == News::Resolved
                {
                    ended.insert(notification.group);
                }
                (at, attempts) = (id, 0);
            }
        }
    }

    /// A new sink hears of what is open; `end` is where the stream ended before.
    async fn introduce(&mut self, end: EntryId) -> RedisResult<Option<Parting>> {
        let standing = Arc::clone(&self.terms.bulletin.borrow_and_update());
        // However old the news are, this sink hears of them now.
        let from_ms = now_ms();
        for notification in standing.iter() {
            let mut attempts = 0;
            let fate = loop {
                attempts += 1;
                match self.attempt(notification, attempts, from_ms).await {
                    Fate::Later(wait) => tokio::select! {
                        _ = self.stop.changed() => return Ok(Some(Parting::Stopped)),
                        () = sleep(wait) => {}
                    },
                    fate => break fate,
                }
            };
            if let Fate::Undone = fate {
                return Ok(Some(Parting::Stopped));
            }
            if let Fate::Dead(_) = fate {
                if let Some(parting) = self.record(end, fate).await? {
                    return Ok(Some(parting));
                }
            } else {
                count(&self.outlet.name, &fate);
            }
        }
        self.record(end, Fate::LeftOut).await
    }

    /// Sends the last notification of every open group again, to a receiver that forgets. What fails is sent the next time.
    async fn repeat(&mut self, ended: &mut BTreeSet<String>) {
        let standing = Arc::clone(&self.terms.bulletin.borrow());
        ended.retain(|group| standing.iter().any(|notification| notification.group == *group));
        for notification in standing.iter().filter(|notification| !ended.contains(&notification.group)) {
            if !(self.outlet.wants)(notification) {
                continue;
            }
            if !self.may_send().await {
                return;
            }
            match self.send(notification).await {
                Ok(()) => self.recovered(),
                Err(error) => self.failed(&error.to_string()),
            }
        }
    }

    /// One attempt. A sink that panics has failed this time, as any other.
    async fn send(&self, notification: &Notification) -> Result<(), SinkError> {
        let (sink, notification) = (Arc::clone(&self.outlet.sink), notification.clone());
        // Dropped, it ends where it is.
        let mut attempt = JoinSet::new();
        attempt.spawn(async move { sink.send(&notification).await });
        let later = |why: &str| Err(SinkError::Later { why: why.to_owned(), after: None });
        match timeout(LONGEST_ATTEMPT, attempt.join_next()).await {
            Ok(Some(Ok(sent))) => sent,
            Ok(Some(Err(_))) => {
                let sink = self.outlet.name.clone();
                metrics::counter!(names::DELIVERIES, "sink" => sink, "outcome" => "panicked").increment(1);
                later(PANICKED)
            }
            Ok(None) | Err(_) => later(NO_ANSWER),
        }
    }

    async fn attempt(&mut self, notification: &Notification, attempts: u32, from_ms: u64) -> Fate {
        if !(self.outlet.wants)(notification) {
            return Fate::LeftOut;
        }
        if !self.may_send().await {
            return Fate::Undone;
        }
        let began = Instant::now();
        let sent = self.send(notification).await;
        metrics::histogram!(names::DELIVERY, "sink" => self.outlet.name.clone()).record(began.elapsed().as_secs_f64());
        let (why, after) = match sent {
            Ok(()) => {
                self.recovered();
                return Fate::Delivered;
            }
            Err(SinkError::Never(why)) => return Fate::Dead(DeadLetter::of(notification, attempts, &why)),
            Err(SinkError::Later { why, after }) => (why, after.unwrap_or_default()),
        };
        self.failed(&why);
        let wait = jitter(attempts, RandomState::new().build_hasher().finish()).max(after);
        let too_old = now_ms().saturating_add(ms(wait)) > from_ms.saturating_add(ms(self.give_up_after));
        if too_old && attempts >= LEAST_ATTEMPTS {
            return Fate::Dead(DeadLetter::of(notification, attempts, &why));
        }
        metrics::counter!(names::DELIVERIES, "sink" => self.outlet.name.clone(), "outcome" => "retried").increment(1);
        Fate::Later(if too_old { wait.min(LONGEST_WAIT) } else { wait })
    }

    /// Waits until this worker is known to be the notifier; false says that the courier is to stop.
    async fn may_send(&mut self) -> bool {
        loop {
            if *self.stop.borrow() {
                return false;
            }
            if Instant::now() < *self.terms.held_until.borrow_and_update() {
                return true;
            }
            tokio::select! {
                changed = self.terms.held_until.changed() => if changed.is_err() { return false },
                _ = self.stop.changed() => return false,
            }
        }
    }

    /// Writes down how far the sink is; says if the courier has to stop.
    async fn record(&mut self, id: EntryId, fate: Fate) -> RedisResult<Option<Parting>> {
        let script = Script::new(include_str!("deliver.lua"));
        let mut call = script.key(NOTIFIER_LEASE);
        call.key(DELIVERED).key(DEAD_LETTERS).arg(&self.terms.token).arg(&self.outlet.name).arg(id.to_string());
        match &fate {
            Fate::Undone | Fate::Later(_) => return Ok(Some(Parting::Stopped)),
            Fate::Dead(letter) => {
                self.terms.status.sink(&self.outlet.name, Some(&letter.error));
                warn!(
                    sink = self.outlet.name,
                    notification = letter.id,
                    attempts = letter.attempts,
                    "not delivered, see {DEAD_LETTERS}: {}",
                    letter.error
                );
                call.arg(dead_letters::KEPT).arg(letter.fields(&self.outlet.name));
            }
            Fate::Delivered | Fate::LeftOut => {}
        }
        let held: bool = call.invoke_async(&mut self.terms.connection).await?;
        count(&self.outlet.name, &fate);
        Ok((!held).then_some(Parting::Fenced))
    }

    fn waiting(&self, count: usize) {
        metrics::gauge!(names::WAITING, "sink" => self.outlet.name.clone()).set(count as f64);
    }

    fn failed(&mut self, why: &str) {
        self.terms.status.sink(&self.outlet.name, Some(why));
        if self.trouble.is_news(why) {
            warn!(sink = self.outlet.name, "a delivery failed, trying again: {why}");
        }
    }

    fn recovered(&mut self) {
        self.terms.status.sink(&self.outlet.name, None);
        if self.trouble.is_over() {
            info!(sink = self.outlet.name, "takes notifications again");
        }
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        // Others know from now on.
        self.waiting(0);
    }
}

const NO_ANSWER: &str = "no answer";
const PANICKED: &str = "the code of this sink panicked, which is a bug: what it said is in the log";

fn count(sink: &str, fate: &Fate) {
    let outcome = match fate {
        Fate::Delivered => "delivered",
        Fate::LeftOut => "left_out",
        Fate::Dead(_) => "dead",
        Fate::Later(_) | Fate::Undone => return,
    };
    metrics::counter!(names::DELIVERIES, "sink" => sink.to_owned(), "outcome" => outcome).increment(1);
}

fn notification(fields: &[Vec<u8>]) -> Result<Notification, String> {
    let json = dead_letters::json(fields).ok_or("the entry has no field 'notification'")?;
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// Full jitter: anything up to a bound that doubles with each attempt, so that many senders don't come back at once.
fn jitter(attempts: u32, random: u64) -> Duration {
    let most = FIRST_WAIT.saturating_mul(1 << (attempts.saturating_sub(1)).min(20)).min(LONGEST_WAIT);
    Duration::from_millis(random % (ms(most) + 1)).max(SHORTEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_over_all_of_a_time_that_doubles_up_to_five_minutes() {
        for (attempts, most) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (u32::MAX, 300)] {
            let waits: Vec<Duration> =
                (0..1000_u64).map(|i| jitter(attempts, i.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
            let most = Duration::from_secs(most);
            assert!(waits.iter().all(|wait| (SHORTEST_WAIT..=most).contains(wait)), "{attempts}");
            let mean = waits.iter().sum::<Duration>() / 1000;
            assert!(mean > most.mul_f64(0.4) && mean < most.mul_f64(0.6), "{attempts}: {mean:?}");
        }
    }
}
