//! The gateway's connection to Redis: made anew whenever it is lost.

use super::errors::Problem;
use crate::logs::Notice;
use crate::service::status::Status;
use crate::store::connect::{Address, Backoff, Connection, is_lost, told};
use crate::store::discovery::Push;
use redis::RedisError;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, sleep};
use tracing::{info, warn};

/// Reports of lost connections that wait to be heard; one is enough.
const REPORTS: usize = 16;
const BEAT: Duration = Duration::from_secs(1);

/// The connection of the moment, and what number it has among those there were.
#[derive(Debug, Clone)]
pub struct Current {
    /// To speak over.
    pub connection: Connection,
    /// From 1.
    pub number: u64,
}

/// Hears what connections answer.
#[derive(Debug, Clone)]
pub struct Reporter(mpsc::Sender<u64>);

impl Reporter {
    /// Connection `number` answered with this. If that means that it is lost, another one is made.
    pub fn report(&self, number: u64, error: &RedisError) {
        if is_lost(error) {
            let _ = self.0.try_send(number);
        }
    }
}

/// The connection to Redis, or why there is none.
#[derive(Debug)]
pub struct Link {
    address: Address,
    current: watch::Sender<Result<Current, Problem>>,
    lost: Reporter,
    reports: std::sync::Mutex<Option<mpsc::Receiver<u64>>>,
}

impl Link {
    /// To this Redis, not connected.
    #[must_use]
    pub fn to(address: Address) -> Self {
        let (lost, reports) = mpsc::channel(REPORTS);
        Self {
            address,
            current: watch::Sender::new(Err(Problem::unavailable())),
            lost: Reporter(lost),
            reports: std::sync::Mutex::new(Some(reports)),
        }
    }

    /// Where it goes.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The connection of the moment.
    ///
    /// # Errors
    /// There is none.
    pub fn connection(&self) -> Result<Connection, Problem> {
        self.current().map(|current| current.connection)
    }

    /// The same with its number, for whom it matters which one was lost.
    ///
    /// # Errors
    /// There is none.
    pub fn current(&self) -> Result<Current, Problem> {
        self.current.borrow().clone()
    }

    /// Whether the connection of the moment is to a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.current.borrow().as_ref().is_ok_and(|current| current.connection.is_cluster())
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.current.borrow().is_ok()
    }

    /// Hears of connections that come and go.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Result<Current, Problem>> {
        self.current.subscribe()
    }

    /// To whom errors are told.
    #[must_use]
    pub fn reporter(&self) -> Reporter {
        self.lost.clone()
    }

    /// Keeps it connected until `stop` turns true; `status` hears of it. Only the first call does.
    pub async fn keep(&self, status: &Status, mut stop: watch::Receiver<bool>) {
        let reports = self.reports.lock().ok().and_then(|mut reports| reports.take());
        let Some(mut reports) = reports else { return };
        let (mut backoff, mut trouble, mut number) = (Backoff::default(), Notice::default(), 0);
        status.redis(|redis| redis.address = self.address.shown().to_owned());
        while !*stop.borrow() {
            status.beat();
            let connected = tokio::select! {
                connected = self.address.connect() => connected,
                _ = stop.changed() => break,
            };
            let (why, problem) = match connected {
                Ok((connection, pushes)) => {
                    number += 1;
                    trouble.is_over();
                    backoff = Backoff::default();
                    info!(redis = self.address.shown(), "the gateway is connected");
                    status.redis(|redis| (redis.connected, redis.error) = (true, None));
                    let is_cluster = connection.is_cluster();
                    self.current.send_modify(|now| *now = Ok(Current { connection, number }));
                    let lost = until_lost(number, is_cluster, pushes, &mut reports, status);
                    let stopped = tokio::select! {
                        () = lost => false,
                        _ = stop.changed() => true,
                    };
                    if stopped {
                        break;
                    }
                    ("the connection was lost".to_owned(), None)
                }
                Err(error) => (told(&error), Problem::forbidden(&error)),
            };
            let problem = problem.unwrap_or_else(Problem::unavailable);
            self.current.send_modify(|now| *now = Err(problem));
            status.redis(|redis| (redis.connected, redis.error) = (false, Some(why.clone())));
            if trouble.is_news(&why) {
                warn!(redis = self.address.shown(), "the gateway has no connection, trying again: {why}");
            }
            tokio::select! {
                () = sleep(backoff.next_wait()) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

async fn until_lost(
    number: u64,
    is_cluster: bool,
    mut pushes: mpsc::Receiver<redis::PushInfo>,
    reports: &mut mpsc::Receiver<u64>,
    status: &Status,
) {
    let mut beats = interval(BEAT);
    loop {
        tokio::select! {
            push = pushes.recv() => match push.map(Push::from) {
                // A cluster's client connects to a lost node by itself.
                Some(Push::Disconnected) if is_cluster => {}
                Some(Push::Disconnected) | None => return,
                Some(_) => {}
            },
            // What was said of an earlier connection says nothing about this one.
            Some(lost) = reports.recv() => if lost == number && !is_cluster { return },
            _ = beats.tick() => status.beat(),
        }
    }
}
