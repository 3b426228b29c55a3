//! `eddyline worker`: finds monitors and keeps one task at work for each, over as many connections as it takes.

use crate::logs::Notice;
use crate::service::scorer::{Context, Progress, Scorer};
use crate::store::connect::{Address, Backoff, Connection, is_lost};
use crate::store::discovery::{self, NO_MODULE, Push};
use crate::store::search::{self, Search};
use eddyline_wire::text::printable;
use redis::{PushInfo, RedisError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

/// The safety net: without any wake-up, monitors and fingerprints are looked for this often.
const SWEEP: Duration = Duration::from_secs(1);
/// How long the last checkpoints may take at shutdown.
const FAREWELL: Duration = Duration::from_secs(5);

/// A worker that isn't running yet.
#[derive(Debug)]
pub struct Worker {
    /// Where Redis is.
    pub address: Address,
    /// What all monitors share.
    pub context: Arc<Context>,
}

/// Why a session ended.
enum End {
    Stopped,
    Lost(String),
}

/// A monitor's task, as the session sees it.
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

type Tasks = JoinSet<(Scorer, Parting)>;

impl Worker {
    /// Works until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut scorers = HashMap::new();
        let (mut backoff, mut trouble) = (Backoff::default(), Notice::default());
        self.context.status.redis(|redis| redis.address = self.address.shown().to_owned());
        while !*stop.borrow() {
            self.context.status.beat();
            let why = match self.address.connect().await {
                Ok((connection, pushes)) => {
                    let began = tokio::time::Instant::now();
                    trouble.is_over();
                    info!(redis = self.address.shown(), worker = self.context.worker, "connected");
                    self.context.status.redis(|redis| (redis.connected, redis.error) = (true, None));
                    match self.session(&mut scorers, connection, pushes, stop.clone()).await {
                        End::Stopped => break,
                        End::Lost(why) => {
                            if began.elapsed() > Duration::from_secs(10) {
                                backoff = Backoff::default();
                            }
                            why
                        }
                    }
                }
                Err(error) => error.to_string(),
            };
            self.context.status.redis(|redis| (redis.connected, redis.error) = (false, Some(why.clone())));
            if trouble.is_news(&why) {
                warn!(redis = self.address.shown(), "no connection, trying again: {why}");
            }
            tokio::select! {
                () = sleep(backoff.next_wait()) => {}
                _ = stop.changed() => {}
            }
        }
        info!("stopped");
    }

    /// One connection's life. Scorers outlive it.
    async fn session(
        &self,
        scorers: &mut HashMap<Vec<u8>, Scorer>,
        mut connection: Connection,
        mut pushes: mpsc::UnboundedReceiver<PushInfo>,
        mut stop: watch::Receiver<bool>,
    ) -> End {
        if let Err(error) = discovery::subscribe(&mut connection).await {
            return End::Lost(error.to_string());
        }
        let mut search = Search::default();
        for (name, scorer) in scorers.iter_mut() {
            scorer.reconnected();
            search.hear(name.clone());
        }
        let mut running: HashMap<Vec<u8>, Task> = HashMap::new();
        let mut tasks = Tasks::new();
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut trouble, mut unsearched) = (Notice::default(), Notice::default());
        let end = loop {
            tokio::select! {
                _ = stop.changed() => break End::Stopped,
                push = pushes.recv() => match push.map(Push::from) {
                    Some(Push::Closed(name)) => {
                        match running.get(&name) {
                            Some(task) => task.wake.notify_one(),
                            None => search.hear(name),
                        }
                    }
                    Some(Push::Other) => {}
                    Some(Push::Disconnected) | None => break End::Lost("the connection was closed".to_owned()),
                },
                _ = sweep.tick() => match self.names(&mut connection, &mut search, &mut trouble, &mut unsearched).await {
                    Ok(Some(names)) => {
                        running.retain(|name, task| names.contains(name) || task.leave.send(true).is_err());
                        for name in names {
                            self.attend(name, &connection, scorers, &mut running, &mut tasks);
                        }
                    }
                    Ok(None) => {}
                    Err(error) => break End::Lost(error.to_string()),
                },
                Some(done) = tasks.join_next() => {
                    if let Some(error) = settle(done, scorers, &mut running) {
                        break End::Lost(error.to_string());
                    }
                }
            }
        };
        if matches!(end, End::Stopped) {
            for task in running.values() {
                let _ = task.leave.send(true);
            }
        } else {
            running.clear();
        }
        let all_done = async {
            while let Some(done) = tasks.join_next().await {
                settle(done, scorers, &mut running);
            }
        };
        if tokio::time::timeout(FAREWELL, all_done).await.is_err() {
            warn!("some monitors' last checkpoints could not be written in time");
        }
        end
    }

    /// Every monitor to work on; none where that isn't known now.
    async fn names(
        &self,
        connection: &mut Connection,
        search: &mut Search,
        trouble: &mut Notice,
        unsearched: &mut Notice,
    ) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        match search.go_on(connection).await {
            Ok(()) => drop(unsearched.is_over()),
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => {
                if unsearched.is_news(&error.to_string()) {
                    let hint = if search::is_forbidden(&error) { "; name them with --monitor" } else { "" };
                    warn!("vector monitors can't be looked for{hint}: {error}");
                }
            }
        }
        let named = self.context.live.borrow().monitors.clone();
        let mut names: Vec<Vec<u8>> = named.into_iter().map(String::into_bytes).collect();
        names.extend(search.names().cloned());
        match discovery::list(connection).await {
            Ok(Some(listed)) => {
                if trouble.is_over() {
                    info!("monitors are listed now");
                }
                names.extend(listed);
            }
            Ok(None) => {
                if names.is_empty() && trouble.is_news(NO_MODULE) {
                    error!("{NO_MODULE}");
                }
            }
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => {
                if trouble.is_news(&error.to_string()) {
                    warn!("monitors can't be listed, trying again every second: {error}");
                }
                return Ok(None);
            }
        }
        names.sort();
        names.dedup();
        Ok(Some(names))
    }

    fn attend(
        &self,
        name: Vec<u8>,
        connection: &Connection,
        scorers: &mut HashMap<Vec<u8>, Scorer>,
        running: &mut HashMap<Vec<u8>, Task>,
        tasks: &mut Tasks,
    ) {
        if running.contains_key(&name) {
            return;
        }
        let scorer = match scorers.remove(&name) {
            Some(scorer) => scorer,
            None => match Scorer::new(&self.context, &name) {
                Ok(scorer) => scorer,
                Err(error) => {
                    error!(monitor = printable(&name, 128), "{error}");
                    return;
                }
            },
        };
        let wake = Arc::new(Notify::new());
        let (leave, left) = watch::channel(false);
        running.insert(name, Task { wake: Arc::clone(&wake), leave });
        tasks.spawn(work(scorer, connection.clone(), wake, left));
    }
}

