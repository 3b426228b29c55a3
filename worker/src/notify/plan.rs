//! What the notifier goes by: settings, and where notifications go. Replaced whole when the operator changes them.

use crate::config::Live;
use crate::notify::budget::Budget;
use crate::notify::settings::NotifySettings;
use crate::sinks::settings::SinkSettings;
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
        Self::with(live, |_, _| None)
    }

    /// By what the operator chooses now, where this plan is by what he chose `before`: sinks whose settings are the same
    /// are the same.
    fn next(&self, before: &Live, live: &Arc<Live>) -> Self {
        Self::with(live, |name, settings| {
            let is_same = before.sinks.get(name) == Some(settings);
            self.outlets.iter().find(|outlet| is_same && outlet.name == name).cloned()
        })
    }

    fn with(live: &Arc<Live>, known: impl Fn(&str, &SinkSettings) -> Option<Outlet>) -> Self {
        let outlet = |(name, settings): (&String, &SinkSettings)| {
            if let Some(known) = known(name, settings) {
                return Some(known);
            }
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
        let mut chosen = Arc::clone(&live.borrow_and_update());
        let (sender, plan) = watch::channel(Arc::new(Self::of(&chosen)));
        tokio::spawn(async move {
            while live.changed().await.is_ok() {
                let now = Arc::clone(&live.borrow_and_update());
                let next = sender.borrow().next(&chosen, &now);
                chosen = now;
                if sender.send(Arc::new(next)).is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn live(names: &[&str], changed: &str) -> Arc<Live> {
        let settings = |name: &str| {
            let least = if name == changed { "critical" } else { "warning" };
            (name.to_owned(), toml::from_str(&format!("type = \"stdout\"\nmin_severity = \"{least}\"")).unwrap())
        };
        Arc::new(Live { sinks: names.iter().map(|name| settings(name)).collect(), ..Live::default() })
    }

    #[test]
    fn a_sink_whose_settings_are_the_same_is_the_same() {
        let before = live(&["a", "b", "c"], "");
        let plan = Plan::of(&before);
        let next = plan.next(&before, &live(&["b", "c", "d"], "c"));
        let same = |name: &str| {
            let sink = |plan: &Plan| plan.outlets.iter().find(|it| it.name == name).map(|it| Arc::clone(&it.sink));
            sink(&plan).zip(sink(&next)).is_some_and(|(a, b)| Arc::ptr_eq(&a, &b))
        };
        assert_eq!(["a", "b", "c", "d"].map(same), [false, true, false, false]);
        assert_eq!(next.outlets.len(), 3);
    }
}
