//! What a worker does every second whatever its monitors do: says that it is alive, hears who else is, and looks which
//! monitors there are.

use crate::logs::Notice;
use crate::observe::names;
use crate::service::context::Context;
use crate::service::troubles;
use crate::store::connect::{Connection, code, is_lost, told};
use crate::store::discovery::{self, Listing, Module, NO_MODULE};
use crate::store::peers;
use crate::store::search::{self, Search};
use redis::{RedisError, RedisResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

const SWEEP: Duration = Duration::from_secs(1);
/// Most monitors that a worker looks after; each takes memory.
pub const MOST_MONITORS: usize = 10_000;

/// Names of monitors, in order.
pub type Names = Arc<Vec<Vec<u8>>>;

/// Looks which monitors there are, over one connection.
pub(super) struct Finder<'a> {
    context: &'a Context,
    connection: Connection,
    listing: Listing,
    search: Search,
    unlisted: Notice,
    unsearched: Notice,
    unregistered: Notice,
    left_out: Notice,
}

impl<'a> Finder<'a> {
    /// Knows no monitors yet.
    pub(super) fn new(context: &'a Context, connection: Connection) -> Self {
        Self {
            context,
            connection,
            listing: Listing::default(),
            search: Search::default(),
            unlisted: Notice::default(),
            unsearched: Notice::default(),
            unregistered: Notice::default(),
            left_out: Notice::default(),
        }
    }

    /// Looks again and again, and tells what it finds, until the connection is lost. Names in `heard` are looked at first.
    pub(super) async fn run(
        mut self,
        mut heard: mpsc::Receiver<Vec<u8>>,
        found: &watch::Sender<Option<Names>>,
    ) -> RedisError {
        if let Err(error) = discovery::subscribe(&mut self.connection).await {
            return error;
        }
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            sweep.tick().await;
            self.context.status.beat();
            self.context.markers.look(&mut self.connection).await;
            while let Ok(name) = heard.try_recv() {
                self.search.hear(name);
            }
            match self.look().await {
                Ok(Some(names)) => drop(found.send_replace(Some(Arc::new(names)))),
                // At least there is a connection.
                Ok(None) => found.send_modify(|_| ()),
                Err(error) => return error,
            }
        }
    }

    /// Every monitor to work on; none where that isn't known now.
    async fn look(&mut self) -> RedisResult<Option<Vec<Vec<u8>>>> {
        self.register().await?;
        self.search().await?;
        if !self.list().await? {
            return Ok(None);
        }
        // To be worked on besides, or instead of, those that the module lists.
        let named = self.context.live.borrow().monitors.clone();
        let mut names: Vec<Vec<u8>> = named.into_iter().map(String::into_bytes).collect();
        names.extend(self.search.names().cloned());
        names.extend(self.listing.names().cloned());
        names.sort_unstable();
        names.dedup();
        self.bound(&mut names);
        Ok(Some(names))
    }

    /// Passes an error on if the connection is lost with it. A cluster's isn't: its client connects to a server again.
    fn survive(&self, error: RedisError) -> RedisResult<RedisError> {
        if is_lost(&error) && !self.connection.is_cluster() {
            return Err(error);
        }
        troubles::count(code(&error));
        Ok(error)
    }

    async fn register(&mut self) -> RedisResult<()> {
        match peers::register(&mut self.connection, &self.context.worker).await {
            Ok(alive) => {
                if self.unregistered.is_over() {
                    info!("workers share the monitors again");
                }
                if self.context.peers.hear(&alive) {
                    info!(workers = alive.len(), "another number of workers shares the monitors");
                }
                self.context.status.redis(|redis| redis.workers = Some(alive.len()));
            }
            Err(error) => {
                let error = told(&self.survive(error)?);
                if self.unregistered.is_news(&error) {
                    warn!("other workers don't learn that this one is alive, and take its monitors for free: {error}");
                }
            }
        }
        Ok(())
    }

    async fn search(&mut self) -> RedisResult<()> {
        match self.search.go_on(&mut self.connection).await {
            Ok(()) => drop(self.unsearched.is_over()),
            Err(error) => {
                let error = self.survive(error)?;
                if self.unsearched.is_news(&told(&error)) {
                    let hint = if search::is_forbidden(&error) { "; name them with --monitor" } else { "" };
                    warn!("vector monitors can't be looked for{hint}: {}", told(&error));
                }
            }
        }
        Ok(())
    }

    /// Asks the module; says whether what it names can be relied on.
    async fn list(&mut self) -> RedisResult<bool> {
        match self.listing.look(&mut self.connection).await {
            Ok(module) => {
                let has_module = module == Module::Present;
                self.context.status.redis(|redis| redis.has_module = Some(has_module));
                let is_alone = self.context.live.borrow().monitors.is_empty() && self.search.names().next().is_none();
                if has_module {
                    if self.unlisted.is_over() {
                        info!("monitors are listed now");
                    }
                } else if is_alone && self.unlisted.is_news(NO_MODULE) {
                    error!("{NO_MODULE}");
                }
                Ok(true)
            }
            Err(error) => {
                let error = told(&self.survive(error)?);
                if self.unlisted.is_news(&error) {
                    warn!("monitors can't be listed, trying again every second: {error}");
                }
                Ok(self.connection.is_cluster())
            }
        }
    }

    /// Of too many monitors, those that this worker is more one for than for others.
    fn bound(&mut self, names: &mut Vec<Vec<u8>>) {
        let too_many = names.len().saturating_sub(MOST_MONITORS);
        self.context.status.redis(|redis| redis.monitors_left_out = too_many);
        metrics::gauge!(names::LEFT_OUT).set(too_many as f64);
        if too_many == 0 {
            self.left_out.is_over();
            return;
        }
        if self.left_out.is_news("too many") {
            warn!(
                monitors = names.len(),
                "more monitors than a worker looks after, which is {MOST_MONITORS}: the rest is left to other workers"
            );
        }
        names.sort_by_cached_key(|name| std::cmp::Reverse(self.context.peers.weight(name)));
        names.truncate(MOST_MONITORS);
        names.sort_unstable();
    }
}
