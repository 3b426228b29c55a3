//! Reading over HTTP: what monitors there are, what their windows were worth, what went wrong, and what is new.
//!
//! Everything is read from Redis, so that it is the same whether or not a worker runs in this process. A file is an endpoint
//! or a few of a kind: what it takes, what it answers, and how it is found.

pub mod asked;
pub mod define;
pub mod explain;
pub mod feedback;
pub mod glance;
pub mod history;
pub mod incidents;
pub mod items;
pub mod live;
pub mod markers;
pub mod monitors;
pub mod names;
pub mod notifications;
pub mod openapi;
pub mod preview;
pub mod reply;
pub mod scored;
pub mod shapes;
pub mod status;
pub mod values;
pub mod vector;
pub mod windows;

mod counts;
mod taken;
mod turn;

use super::Gateway;
use super::app::guarded;
use super::errors::{Code, Problem};
use super::settings::Scope;
use crate::store::connect::Connection;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use eddyline_wire::keys::Companions;
use live::Live;
use names::Names;
use redis::RedisResult;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// An answer may take so long.
const LONGEST: Duration = Duration::from_secs(30);

/// What all of it shares. Clones are the same.
#[derive(Debug, Clone)]
pub struct Reading(Arc<Shared>);

/// What all of it shares.
#[derive(Debug)]
pub struct Shared {
    gateway: Gateway,
    names: Arc<Names>,
    live: Live,
    listeners: Arc<Semaphore>,
    /// Who has it looks through the incidents of all monitors.
    searching: Semaphore,
    /// Who has it judges windows again.
    judging: Arc<Semaphore>,
}

impl Deref for Reading {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Reading {
    /// Of this gateway.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        let names = Arc::<Names>::default();
        Self(Arc::new(Shared {
            live: Live::new(gateway.clone(), Arc::clone(&names)),
            names,
            gateway,
            listeners: Arc::new(Semaphore::new(live::stream::LISTENERS)),
            searching: Semaphore::new(1),
            judging: Arc::new(Semaphore::new(1)),
        }))
    }

    /// The connection of the moment.
    fn connection(&self) -> Result<Connection, Problem> {
        self.gateway.link.connection()
    }

    /// All monitors.
    async fn monitors(&self, connection: &mut Connection) -> RedisResult<Vec<Companions>> {
        let (names, _) = self.names.now(connection).await?;
        Ok(names.iter().filter_map(|name| Companions::of(name).ok()).collect())
    }
}

/// For an answer that is empty: there must be such a monitor.
async fn known(connection: &mut Connection, keys: &Companions) -> Result<(), Problem> {
    match glance::look(connection, keys).await? {
        Some(_) => Ok(()),
        None => Err(monitors::unknown(keys)),
    }
}

/// What is read.
fn readable() -> OpenApiRouter<Reading> {
    OpenApiRouter::new()
        .routes(routes!(monitors::monitors))
        .routes(routes!(monitors::monitor))
        .routes(routes!(windows::scores))
        .routes(routes!(windows::fingerprints))
        .routes(routes!(items::top))
        .routes(routes!(items::count))
        .routes(routes!(items::quantiles))
        .routes(routes!(incidents::incidents))
        .routes(routes!(incidents::incident))
        .routes(routes!(live::stream::stream))
        .routes(routes!(explain::explain))
        .routes(routes!(preview::preview))
        .routes(routes!(markers::markers))
        .routes(routes!(notifications::notifications))
        .routes(routes!(status::status))
}

/// What is left behind.
fn writable() -> OpenApiRouter<Reading> {
    OpenApiRouter::new().routes(routes!(markers::mark)).routes(routes!(vector::add))
}

/// What changes what fires, and what is watched.
fn changeable() -> OpenApiRouter<Reading> {
    OpenApiRouter::new().routes(routes!(feedback::feedback)).routes(routes!(define::define))
}

/// All of it.
pub fn routes(gateway: &Gateway) -> Router<Gateway> {
    let reading = Reading::new(gateway.clone());
    let of = |routes: OpenApiRouter<Reading>, scope| {
        guarded(routes.split_for_parts().0.with_state(reading.clone()), gateway, scope)
    };
    let routes = of(readable(), Scope::Read)
        .merge(of(writable(), Scope::Write))
        .merge(of(changeable(), Scope::Admin))
        .merge(openapi::routes());
    routes.layer(DefaultBodyLimit::max(asked::LONGEST_BODY)).route_layer(middleware::from_fn(in_time))
}

async fn in_time(request: Request, next: Next) -> Response {
    let late = || Problem::new(Code::Timeout, format!("it took longer than {} s", LONGEST.as_secs())).into_response();
    timeout(LONGEST, next.run(request)).await.unwrap_or_else(|_| late())
}
