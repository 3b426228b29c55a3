//! The notifier's work while it holds the lease: read, group, write.

use crate::logs::Notice;
use crate::notify::absent::Absent;
use crate::notify::budget::Budget;
use crate::notify::clock::now_ms;
use crate::notify::groups::Heard;
use crate::notify::plan::Plan;
use crate::notify::reading::{self, AT_ONCE, Found, Place};
use crate::notify::state::{State, label};
use crate::notify::unreached::Unreached;
use crate::observe::names;
use crate::service::finder::Names;
use crate::store::connect::{Connection, is_lost};
use eddyline_wire::alert::Event;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::keys::service::{NOTIFICATIONS, NOTIFIER, NOTIFIER_LEASE};
use eddyline_wire::notification::Notification;
use eddyline_wire::text::printable;
use redis::{RedisResult, Script};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// The safety net: without a message, incidents are looked for this often.
const SWEEP: Duration = Duration::from_secs(5);
/// What was read is looked for again this often: it may have been deleted, or lost in a failover.
const CHECK: Duration = Duration::from_secs(60);
/// Notifications that are kept.
const KEPT: usize = 10_000;
/// Monitors heard of that wait to be looked at; of more, the sweep learns.
const MOST_WAKES: usize = 10_000;

const LOST: &str = "its incidents are no longer in Redis";
const GONE: &str = "nobody works on the monitor any more";

/// What the notifier knows and does.
#[derive(Debug)]
pub(super) struct Desk {
    pub connection: Connection,
    pub token: String,
    pub deployment: String,
    pub state: State,
    /// Monitors of which there is something to read.
    awake: BTreeSet<Vec<u8>>,
    swept: Option<Instant>,
    checked: Option<Instant>,
    absent: Absent,
    unread: Notice,
    unreached: Unreached,
}

