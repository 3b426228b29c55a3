//! All sinks' deliveries: a courier each, so that one that fails holds up no other.

use crate::notify::delivery::{Bulletin, Courier, Parting};
use crate::notify::plan::{Outlet, Plan};
use crate::observe::exporter::expect_sink;
use crate::observe::names;
use crate::service::status::Status;
use crate::store::connect::{Backoff, Connection};
use crate::store::stream;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::service::{DELIVERED, NOTIFICATIONS, NOTIFIER_LEASE};
use redis::{RedisResult, Script};
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep, timeout};
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

/// What all couriers go by while this worker is the notifier.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub connection: Connection,
    /// Token of the notifier's lease.
    pub token: String,
    /// Until when the lease is held for sure: nothing is sent after it.
    pub held_until: watch::Receiver<Instant>,
    pub bulletin: watch::Receiver<Bulletin>,
    pub status: Arc<Status>,
}

/// A courier at work.
#[derive(Debug)]
struct AtWork {
    outlet: Outlet,
    give_up_after: Duration,
    /// Where the stream ended when it began.
    end: EntryId,
    /// True tells it to stop. Closed once it is gone.
    stop: watch::Sender<bool>,
    task: AbortHandle,
    backoff: Backoff,
}

/// The couriers at work. Dropped, they stop where they are.
#[derive(Debug)]
pub(super) struct Deliveries {
    terms: Terms,
    tasks: JoinSet<RedisResult<Parting>>,
    at_work: Vec<AtWork>,
}

impl Deliveries {
    /// Starts a courier for each sink, where the last one stopped.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn start(terms: Terms, plan: &Plan) -> RedisResult<Self> {
        terms.status.forget_sinks();
        let mut deliveries = Self { terms, tasks: JoinSet::new(), at_work: Vec::new() };
        let delivered = deliveries.delivered().await?;
        for name in gone(&delivered, plan) {
            warn!(
                sink = name,
                "it was told before and isn't in this worker's settings: it waits for a worker that has it"
            );
        }
        deliveries.begin(plan).await?;
        Ok(deliveries)
    }

    /// Goes by another plan. Whose sink is the same goes on with what is under way; how far sinks came that the operator
    /// took away is forgotten. Only a change of settings says that; a worker that takes over with other settings may lack
    /// them by mistake.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn change(&mut self, plan: &Plan) -> RedisResult<()> {
        let stays = |it: &AtWork| {
            let is_same = |outlet: &Outlet| outlet.name == it.outlet.name && Arc::ptr_eq(&outlet.sink, &it.outlet.sink);
            it.give_up_after == plan.settings.give_up_after && plan.outlets.iter().any(is_same)
        };
        let (stay, go) = std::mem::take(&mut self.at_work).into_iter().partition(stays);
        self.at_work = stay;
        finish(&go).await;
        go.iter().for_each(|it| self.terms.status.sink(&it.outlet.name, None));
        let delivered = self.delivered().await?;
        let gone = gone(&delivered, plan);
        if !gone.is_empty() {
            let script = Script::new(FORGET);
            let mut call = script.key(NOTIFIER_LEASE);
            let call = call.key(DELIVERED).arg(&self.terms.token).arg(gone);
            call.invoke_async::<i64>(&mut self.terms.connection).await?;
        }
        self.begin(plan).await
    }

    /// Starts a courier for each sink that has none. Where a sink is new, that is decided here: what is written after this
    /// call it gets.
    async fn begin(&mut self, plan: &Plan) -> RedisResult<()> {
        let end = stream::last_id(&mut self.terms.connection, NOTIFICATIONS.as_bytes()).await?;
        for outlet in &plan.outlets {
            if self.at_work.iter().any(|it| it.outlet.name == outlet.name) {
                continue;
            }
            expect_sink(&outlet.name);
            let (outlet, give_up_after) = (outlet.clone(), plan.settings.give_up_after);
            let (stop, stopped) = watch::channel(false);
            let courier = Courier::new(self.terms.clone(), outlet.clone(), give_up_after, end, stopped);
            let task = self.tasks.spawn(courier.run());
            self.at_work.push(AtWork { outlet, give_up_after, end, stop, task, backoff: Backoff::default() });
        }
        Ok(())
    }

    async fn delivered(&mut self) -> RedisResult<HashMap<String, String>> {
        redis::cmd("HGETALL").arg(DELIVERED).query_async(&mut self.terms.connection).await
    }

    /// Waits for the first courier that ends by itself. One that panicked is started again after a while.
    ///
    /// # Errors
    /// What it met.
    pub(super) async fn ended(&mut self) -> RedisResult<Parting> {
        loop {
            match self.tasks.join_next_with_id().await {
                None => return pending().await,
                Some(Ok((task, parting))) if self.find(task).is_some() => return parting,
                Some(Err(error)) if let Some(fallen) = self.find(error.id()) => {
                    error!(sink = fallen.outlet.name, "its deliveries ended unexpectedly and start again: {error}");
                    self.restart(error.id());
                }
                // It was told to stop.
                Some(_) => {}
            }
        }
    }

    fn find(&self, task: Id) -> Option<&AtWork> {
        self.at_work.iter().find(|it| it.task.id() == task)
    }

    fn restart(&mut self, task: Id) {
        let Some(it) = self.at_work.iter_mut().find(|it| it.task.id() == task) else { return };
        let name = it.outlet.name.clone();
        self.terms.status.sink(&name, Some("its deliveries ended unexpectedly and start again"));
        metrics::counter!(names::DELIVERIES, "sink" => name, "outcome" => "panicked").increment(1);
        let (stop, stopped) = watch::channel(false);
        let courier = Courier::new(self.terms.clone(), it.outlet.clone(), it.give_up_after, it.end, stopped);
        let wait = it.backoff.next_wait();
        it.stop = stop;
        it.task = self.tasks.spawn(async move {
            sleep(wait).await;
            courier.run().await
        });
    }

    /// Lets the couriers finish what is under way.
    pub(super) async fn stop(self) {
        finish(&self.at_work).await;
    }
}

/// Lets these finish what is under way. What isn't recorded in time is delivered again.
async fn finish(couriers: &[AtWork]) {
    couriers.iter().for_each(|it| _ = it.stop.send_replace(true));
    let all_done = async {
        for it in couriers {
            it.stop.closed().await;
        }
    };
    let _ = timeout(FAREWELL, all_done).await;
    couriers.iter().for_each(|it| it.task.abort());
}
