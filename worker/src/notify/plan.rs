//! What the notifier goes by: settings, and where notifications go. Replaced whole when the operator changes them.

use crate::config::Live;
use crate::notify::budget::Budget;
use crate::notify::settings::NotifySettings;
use crate::sinks::{self, Sink};
use eddyline_wire::notification::Notification;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;
use tracing::error;

/// Whether a sink is sent a notification.
pub type Wants = Arc<dyn Fn(&Notification) -> bool + Send + Sync>;
/// How often a day a monitor opens without a true incident.
pub type BudgetOf = Arc<dyn Fn(&[u8]) -> f64 + Send + Sync>;

/// A sink by its name, and what it is sent.
#[derive(Clone)]
pub struct Outlet {
    /// Its name: what it got is kept under it.
    pub name: String,
    /// The receiver.
    pub sink: Arc<dyn Sink>,
    /// What it is sent.
    pub wants: Wants,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("name", &self.name).field("sink", &self.sink).finish_non_exhaustive()
    }
}

/// Settings, and where notifications go.
#[derive(Clone)]
pub struct Plan {
    /// What the operator chose.
    pub settings: NotifySettings,
    /// Where notifications go.
    pub outlets: Vec<Outlet>,
    /// How often a day a monitor opens without a true incident.
    pub budget_of: BudgetOf,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settings, outlets) = (&self.settings, &self.outlets);
        f.debug_struct("Plan").field("settings", settings).field("outlets", outlets).finish_non_exhaustive()
    }
}

impl Plan {
    /// By what the operator chose. A sink that can't be made is told and left out.
    #[must_use]
    pub fn of(live: &Arc<Live>) -> Self {
        let outlet = |(name, settings): (&String, &sinks::settings::SinkSettings)| {
            let sink = sinks::make(name, settings).inspect_err(|error| error!("left out: {error}")).ok()?;
            let settings = settings.clone();
            Some(Outlet { name: name.clone(), sink, wants: Arc::new(move |notification| settings.wants(notification)) })
        };
        let choices = Arc::clone(live);
        Self {
            settings: live.notify.clone(),
            outlets: live.sinks.iter().filter_map(outlet).collect(),
            budget_of: Arc::new(move |monitor| choices.choices.of(monitor).0.budget_per_day),
        }
    }

    /// The plan of now, and of whenever `live` changes.
    #[must_use]
    pub fn follow(mut live: watch::Receiver<Arc<Live>>) -> watch::Receiver<Arc<Self>> {
        let (sender, plan) = watch::channel(Arc::new(Self::of(&live.borrow_and_update())));
        tokio::spawn(async move {
            while live.changed().await.is_ok() {
                let plan = Self::of(&live.borrow_and_update());
                if sender.send(Arc::new(plan)).is_err() {
                    break;
                }
            }
        });
        plan
    }

    /// What may be told with these monitors.
    pub(super) fn budget(&self, monitors: &[Vec<u8>]) -> Budget {
        let expected = monitors.iter().map(|monitor| (self.budget_of)(monitor)).sum();
        Budget::new(self.settings.budget, expected)
    }
}
