//! A server on which the test writes incidents, notifiers, and sinks that do as they are told.

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::{Alert, Event, Severity};
use eddyline_wire::keys::{ALERTS, Companions, service};
use eddyline_wire::notification::Notification;
use eddyline_worker::notify::notifier::Notifier;
use eddyline_worker::notify::plan::{Outlet, Plan};
use eddyline_worker::notify::settings::{NotifySettings, Openings};
use eddyline_worker::sinks::{Delivery, Sink, SinkError};
use eddyline_worker::store::connect::Address;
use redis::Connection;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Long enough for the slowest machine; no test takes it.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Remembers what it took. Fails as long as it has errors to fail with, and panics as often as it is to.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) got: Mutex<Vec<Notification>>,
    pub(crate) errors: Mutex<VecDeque<SinkError>>,
    pub(crate) repeats: Option<Duration>,
    pub(crate) panics: Mutex<u32>,
    /// How long it takes.
    pub(crate) takes: Mutex<Duration>,
    /// How often it was asked.
    pub(crate) asked: Mutex<u32>,
}

impl Recorder {
    pub(crate) fn ids(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|notification| notification.id.clone()).collect()
    }

    pub(crate) fn fails(&self, errors: impl IntoIterator<Item = SinkError>) {
        self.errors.lock().unwrap().extend(errors);
    }
}

impl Sink for Recorder {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        Box::pin(async move {
            *self.asked.lock().unwrap() += 1;
            let takes = *self.takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            let panics = {
                let mut left = self.panics.lock().unwrap();
                let less = left.saturating_sub(1);
                std::mem::replace(&mut *left, less) > 0
            };
            assert!(!panics, "as it is to");
            match self.errors.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => {
                    self.got.lock().unwrap().push(notification.clone());
                    Ok(())
                }
            }
        })
    }

    fn repeats_every(&self) -> Option<Duration> {
        self.repeats
    }
}

/// Waits that tests can wait for.
pub(crate) fn quick() -> NotifySettings {
    NotifySettings {
        budget: Openings::Unlimited,
        group_wait: Duration::from_millis(200),
        group_interval: Duration::from_secs(1),
        cool_down: Duration::from_millis(300),
        ..NotifySettings::default()
    }
}

pub(crate) fn plan(settings: NotifySettings, sinks: &[(&str, &Arc<Recorder>)]) -> Plan {
    let outlet = |(name, sink): &(&str, &Arc<Recorder>)| {
        let sink: Arc<dyn Sink> = Arc::<Recorder>::clone(sink);
        Outlet { name: (*name).to_owned(), sink, wants: Arc::new(|_| true) }
    };
    Plan { settings, outlets: sinks.iter().map(outlet).collect(), budget_of: Arc::new(|_| 1.0) }
}

/// A worker that does nothing but notify.
pub(crate) struct Notifying {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    pub(crate) plan: watch::Sender<Arc<Plan>>,
    task: tokio::task::JoinHandle<()>,
}

impl Notifying {
    pub(crate) fn start(url: &str, worker: &str, monitors: &[&str], plan: Plan) -> Self {
        let names = monitors.iter().map(|name| name.as_bytes().to_vec()).collect();
        let ((stop, stopped), (plan, planned)) = (watch::channel(false), watch::channel(Arc::new(plan)));
        let notifier = Notifier {
            address: Address::parse(url).unwrap(),
            deployment: "test".to_owned(),
            worker: worker.to_owned(),
            monitors: watch::channel(Some(Arc::new(names))).1,
            plan: planned,
            status: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let task = runtime.spawn(notifier.run(stopped));
        Self { runtime, stop, plan, task }
    }

    /// As SIGTERM does.
    pub(crate) fn stop(self) {
        self.stop.send_replace(true);
        self.runtime.block_on(self.task).unwrap();
    }

    /// As SIGKILL does.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Monitors whose incidents the test writes.
pub(crate) struct Incidents {
    pub(crate) connection: Connection,
    entries: BTreeMap<String, u64>,
    pub(crate) is_silent: bool,
}

impl Incidents {
    pub(crate) fn on(server: &Server) -> Self {
        Self { connection: server.connection().unwrap(), entries: BTreeMap::new(), is_silent: false }
    }

    /// Incident number `nth` of `monitor`.
    pub(crate) fn write(&mut self, monitor: &str, nth: u64, event: Event, severity: Severity) {
        let entry = self.entries.entry(monitor.to_owned()).or_insert(1000);
        *entry += 1;
        let alert = Alert { window_end_ms: *entry, ..crate::story::alert(monitor, nth, event, severity, *entry) };
        let key = Companions::of(monitor.as_bytes()).unwrap().incidents();
        let mut add = redis::cmd("XADD");
        add.arg(key).arg(&alert.entry).arg("event").arg(event.as_str()).arg("incident").arg(&alert.incident);
        add.arg("alert").arg(alert.to_json()).exec(&mut self.connection).unwrap();
        if !self.is_silent {
            redis::cmd("PUBLISH").arg(ALERTS).arg(alert.to_json()).exec(&mut self.connection).unwrap();
        }
    }

    pub(crate) fn open(&mut self, monitor: &str, nth: u64) {
        self.write(monitor, nth, Event::Opened, Severity::Warning);
    }

    pub(crate) fn resolve(&mut self, monitor: &str, nth: u64) {
        self.write(monitor, nth, Event::Resolved, Severity::Warning);
    }

    /// The notifications in the stream.
    pub(crate) fn told(&mut self) -> Vec<Notification> {
        let entries: Vec<(String, BTreeMap<String, String>)> =
            redis::cmd("XRANGE").arg(service::NOTIFICATIONS).arg("-").arg("+").query(&mut self.connection).unwrap();
        entries.iter().map(|(_, fields)| serde_json::from_str(&fields["notification"]).unwrap()).collect()
    }

    pub(crate) fn told_ids(&mut self) -> Vec<String> {
        self.told().into_iter().map(|notification| notification.id).collect()
    }

    pub(crate) fn dead_letters(&mut self) -> Vec<BTreeMap<String, String>> {
        let entries: Vec<(String, BTreeMap<String, String>)> =
            redis::cmd("XRANGE").arg(service::DEAD_LETTERS).arg("-").arg("+").query(&mut self.connection).unwrap();
        entries.into_iter().map(|(_, fields)| fields).collect()
    }

    /// Until `recorder` took exactly these, in this order.
    pub(crate) fn until(recorder: &Recorder, ids: &[&str]) {
        eventually(SOON, || recorder.got.lock().unwrap().len() >= ids.len());
        assert_eq!(recorder.ids(), ids);
    }
}
