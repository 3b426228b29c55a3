//! The notifier: one worker at a time, by lease, reads what all of them find and tells people.
//!
//! It has a connection of its own. Whatever goes wrong on the way, what it knew is dropped and loaded anew from what Redis
//! holds, by this worker or another.

use crate::logs::Notice;
use crate::notify::deliveries::{Deliveries, Terms};
use crate::notify::delivery::{Bulletin, Parting};
use crate::notify::desk::{Desk, Step};
use crate::notify::plan::Plan;
use crate::service::finder::Names;
use crate::service::status::Status;
use crate::service::troubles;
use crate::store::connect::{Address, Backoff, Connection, code, is_lost};
use crate::store::lease::{EXPIRY, Lease, RENEWAL, Taking};
use eddyline_wire::keys::ALERTS;
use eddyline_wire::keys::service::{NOTIFIER_LEASE, NOTIFIER_TOKENS};
use redis::{PushInfo, PushKind, RedisResult, Value};
use serde::Deserialize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

/// The lease is looked after this often, whatever else there is to do.
const LOOK: Duration = Duration::from_secs(1);
/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(10);
/// How long giving everything back may take at the end.
const FAREWELL: Duration = Duration::from_millis(1500);
/// Longest message of which the monitor's name is read; of others, the sweep learns.
const LONGEST: usize = 64 * 1024;

/// A notifier that isn't running yet.
#[derive(Debug)]
pub struct Notifier {
    /// Where Redis is.
    pub address: Address,
    /// Name of the deployment.
    pub deployment: String,
    /// Name of this worker process.
    pub worker: String,
    /// Which monitors there are; none before that is known.
    pub monitors: watch::Receiver<Option<Names>>,
    /// What it goes by.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// Where sinks that fail are told.
    pub status: Arc<Status>,
}

/// How the work ended.
enum End {
    Stopped,
    /// Another worker notifies.
    Fenced,
    /// There is nobody to tell any more: another worker may know whom.
    Idle,
    /// The connection is gone.
    Lost,
}