/// Puts a finished task's scorer away until there is a connection again; its error, if it saw the last one go.
fn settle(
    done: Result<(Scorer, Parting), tokio::task::JoinError>,
    scorers: &mut HashMap<Vec<u8>, Scorer>,
    running: &mut HashMap<Vec<u8>, Task>,
) -> Option<RedisError> {
    match done {
        Ok((_, Parting::Left)) => None,
        Ok((scorer, Parting::Lost(error))) => {
            running.remove(scorer.monitor());
            scorers.insert(scorer.monitor().to_vec(), scorer);
            error
        }
        Err(error) => {
            // The next sweep starts it anew; which one it was is in the panic's own message.
            error!("a monitor's task ended unexpectedly: {error}");
            running.retain(|_, task| task.leave.receiver_count() > 0);
            None
        }
    }
}

/// One monitor's task.
async fn work(
    mut scorer: Scorer,
    mut connection: Connection,
    wake: Arc<Notify>,
    mut leave: watch::Receiver<bool>,
) -> (Scorer, Parting) {
    let mut trouble = Notice::default();
    loop {
        let progress = scorer.step(&mut connection).await;
        match &progress {
            Ok(_) => {
                if trouble.is_over() {
                    info!(monitor = printable(scorer.monitor(), 128), "works again");
                }
            }
            Err(error) if is_lost(error) => return (scorer, Parting::Lost(progress.err())),
            Err(error) => {
                if trouble.is_news(&error.to_string()) {
                    warn!(monitor = printable(scorer.monitor(), 128), "trying again every second: {error}");
                }
            }
        }
        let more = matches!(progress, Ok(Progress::More));
        let ours = matches!(progress, Ok(Progress::CaughtUp));
        // A dead worker's lease is taken as soon as it runs out.
        let runs_out = match progress {
            Ok(Progress::Elsewhere(left)) if left < SWEEP => left + Duration::from_millis(5),
            _ => SWEEP,
        };
        tokio::select! {
            biased;
            changed = leave.changed() => {
                if changed.is_err() {
                    return (scorer, Parting::Lost(None));
                }
                if let Err(error) = scorer.leave(&mut connection).await {
                    warn!(monitor = printable(scorer.monitor(), 128), "last checkpoint not written: {error}");
                }
                return (scorer, Parting::Left);
            }
            () = std::future::ready(()), if more => {}
            () = wake.notified(), if ours => {}
            () = sleep(runs_out) => {}
        }
    }
}
