//! `GET /v1/status`: how the service as a whole fares.

use super::Reading;
use crate::gateway::errors::{Code, Problem};
use crate::store::connect::Connection;
use axum::Json;
use axum::extract::State;
use eddyline_wire::keys::service::{NOTIFIER, NOTIFIER_LEASE, WORKERS};
use redis::RedisResult;
use serde::Serialize;
use utoipa::ToSchema;

/// A worker that hasn't said so for this long isn't alive, in ms.
const ALIVE_MS: u64 = 5_000;

/// Something that keeps people from hearing of what goes wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trouble {
    /// What, by a name that stays: `redis_unavailable`, `redis_refuses`, `no_module`, `no_worker`, `no_notifier` or `sink_failing`.
    code: &'static str,
    /// The same in words, with what to do about it.
    message: String,
}

/// How the service fares.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    /// Of this program.
    version: &'static str,
    /// Name of the deployment.
    deployment: String,
    /// Where Redis is, without passwords.
    redis: String,
    /// Whether a server has the module; null where that isn't known.
    module: Option<bool>,
    /// Workers that are alive; null where that isn't known.
    workers: Option<usize>,
    /// Monitors; null where that isn't known.
    monitors: Option<usize>,
    /// What is wrong.
    troubles: Vec<Trouble>,
}

/// What Redis tells of it.
struct Known {
    module: bool,
    monitors: usize,
    workers: usize,
    unnotified: bool,
}

/// How the service as a whole fares. It answers without Redis too.
#[utoipa::path(get, path = "/v1/status", tag = "status", responses((status = 200, body = Status)))]
pub(super) async fn status(State(reading): State<Reading>) -> Json<Status> {
    let known = match reading.connection() {
        Ok(mut connection) => look(&reading, &mut connection).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let mut troubles = Vec::new();
    let mut trouble = |code, message: String| troubles.push(Trouble { code, message });
    match &known {
        Err(problem) => {
            let is_refused = problem.code == Code::RedisRefuses;
            trouble(if is_refused { "redis_refuses" } else { "redis_unavailable" }, problem.message.clone());
        }
        Ok(known) => {
            if !known.module && known.monitors == 0 {
                let how = "load libeddyline.so into Redis, or let a worker count: docs/no-module.md";
                trouble("no_module", format!("this Redis doesn't have the module: {how}"));
            }
            if known.workers == 0 {
                trouble("no_worker", "no worker is alive: nothing is scored; start 'eddyline worker'".to_owned());
            } else if known.unnotified {
                let how = "look at the workers' logs for 'notif'";
                trouble("no_notifier", format!("incidents are found and nobody is told: {how}"));
            }
        }
    }
    if let Some(worker) = &reading.gateway.worker {
        for (sink, why) in worker.failing_sinks() {
            trouble("sink_failing", format!("sink '{sink}' doesn't take what it is sent: {why}"));
        }
    }
    let known = known.ok();
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        deployment: reading.gateway.deployment.clone(),
        redis: reading.gateway.link.address().shown().to_owned(),
        module: known.as_ref().map(|known| known.module),
        workers: known.as_ref().map(|known| known.workers),
        monitors: known.as_ref().map(|known| known.monitors),
        troubles,
    })
}

async fn look(reading: &Reading, connection: &mut Connection) -> RedisResult<Known> {
    let (names, module) = reading.names.now(connection).await?;
    let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(connection).await?;
    let since = seconds.saturating_mul(1000).saturating_sub(ALIVE_MS);
    let mut pipe = redis::pipe();
    pipe.cmd("ZCOUNT").arg(WORKERS).arg(since).arg("+inf");
    pipe.cmd("EXISTS").arg(NOTIFIER);
    pipe.cmd("EXISTS").arg(NOTIFIER_LEASE);
    let (workers, begun, held): (usize, bool, bool) = pipe.query_async(connection).await?;
    Ok(Known { module, monitors: names.len(), workers, unnotified: begun && !held })
}