impl Notifier {
    /// Works until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let (mut backoff, mut trouble) = (Backoff::default(), Notice::default());
        while !*stop.borrow() {
            // Who has nobody to tell needs no connection, and leaves it to a worker that has.
            while self.plan.borrow_and_update().outlets.is_empty() {
                tokio::select! {
                    changed = self.plan.changed() => if changed.is_err() { return },
                    _ = stop.changed() => return,
                }
                trouble = Notice::default();
            }
            let began = Instant::now();
            let connected = tokio::select! {
                connected = self.address.connect() => connected,
                _ = stop.changed() => break,
            };
            let ended = match connected {
                Ok((connection, pushes)) => tokio::select! {
                    ended = self.session(connection, pushes, stop.clone(), &mut trouble) => ended,
                    () = farewell(stop.clone()) => break,
                },
                Err(error) => Err(error),
            };
            let why = match ended {
                Ok(End::Stopped) => break,
                Ok(End::Fenced | End::Idle) => continue,
                Ok(End::Lost) => "the connection was closed".to_owned(),
                Err(error) => {
                    troubles::count(code(&error));
                    error.to_string()
                }
            };
            if began.elapsed() > GOOD {
                backoff = Backoff::default();
            }
            if trouble.is_news(&why) {
                warn!(redis = self.address.shown(), "notifications wait, trying again: {why}");
            }
            tokio::select! {
                () = sleep(backoff.next_wait()) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// One connection's life: waits for the lease, then works.
    async fn session(
        &mut self,
        mut connection: Connection,
        mut pushes: mpsc::Receiver<PushInfo>,
        mut stop: watch::Receiver<bool>,
        trouble: &mut Notice,
    ) -> RedisResult<End> {
        let is_cluster = connection.is_cluster();
        let mut lease = loop {
            if self.plan.borrow_and_update().outlets.is_empty() {
                return Ok(End::Idle);
            }
            let (lease, tokens) = (NOTIFIER_LEASE.as_bytes(), NOTIFIER_TOKENS.as_bytes());
            let left = match Lease::take(&mut connection, lease, tokens, &self.worker).await? {
                Taking::Taken(lease) => break lease,
                Taking::Elsewhere(left) => left,
            };
            is_over(trouble);
            // A dead notifier's lease is taken as soon as it runs out.
            let wait = left.map_or(LOOK, |left| LOOK.min(left + Duration::from_millis(5)));
            tokio::select! {
                () = sleep(wait) => {}
                _ = stop.changed() => return Ok(End::Stopped),
                push = pushes.recv() => if is_end(push.as_ref(), is_cluster) { return Ok(End::Lost) },
            }
        };
        info!(token = lease.token().as_str(), "notifying for all workers");
        let end = self.hold(connection.clone(), &mut lease, &mut pushes, stop, trouble).await;
        self.status.forget_sinks();
        match &end {
            Ok(End::Fenced) => warn!("the notifier's lease ran out or is another worker's"),
            Ok(End::Lost) => {}
            Err(error) if is_lost(error) => {}
            Ok(End::Stopped | End::Idle) | Err(_) => {
                if let Err(error) = lease.give_back(&mut connection, NOTIFIER_LEASE.as_bytes()).await {
                    warn!("the notifier's lease isn't given back, it runs out by itself: {error}");
                }
            }
        }
        end
    }

    /// Works as long as the lease is held.
    async fn hold(
        &mut self,
        mut connection: Connection,
        lease: &mut Lease,
        pushes: &mut mpsc::Receiver<PushInfo>,
        mut stop: watch::Receiver<bool>,
        trouble: &mut Notice,
    ) -> RedisResult<End> {
        let token = lease.token().as_str().to_owned();
        if let Err(error) = connection.subscribe(ALERTS).await {
            if is_lost(&error) {
                return Err(error);
            }
            warn!("{ALERTS} can't be heard, incidents are looked for every few seconds: {error}");
        }
        let mut desk = Desk::open(connection.clone(), token.clone(), self.deployment.clone()).await?;
        let mut plan = Arc::clone(&self.plan.borrow_and_update());
        let (held, held_until) = watch::channel(Instant::now() + EXPIRY - RENEWAL);
        let (post, bulletin) = watch::channel(Bulletin::new(desk.state.groups.standing(&self.deployment)));
        let status = Arc::clone(&self.status);
        let terms = Terms { connection: connection.clone(), token, held_until, bulletin, status };
        let mut deliveries = Deliveries::start(terms, &plan).await?;
        loop {
            let now = Instant::now();
            if !keep(lease, &mut connection, &held).await? {
                return Ok(End::Fenced);
            }
            let monitors = self.monitors.borrow_and_update().clone();
            let step = {
                let mut step = pin!(desk.step(&plan, monitors.as_ref()));
                loop {
                    tokio::select! {
                        biased;
                        step = &mut step => break step?,
                        // Some of a cluster's servers may take long to answer, or never do.
                        () = sleep(RENEWAL) => if !keep(lease, &mut connection, &held).await? {
                            return Ok(End::Fenced);
                        },
                    }
                }
            };
            match step {
                Step::Nothing => {}
                Step::Written => drop(post.send_replace(Bulletin::new(desk.state.groups.standing(&self.deployment)))),
                Step::Fenced => return Ok(End::Fenced),
            }
            is_over(trouble);
            tokio::select! {
                _ = stop.changed() => {
                    deliveries.stop().await;
                    return Ok(End::Stopped);
                }
                changed = self.plan.changed() => {
                    if changed.is_err() {
                        return Ok(End::Stopped);
                    }
                    plan = Arc::clone(&self.plan.borrow_and_update());
                    deliveries.change(&plan).await?;
                    if plan.outlets.is_empty() {
                        return Ok(End::Idle);
                    }
                }
                push = pushes.recv() => {
                    if is_end(push.as_ref(), connection.is_cluster()) {
                        return Ok(End::Lost);
                    }
                    desk.extend(push);
                    while let Ok(push) = pushes.try_recv() {
                        desk.extend(Some(push));
                    }
                }
                ended = deliveries.ended() => return match ended? {
                    Parting::Fenced => Ok(End::Fenced),
                    Parting::Stopped => Ok(End::Lost),
                },
                () = sleep_until(desk.rests_until(&plan).min(now + LOOK)) => {}
            }
        }
    }
}

/// Until it has been time to stop for so long that what isn't over never will be.
async fn farewell(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(FAREWELL).await;
}

fn is_over(trouble: &mut Notice) {
    if trouble.is_over() {
        info!("notifications go out again");
    }
}

/// Whether the connection is gone. A cluster's client connects to a lost server again.
fn is_end(push: Option<&PushInfo>, is_cluster: bool) -> bool {
    push.is_none_or(|push| push.kind == PushKind::Disconnection && !is_cluster)
}

/// Renews the lease when it is time to, and tells until when it is held for sure; says whether it is.
async fn keep(lease: &mut Lease, connection: &mut Connection, held: &watch::Sender<Instant>) -> RedisResult<bool> {
    let now = Instant::now();
    let is_held = lease.keep(connection, NOTIFIER_LEASE.as_bytes()).await?;
    if is_held {
        // It was renewed no longer ago than that.
        held.send_replace(now + EXPIRY - RENEWAL);
    }
    Ok(is_held)
}

impl Desk {
    fn extend(&mut self, push: Option<PushInfo>) {
        if let Some(monitor) = push.and_then(|push| monitor_in(&push)) {
            self.wake(monitor);
        }
    }
}

/// The monitor that a message on [`ALERTS`] is about.
fn monitor_in(push: &PushInfo) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Named {
        monitor: String,
    }
    let (PushKind::Message, Some(Value::BulkString(json))) = (&push.kind, push.data.get(1)) else { return None };
    let named: Named = (json.len() <= LONGEST).then(|| serde_json::from_slice(json).ok())??;
    Some(named.monitor.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> PushInfo {
        let data = vec![Value::BulkString(ALERTS.into()), Value::BulkString(text.into())];
        PushInfo { kind: PushKind::Message, data }
    }

    #[test]
    fn a_message_wakes_for_its_monitor_and_nonsense_for_none() {
        let golden = include_str!("../../../crates/wire/fixtures/alert.json");
        assert_eq!(monitor_in(&message(golden)).as_deref(), Some(&b"checkout"[..]));
        for text in ["", "{}", "{\"monitor\":1}", "[]"] {
            assert_eq!(monitor_in(&message(text)), None, "{text}");
        }
        assert_eq!(monitor_in(&message(&format!("{{\"monitor\":\"{}\"}}", "x".repeat(LONGEST)))), None);
        let subscribed = PushInfo { kind: PushKind::Subscribe, ..message(golden) };
        assert_eq!(monitor_in(&subscribed), None);
    }
}
