//! `eddyline worker`: finds monitors and keeps one task at work for each, over as many connections as it takes.

use crate::logs::Notice;
use crate::observe::names;
use crate::service::context::Context;
use crate::service::finder::Names;
use crate::service::session::{self, End};
use crate::service::tasks::Scorers;
use crate::service::troubles;
use crate::store::connect::{Address, Backoff, code, told};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// A worker that isn't running yet.
#[derive(Debug)]
pub struct Worker {
    /// Where Redis is.
    pub address: Address,
    /// What all monitors share.
    pub context: Arc<Context>,
}

impl Worker {
    /// Works until `stop` turns true.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        self.run_and_tell(stop, &watch::Sender::default()).await;
    }

    /// Works until `stop` turns true, and tells which monitors there are.
    pub async fn run_and_tell(self, mut stop: watch::Receiver<bool>, found: &watch::Sender<Option<Names>>) {
        let mut scorers = Scorers::new();
        let (mut backoff, mut trouble) = (Backoff::default(), Notice::default());
        let status = &self.context.status;
        status.redis(|redis| redis.address = self.address.shown().to_owned());
        while !*stop.borrow() {
            status.beat();
            let connected = tokio::select! {
                connected = self.address.connect() => connected,
                _ = stop.changed() => break,
            };
            let why = match connected {
                Ok((connection, pushes)) => {
                    let began = Instant::now();
                    match session::run(&self, &mut scorers, connection, pushes, found, stop.clone()).await {
                        End::Stopped => break,
                        End::Lost { why, was_good } => {
                            session::count_disconnect();
                            if was_good {
                                trouble.is_over();
                            }
                            if was_good && began.elapsed() > GOOD {
                                backoff = Backoff::default();
                            }
                            why
                        }
                    }
                }
                Err(error) => {
                    troubles::count(code(&error));
                    told(&error)
                }
            };
            metrics::gauge!(names::CONNECTED).set(0.0);
            status.redis(|redis| (redis.connected, redis.error) = (false, Some(why.clone())));
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
}
