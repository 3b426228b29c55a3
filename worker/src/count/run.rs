//! The tasks that count, one a monitor, each over a connection of its own: a backlog mustn't keep scoring waiting.

use super::counter::{Counter, Progress};
use crate::logs::Notice;
use crate::store::connect::{Address, Backoff, Connection, is_lost};
use eddyline_wire::command::create::Create;
use eddyline_wire::slot::tag;
use eddyline_wire::text::printable;
use redis::RedisError;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

/// Entries that come are looked for this often, and as soon as a window is over.
const POLL: Duration = Duration::from_millis(200);
/// The least time between two looks when all is read.
const LEAST: Duration = Duration::from_millis(10);
/// After a refusal, and for a free lease.
const RETRY: Duration = Duration::from_secs(1);
/// How long the last state may take at shutdown.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Starts a task for each monitor; they end when `stop` turns true.
pub fn spawn(address: &Address, counted: Vec<Create>, worker: &str, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for create in counted {
        tasks.spawn(run(address.clone(), create, worker.to_owned(), stop.clone()));
    }
    tasks
}

async fn run(address: Address, create: Create, worker: String, mut stop: watch::Receiver<bool>) {
    let hint = slot_hint(&create);
    let mut counter = Counter::new(create, &worker);
    let (mut backoff, mut trouble) = (Backoff::default(), Notice::default());
    while !*stop.borrow() {
        let connected = tokio::select! {
            connected = address.connect() => connected,
            _ = stop.changed() => return,
        };
        let why = match connected {
            Ok((connection, _pushes)) => {
                let began = Instant::now();
                let Some(error) = session(&mut counter, connection, &mut trouble, &hint, &mut stop).await else {
                    return;
                };
                if began.elapsed() > Duration::from_secs(10) {
                    backoff = Backoff::default();
                }
                error
            }
            Err(error) => error,
        };
        counter.disconnected();
        if trouble.is_news(&why.to_string()) {
            warn!(monitor = counter.name(), "no connection to count over, trying again: {why}");
        }
        tokio::select! {
            () = sleep(backoff.next_wait()) => {}
            _ = stop.changed() => {}
        }
    }
}

/// One connection's life; how it was lost, or none where the task is to end.
async fn session(
    counter: &mut Counter,
    mut connection: Connection,
    trouble: &mut Notice,
    hint: &str,
    stop: &mut watch::Receiver<bool>,
) -> Option<RedisError> {
    loop {
        let step = tokio::select! {
            biased;
            step = counter.step(&mut connection) => step,
            // a server that hangs doesn't keep the worker from ending
            () = long_stopped(stop.clone()) => return None,
        };
        let wait = match step {
            Ok(progress) => {
                if trouble.is_over() {
                    info!(monitor = counter.name(), "counts again");
                }
                match progress {
                    Progress::More => Duration::ZERO,
                    Progress::CaughtUp(left) => left.unwrap_or(POLL).clamp(LEAST, POLL),
                    Progress::Elsewhere(left) => left.clamp(LEAST, RETRY),
                }
            }
            Err(error) if is_lost(&error) => return Some(error),
            Err(error) => {
                if trouble.is_news(&error.to_string()) {
                    let hint = if matches!(error.code(), Some("CROSSSLOT" | "MOVED")) { hint } else { "" };
                    warn!(monitor = counter.name(), "can't count, trying again every second: {error}{hint}");
                }
                RETRY
            }
        };
        tokio::select! {
            biased;
            _ = stop.changed() => {
                match timeout(FAREWELL, counter.leave(&mut connection)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => warn!(monitor = counter.name(), "what was counted last isn't written: {error}"),
                    Err(_) => warn!(monitor = counter.name(), "what was counted last could not be written in time"),
                }
                return None;
            }
            () = sleep(wait) => {}
        }
    }
}

async fn long_stopped(mut stop: watch::Receiver<bool>) {
    // without anybody who could say so, it never stops
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(FAREWELL).await;
}

/// What to do where the server says that keys lie in different slots.
fn slot_hint(create: &Create) -> String {
    let stream = create.sources.first().map(Vec::as_slice).unwrap_or_default();
    let tag = printable(tag(stream), 64);
    format!(
        "; in a cluster a monitor needs the hash slot of its streams: name it such as {{{tag}}}:checkout, with --redis of the node that has it"
    )
}
