//! All sinks' deliveries: a courier each, so that one that fails holds up no other.

use crate::logs::Notice;
use crate::notify::delivery::{Bulletin, Courier, Parting, Progress};
use crate::notify::plan::Plan;
use crate::notify::reading;
use crate::observe::exporter::expect_sink;
use crate::service::status::Status;
use crate::store::connect::Connection;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::service::{DELIVERED, NOTIFICATIONS, NOTIFIER_LEASE};
use redis::{RedisResult, Script};
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{error, warn};

/// How long deliveries that are under way may take at the end.
const FAREWELL: Duration = Duration::from_secs(1);

// A sink that isn't there any more would start, should it come back, with everything since.
const FORGET: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[2], unpack(ARGV, 2))";

/// Sinks that were told before and that `plan` doesn't have.
fn gone<'a>(delivered: &'a HashMap<String, String>, plan: &Plan) -> Vec<&'a String> {
    delivered.keys().filter(|name| plan.outlets.iter().all(|outlet| outlet.name != **name)).collect()
}

/// Forgets how far sinks came that the operator took away. Only a change of settings says that; a worker that takes over
/// with other settings may lack them by mistake.
///
/// # Errors
/// Trouble with Redis.
pub(super) async fn forget(connection: &mut Connection, token: &str, plan: &Plan) -> RedisResult<()> {
    let delivered: HashMap<String, String> = redis::cmd("HGETALL").arg(DELIVERED).query_async(connection).await?;
    let gone = gone(&delivered, plan);
    if !gone.is_empty() {
        let script = Script::new(FORGET);
        let mut call = script.key(NOTIFIER_LEASE);
        call.key(DELIVERED).arg(token).arg(gone).invoke_async::<i64>(connection).await?;
    }
    Ok(())
}

/// The couriers at work. Dropped, they stop where they are.
#[derive(Debug)]
pub(super) struct Deliveries {
    couriers: JoinSet<RedisResult<Parting>>,
    stop: watch::Sender<bool>,
}

impl Deliveries {
    /// Starts a courier for each sink, where the last one stopped. Where a sink is new, that is decided here: what is
    /// written after this call it gets.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn start(
        mut connection: Connection,
        token: &str,
        plan: &Plan,
        held_until: &watch::Receiver<Instant>,
        bulletin: &watch::Receiver<Bulletin>,
        status: &Arc<Status>,
    ) -> RedisResult<Self> {
        status.forget_sinks();
        let delivered: HashMap<String, String> =
            redis::cmd("HGETALL").arg(DELIVERED).query_async(&mut connection).await?;
        for name in gone(&delivered, plan) {
            warn!(
                sink = name,
                "it was told before and isn't in this worker's settings: it waits for a worker that has it"
            );
        }
        let end = reading::last_id(&mut connection, NOTIFICATIONS.as_bytes()).await?;
        let (stop, stopped) = watch::channel(false);
        let mut couriers = JoinSet::new();
        for outlet in &plan.outlets {
            expect_sink(&outlet.name);
            let known = delivered.get(&outlet.name).and_then(|id| EntryId::parse(id.as_bytes()));
            let courier = Courier {
                outlet: outlet.clone(),
                connection: connection.clone(),
                token: token.to_owned(),
                give_up_after: plan.settings.give_up_after,
                held_until: held_until.clone(),
                bulletin: bulletin.clone(),
                stop: stopped.clone(),
                progress: known.map_or(Progress::New(end), Progress::Upto),
                trouble: Notice::default(),
                status: Arc::clone(status),
            };
            couriers.spawn(courier.run());
        }
        Ok(Self { couriers, stop })
    }

    /// Waits for the first courier that ends by itself.
    ///
    /// # Errors
    /// What it met.
    pub(super) async fn ended(&mut self) -> RedisResult<Parting> {
        match self.couriers.join_next().await {
            None => pending().await,
            Some(Ok(parting)) => parting,
            Some(Err(error)) => {
                error!("a sink's task ended unexpectedly: {error}");
                Ok(Parting::Stopped)
            }
        }
    }

    /// Lets the couriers finish what is under way.
    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        let all_done = async { while self.couriers.join_next().await.is_some() {} };
        // What isn't recorded by then is delivered again.
        let _ = timeout(FAREWELL, all_done).await;
    }
}