impl Desk {
    /// With what the last notifier left.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn open(mut connection: Connection, token: String, deployment: String) -> RedisResult<Self> {
        let left: Option<Vec<u8>> = redis::cmd("GET").arg(NOTIFIER).query_async(&mut connection).await?;
        let state = match left.map(|left| State::decode(&left)) {
            None => State::default(),
            Some(Ok(state)) => state,
            Some(Err(why)) => {
                warn!("{NOTIFIER} isn't used, open incidents are told again: {why}");
                State::default()
            }
        };
        Ok(Self {
            connection,
            token,
            deployment,
            state,
            awake: BTreeSet::new(),
            swept: None,
            checked: None,
            absent: Absent::default(),
            unread: Notice::default(),
            unreached: Unreached::default(),
        })
    }

    /// There is something new of this monitor.
    pub(super) fn wake(&mut self, monitor: Vec<u8>) {
        if self.awake.len() < MOST_WAKES {
            self.awake.insert(monitor);
        }
    }

    /// When there is something to do at the latest, if nothing is heard.
    pub(super) fn rests_until(&self, plan: &Plan) -> Instant {
        let now = Instant::now();
        if !self.awake.is_empty() {
            return now;
        }
        let sweep = self.swept.map_or(now, |swept| swept + SWEEP);
        let due = self.state.groups.next_due_ms(&plan.settings);
        due.map_or(sweep, |due| sweep.min(now + Duration::from_millis(due.saturating_sub(now_ms()))))
    }

    /// Reads what is new, and tells what is due.
    ///
    /// # Errors
    /// Trouble with Redis: what was read and not written is of no use any more.
    pub(super) async fn step(&mut self, plan: &Plan, known: Option<&Names>) -> RedisResult<Step> {
        let is_due = |at: Option<Instant>, every| at.is_none_or(|at| at.elapsed() >= every);
        let (sweep, check) = (is_due(self.swept, SWEEP), is_due(self.checked, CHECK));
        let mut monitors = std::mem::take(&mut self.awake);
        if sweep {
            monitors.extend(known.into_iter().flat_map(|known| known.iter().cloned()));
            monitors.extend(self.state.read.keys().cloned());
        }
        self.state.groups.be_at(now_ms());
        // As long as nobody can say, those that were read before are the monitors.
        let read: Vec<Vec<u8>> = self.state.read.keys().cloned().collect();
        let budget = plan.budget(known.map_or(&read, |known| known.as_slice()));
        let mut changed = self.read(monitors, sweep && check, plan, budget, known).await?;
        if sweep && check {
            changed |= self.end_absent(known).await?;
            self.checked = Some(Instant::now());
        }
        if sweep {
            self.swept = Some(Instant::now());
        }
        let notifications = self.state.groups.tell(&self.deployment, &plan.settings);
        if !changed && notifications.is_empty() {
            return Ok(Step::Nothing);
        }
        Ok(if self.write(&notifications).await? { Step::Written } else { Step::Fenced })
    }

    /// Reads of these monitors; says whether anything changed.
    async fn read(
        &mut self,
        monitors: BTreeSet<Vec<u8>>,
        check: bool,
        plan: &Plan,
        budget: Budget,
        known: Option<&Names>,
    ) -> RedisResult<bool> {
        let place = |monitor: Vec<u8>| {
            let read = self.state.read.get(&monitor).copied();
            Companions::of(&monitor).ok().map(|keys| Place { monitor, keys, read })
        };
        let is_cluster = self.connection.is_cluster();
        let places: Vec<Place> = self.unreached.pass(monitors).into_iter().filter_map(place).collect();
        let mut changed = false;
        for places in places.chunks(AT_ONCE) {
            let mut all = Vec::new();
            for (monitor, found) in reading::look(&self.connection, places, check).await {
                match found {
                    Ok(found) => {
                        self.unreached.reach(&monitor);
                        all.push(found);
                    }
                    Err(error) if is_lost(&error) && !is_cluster => return Err(error),
                    // The others' notifications go out meanwhile.
                    Err(error) if is_lost(&error) => self.unreached.miss(monitor, &error),
                    Err(error) => {
                        let why = format!("incidents of {} can't be read: {error}", printable(&monitor, 128));
                        if self.unread.is_news(&why) {
                            warn!("{why}");
                        }
                    }
                }
            }
            // A monitor that was renamed is lost under one name before it is found under the other.
            for lost in all.iter().filter(|found| found.lost) {
                self.state.groups.lose(&label(&lost.monitor), LOST);
                changed = true;
            }
            for found in all {
                changed |= self.take(found, plan, budget, known);
            }
        }
        Ok(changed)
    }

    fn take(&mut self, found: Found, plan: &Plan, budget: Budget, known: Option<&Names>) -> bool {
        let mut changed = false;
        let label = label(&found.monitor);
        for alert in found.alerts {
            match alert {
                Ok(alert) => {
                    let opens = alert.event == Event::Opened;
                    match self.state.groups.hear(&label, alert, budget, &plan.settings) {
                        Heard::Grouped => changed = true,
                        Heard::NotRareEnough if opens => {
                            metrics::counter!(names::NOT_NOTIFIED, "reason" => "budget").increment(1);
                            self.state.untold.count(&label, now_ms());
                            changed = true;
                        }
                        Heard::NotRareEnough | Heard::NeverTold | Heard::Unknown => {}
                    }
                }
                Err(why) => warn!(monitor = printable(&found.monitor, 128), "an alert can't be read: {why}"),
            }
        }
        if found.more {
            self.wake(found.monitor.clone());
        }
        let is_known = known.is_some_and(|known| known.binary_search(&found.monitor).is_ok());
        // Of what isn't there and isn't listed, nothing is kept.
        let before = if found.read > EntryId::default() || is_known {
            self.state.read.insert(found.monitor, found.read).filter(|before| *before == found.read).is_none()
        } else {
            self.state.read.remove(&found.monitor).is_some()
        };
        changed || before
    }

    /// Ends incidents of monitors that nobody works on any more.
    async fn end_absent(&mut self, known: Option<&Names>) -> RedisResult<bool> {
        let Some(known) = known else { return Ok(false) };
        let open: BTreeSet<String> = self.state.groups.monitors().map(str::to_owned).collect();
        let unlisted = |monitor: &&Vec<u8>| {
            // While its server doesn't answer, nobody can say.
            let is_reached = !self.unreached.has(monitor);
            is_reached && open.contains(&label(monitor)) && known.binary_search(monitor).is_err()
        };
        let suspects = self.state.read.keys().filter(unlisted).cloned().collect();
        let gone = self.absent.look(&mut self.connection, suspects).await?;
        for monitor in &gone {
            self.state.groups.lose(&label(monitor), GONE);
        }
        Ok(!gone.is_empty())
    }

    /// Says whether the lease was held.
    async fn write(&mut self, notifications: &[Notification]) -> RedisResult<bool> {
        let script = Script::new(include_str!("notify.lua"));
        let mut call = script.key(NOTIFIER_LEASE);
        call.key(NOTIFIER).key(NOTIFICATIONS).arg(&self.token).arg(self.state.encode()).arg(KEPT);
        for notification in notifications {
            call.arg(&notification.group).arg(notification.event.as_str()).arg(notification.to_json());
        }
        let held: bool = call.invoke_async(&mut self.connection).await?;
        if held {
            for notification in notifications {
                let event = notification.event.as_str();
                metrics::counter!(names::NOTIFICATIONS, "event" => event).increment(1);
                info!(
                    group = notification.group,
                    event,
                    news = ?notification.news,
                    incidents = notification.incidents,
                    open = notification.open,
                    "notification: {}",
                    printable(notification.title.as_bytes(), 512)
                );
            }
        }
        Ok(held)
    }
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing was new and nothing was due.
    Nothing,
    /// What is known now stands in Redis.
    Written,
    /// Another worker notifies: nothing was written.
    Fenced,
}
