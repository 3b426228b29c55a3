//! One connection's life: who is heard of gets a task, whose window closed is woken.

use crate::observe::names;
use crate::service::finder::{Finder, Names};
use crate::service::tasks::{Scorers, Tasks};
use crate::service::worker::Worker;
use crate::store::connect::{Connection, told};
use crate::store::discovery::Push;
use crate::store::peers;
use redis::PushInfo;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{info, warn};

/// How long work that is under way, the last checkpoints among it, may take at shutdown.
const FAREWELL: Duration = Duration::from_millis(1500);
/// Names heard of that wait to be looked at; of more, the search through the keys learns.
const HEARD: usize = 1000;

/// How a session ended.
pub(super) enum End {
    /// The worker is to stop.
    Stopped,
    /// The connection is gone.
    Lost {
        /// Why.
        why: String,
        /// Whether it was of use before.
        was_good: bool,
    },
}

/// Works over one connection. Scorers outlive it.
pub(super) async fn run(
    worker: &Worker,
    scorers: &mut Scorers,
    mut connection: Connection,
    mut pushes: mpsc::Receiver<PushInfo>,
    found: &watch::Sender<Option<Names>>,
    mut stop: watch::Receiver<bool>,
) -> End {
    let context = &worker.context;
    let (hear, heard) = mpsc::channel(HEARD);
    for name in scorers.keys() {
        let _ = hear.try_send(name.clone());
    }
    let mut names = found.subscribe();
    // What was found over the last connection counts once this one has found as much.
    names.mark_unchanged();
    let mut finding = pin!(Finder::new(context, connection.clone()).run(heard, found));
    let mut tasks = Tasks::new(context, connection.clone(), scorers);
    let mut is_good = false;
    let lost = loop {
        tokio::select! {
            _ = stop.changed() => break None,
            error = &mut finding => break Some(told(&error)),
            error = tasks.next_lost() => break Some(told(&error)),
            Ok(()) = names.changed() => {
                if !is_good {
                    is_good = true;
                    connected(worker);
                }
                if let Some(names) = names.borrow_and_update().clone() {
                    tasks.attend(&names);
                }
                report(worker);
            }
            push = pushes.recv() => match push.map(Push::from) {
                Some(Push::Closed(name)) => {
                    if !tasks.wake(&name) {
                        let _ = hear.try_send(name);
                    }
                }
                Some(Push::Other) => {}
                Some(Push::Disconnected) if connection.is_cluster() => count_disconnect(),
                Some(Push::Disconnected) | None => break Some("the connection was closed".to_owned()),
            },
        }
    };
    let is_stopped = lost.is_none();
    if is_stopped {
        context.leave();
    }
    let farewell = async {
        tasks.finish(is_stopped).await;
        if is_stopped {
            let _ = peers::leave(&mut connection, &context.worker).await;
        }
    };
    if timeout(FAREWELL, farewell).await.is_err() {
        warn!("some monitors' last checkpoints could not be written in time");
    }
    lost.map_or(End::Stopped, |why| End::Lost { why, was_good: is_good })
}

/// The connection was of use for the first time.
fn connected(worker: &Worker) {
    info!(redis = worker.address.shown(), worker = worker.context.worker, "connected");
    worker.context.status.redis(|redis| (redis.connected, redis.error) = (true, None));
    metrics::gauge!(names::CONNECTED).set(1.0);
}

pub(super) fn count_disconnect() {
    metrics::counter!(names::DISCONNECTS).increment(1);
}

/// How the monitors fare, for who reads metrics.
fn report(worker: &Worker) {
    let (mut states, mut open) =
        (BTreeMap::from(["starting", "warming", "ready", "degraded", "elsewhere"].map(|state| (state, 0))), 0);
    worker.context.status.each(|_, status| {
        if let Some(count) = states.get_mut(status.condition.name()) {
            *count += 1;
        }
        open += status.open;
    });
    for (state, count) in states {
        metrics::gauge!(names::MONITORS, "state" => state).set(f64::from(count));
    }
    metrics::gauge!(names::OPEN).set(f64::from(open));
}
