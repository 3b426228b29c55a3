//! One task for each monitor, for as long as a connection lasts.

use crate::service::context::Context;
use crate::service::scorer::{Progress, Scorer};
use crate::store::connect::{Connection, is_lost, jittered, told};
use eddyline_wire::text::printable;
use redis::RedisError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;
use tracing::{error, warn};

/// The safety net: without any wake-up, fingerprints are looked for this often.
const SWEEP: Duration = Duration::from_secs(1);

/// A monitor's task, as the session sees it.
#[derive(Debug)]
struct Task {
    wake: Arc<Notify>,
    /// Set to true: leave. Dropped: the connection is gone.
    leave: watch::Sender<bool>,
}

/// How a monitor's task ended.
enum Parting {
    /// The monitor is left to others.
    Left,
    /// The connection is gone; here with the error if this task was the first to see one.
    Lost(Option<RedisError>),
}

/// Scorers that outlive a connection, by monitor.
pub(super) type Scorers = HashMap<Vec<u8>, Scorer>;

/// The tasks at work over one connection.
pub(super) struct Tasks<'a> {
    context: &'a Arc<Context>,
    connection: Connection,
    idle: &'a mut Scorers,
    running: HashMap<Vec<u8>, Task>,
    set: JoinSet<(Scorer, Parting)>,
}

impl<'a> Tasks<'a> {
    /// None yet.
    pub(super) fn new(context: &'a Arc<Context>, connection: Connection, idle: &'a mut Scorers) -> Self {
        Self { context, connection, idle, running: HashMap::new(), set: JoinSet::new() }
    }

    /// Wakes a monitor's task; says whether there is one.
    pub(super) fn wake(&self, monitor: &[u8]) -> bool {
        let task = self.running.get(monitor);
        task.inspect(|task| task.wake.notify_one()).is_some()
    }

    /// Keeps a task at work for each of these monitors, which are in order, and for no other.
    pub(super) fn attend(&mut self, monitors: &[Vec<u8>]) {
        let is_named = |name: &Vec<u8>| monitors.binary_search(name).is_ok();
        self.running.retain(|name, task| is_named(name) || task.leave.send(true).is_err());
        self.idle.retain(|name, _| {
            let stays = is_named(name);
            if !stays {
                self.context.status.forget(name);
            }
            stays
        });
        for name in monitors {
            if !self.running.contains_key(name) {
                self.start(name.clone());
            }
        }
    }

    fn start(&mut self, name: Vec<u8>) {
        let scorer = match self.idle.remove(&name) {
            Some(scorer) => scorer,
            None => match Scorer::new(self.context, &name) {
                Ok(scorer) => scorer,
                Err(error) => {
                    error!(monitor = printable(&name, 128), "{error}");
                    return;
                }
            },
        };
        let wake = Arc::new(Notify::new());
        let (leave, left) = watch::channel(false);
        self.running.insert(name, Task { wake: Arc::clone(&wake), leave });
        self.set.spawn(work(Arc::clone(self.context), scorer, self.connection.clone(), wake, left));
    }

    /// The next task that ends; its error, if it is the first to see the connection go. Waits for ever without tasks.
    pub(super) async fn next_lost(&mut self) -> RedisError {
        loop {
            match self.set.join_next().await {
                None => std::future::pending().await,
                Some(done) => {
                    if let Some(error) = self.settle(done) {
                        return error;
                    }
                }
            }
        }
    }

    /// Asks every task to leave its monitor, or where the connection is gone to let it be, and waits for all.
    pub(super) async fn finish(&mut self, is_connected: bool) {
        if is_connected {
            for task in self.running.values() {
                let _ = task.leave.send(true);
            }
        } else {
            self.running.clear();
        }
        while let Some(done) = self.set.join_next().await {
            self.settle(done);
        }
    }

    /// Puts a finished task's scorer away until there is a connection again.
    fn settle(&mut self, done: Result<(Scorer, Parting), JoinError>) -> Option<RedisError> {
        match done {
            Ok((scorer, Parting::Left)) => {
                // Unless it was found again meanwhile.
                if !self.running.contains_key(scorer.monitor()) {
                    self.context.status.forget(scorer.monitor());
                }
                None
            }
            Ok((mut scorer, Parting::Lost(error))) => {
                self.running.remove(scorer.monitor());
                scorer.reconnected();
                self.idle.insert(scorer.monitor().to_vec(), scorer);
                error
            }
            Err(error) => {
                // The next sweep starts it anew; which one it was is in the panic's own message.
                error!("a monitor's task ended unexpectedly: {error}");
                self.running.retain(|_, task| task.leave.receiver_count() > 0);
                None
            }
        }
    }
}

/// One monitor's task.
async fn work(
    context: Arc<Context>,
    mut scorer: Scorer,
    mut connection: Connection,
    wake: Arc<Notify>,
    mut leave: watch::Receiver<bool>,
) -> (Scorer, Parting) {
    loop {
        let progress = scorer.step(&mut connection).await;
        let (is_ours, pause) = match progress {
            // Losing a lease, say, doesn't mean that anything works again.
            Ok(Progress::More) => (true, Duration::ZERO),
            Ok(Progress::CaughtUp) => {
                context.troubles.over(scorer.monitor());
                (true, SWEEP)
            }
            Ok(Progress::Elsewhere(look_again)) => {
                context.troubles.over(scorer.monitor());
                (false, look_again)
            }
            // A cluster's client connects to a lost server again; the others' monitors go on meanwhile.
            Err(error) if is_lost(&error) && !connection.is_cluster() => return (scorer, Parting::Lost(Some(error))),
            Err(error) => {
                context.troubles.meet(scorer.monitor(), &error);
                scorer.failed(&error);
                (false, jittered(SWEEP + SWEEP / 2))
            }
        };
        tokio::select! {
            biased;
            changed = leave.changed() => {
                context.troubles.over(scorer.monitor());
                if changed.is_err() {
                    return (scorer, Parting::Lost(None));
                }
                if let Err(error) = scorer.leave(&mut connection).await {
                    warn!(monitor = printable(scorer.monitor(), 128), "last checkpoint not written: {}", told(&error));
                }
                return (scorer, Parting::Left);
            }
            () = std::future::ready(()), if pause.is_zero() => {}
            () = wake.notified(), if is_ours => {}
            () = sleep(pause) => {}
        }
    }
}
