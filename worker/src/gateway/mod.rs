//! The HTTP gateway: whoever can POST can feed eddyline, and read what it found.
//!
//! In the order a request meets it: [`serve`] takes connections, [`app`] is the table of routes, [`keys`] says who may what
//! ([`settings`]), [`limits`] how much at once; [`errors`] is what is said where something is wrong. All of it shares one
//! [`Gateway`], whose [`link`] is the connection to Redis.

pub mod app;
pub mod errors;
pub mod keys;
pub mod limits;
pub mod link;
pub mod new_key;
pub mod page;
pub mod reading;
pub mod serve;
pub mod settings;

mod admission;
mod body;
mod events;
mod health;
mod otlp;
mod outcome;
mod patient;
mod remembered;
mod remote_write;
mod traces;
mod vectors;
mod writer;

use crate::config::Live;
use crate::config::by_monitor::ByMonitor;
use crate::judging::choices::Choices;
use crate::observe::names;
use crate::service::status::Status;
use crate::store::connect::Address;
use keys::Keys;
use link::Link;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// What all requests share. Clones are the same.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Shared>);

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    /// The connection to Redis.
    pub link: Link,
    /// Name of the deployment.
    pub deployment: String,
    /// What a reload changes.
    pub live: watch::Receiver<Arc<Live>>,
    /// How the worker in this process fares; none without one.
    pub worker: Option<Arc<Status>>,
    keys: RwLock<Arc<Keys>>,
    room: body::Room,
    writer: writer::Writer,
    json: otlp::Reader,
    instances: vectors::Instances,
}

impl Gateway {
    /// A gateway to this Redis. It isn't connected before its link is kept ([`Link::keep`]).
    #[must_use]
    pub fn new(
        redis: Address,
        deployment: String,
        live: watch::Receiver<Arc<Live>>,
        worker: Option<Arc<Status>>,
    ) -> Self {
        let keys = RwLock::new(Arc::new(Keys::of(&live.borrow().http)));
        Self(Arc::new(Shared {
            link: Link::to(redis),
            deployment,
            live,
            worker,
            keys,
            room: body::Room::default(),
            writer: writer::Writer::default(),
            json: otlp::Reader::default(),
            instances: vectors::Instances::default(),
        }))
    }

    /// Who may what at the moment.
    #[must_use]
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is chosen for a monitor, where this process knows: a worker does, and so does a gateway that was given choices.
    #[must_use]
    pub fn chosen(&self, monitor: &[u8]) -> Option<Choices> {
        let live = self.live.borrow();
        let is_told = self.worker.is_some() || live.choices != ByMonitor::default();
        is_told.then(|| live.choices.of(monitor).0)
    }

    /// Items that were counted, and that weren't.
    fn count_items(&self, (accepted, rejected): (usize, usize)) {
        metrics::counter!(names::HTTP_ITEMS, "outcome" => "accepted").increment(accepted as u64);
        metrics::counter!(names::HTTP_ITEMS, "outcome" => "rejected").increment(rejected as u64);
    }

    /// Follows what a reload changes about keys, until the settings are gone.
    pub(super) async fn follow_settings(self) {
        let mut live = self.live.clone();
        let mut known = live.borrow().http.clone();
        while live.changed().await.is_ok() {
            let now = live.borrow_and_update().http.clone();
            if now != known {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::of(&now));
                known = now;
            }
        }
    }
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
