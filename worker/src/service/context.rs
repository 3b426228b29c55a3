//! What is the same for all monitors of a worker.

use crate::config::Live;
use crate::markers::Markers;
use crate::service::sharing::Peers;
use crate::service::status::Status;
use crate::service::troubles::Troubles;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use tokio::sync::{Semaphore, watch};

/// Monitors at work at once, for each core: enough to wait for Redis together, few enough that the pages and threads of a
/// thousand that have much to catch up with stay small.
const SEATS: usize = 8;

/// What is the same for all monitors of a worker.
#[derive(Debug)]
pub struct Context {
    /// Name of the deployment.
    pub deployment: String,
    /// Number of the database.
    pub db: u32,
    /// What a reload changes, choices among it.
    pub live: watch::Receiver<Arc<Live>>,
    /// Name of this worker process.
    pub worker: String,
    /// How it fares.
    pub status: Arc<Status>,
    /// The workers that are alive.
    pub peers: Peers,
    /// What Redis refuses at the moment.
    pub troubles: Troubles,
    /// What people did lately.
    pub markers: Markers,
    /// Who has one works on its monitor; the others wait.
    pub seats: Semaphore,
    leaving: AtomicBool,
}

impl Context {
    /// For a worker of this name, which must be no other process' ([`crate::store::lease::worker_name`]).
    #[must_use]
    pub fn new(deployment: String, db: u32, live: watch::Receiver<Arc<Live>>, worker: String) -> Self {
        Self {
            deployment,
            db,
            live,
            peers: Peers::new(&worker),
            worker,
            status: Arc::default(),
            troubles: Troubles::default(),
            markers: Markers::default(),
            seats: Semaphore::new(SEATS * available_parallelism().map_or(1, NonZero::get)),
            leaving: AtomicBool::new(false),
        }
    }

    /// The process is about to end: what is under way is finished, nothing is begun.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }
}
