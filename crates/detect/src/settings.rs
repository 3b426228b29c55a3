//! What a user can choose; checked once, when a pipeline is made.

use crate::controls::Controls;
use crate::{Detectors, Error, Zone};
use serde::{Deserialize, Serialize};

const DAY_MS: f64 = 86_400_000.0;
/// Largest `p` at the alert boundary, however large the budget.
pub(crate) const MOST_P_ALERT: f64 = 0.01;

/// Choices of one monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Length of a window in ms, 100 to a day.
    pub window_ms: u64,
    /// False alarms (openings) accepted a day; above 0, at most 10,000. Of ordinary events about half of it is spent.
    pub budget_per_day: f64,
    /// Windows before the first alert, 20 to 100,000.
    pub min_history: u32,
    /// Windows below the alert boundary that end an incident, 1 to 10,000.
    pub quiet_after: u32,
    /// Windows after which an incident is taken as the new normal, 60 to 1,000,000. The default is an hour of default
    /// (5 s) windows: longer than most outages last unattended, and enough history to judge the new normal by.
    pub accept_after: u32,
    /// What scores numeric blocks.
    pub detectors: Detectors,
    /// Whose hours and weekdays the traffic follows.
    pub time_zone: Zone,
    /// What may open incidents.
    pub controls: Controls,
}

impl Settings {
    /// The defaults for windows of this length.
    #[must_use]
    pub fn new(window_ms: u64) -> Self {
        Self {
            window_ms,
            budget_per_day: 1.0,
            min_history: 60,
            quiet_after: 10,
            accept_after: 720,
            detectors: Detectors::default(),
            time_zone: Zone::default(),
            controls: Controls::default(),
        }
    }

    /// The `p` at the alert boundary: `clamp(budget × window / day, 1e-9, 0.01)`.
    #[must_use]
    pub fn p_alert(&self) -> f64 {
        (self.budget_per_day * self.window_ms as f64 / DAY_MS).clamp(1e-9, MOST_P_ALERT)
    }

    /// Whether the window that ends then is in a period that controls exclude.
    pub(crate) fn excludes(&self, end_ms: u64) -> bool {
        self.controls.excludes(end_ms.saturating_sub(self.window_ms), end_ms, &self.time_zone)
    }

    /// Whether incidents may open in the window that ends then.
    pub(crate) fn is_scheduled(&self, end_ms: u64) -> bool {
        self.controls.is_scheduled(end_ms.saturating_sub(self.window_ms), end_ms, &self.time_zone)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let range = |holds: bool, name, allowed| if holds { Ok(()) } else { Err(Error::Setting { name, allowed }) };
        range((100..=86_400_000).contains(&self.window_ms), "window_ms", "100 to 86,400,000")?;
        let budget = self.budget_per_day;
        range(budget > 0.0 && budget <= 10_000.0, "budget_per_day", "above 0 and at most 10,000")?;
        range((20..=100_000).contains(&self.min_history), "min_history", "20 to 100,000")?;
        range((1..=10_000).contains(&self.quiet_after), "quiet_after", "1 to 10,000")?;
        range((60..=1_000_000).contains(&self.accept_after), "accept_after", "60 to 1,000,000")?;
        self.controls.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_sets_the_boundary() {
        assert!((Settings::new(1_000).p_alert() - 1.157e-5).abs() < 1e-8);
        assert_eq!(Settings { budget_per_day: 1e4, ..Settings::new(60_000) }.p_alert(), 0.01);
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let refused = |settings: Settings| match settings.check() {
            Err(Error::Setting { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        let good = Settings::new(1_000);
        assert_eq!(good.check(), Ok(()));
        assert_eq!(refused(Settings { window_ms: 99, ..good.clone() }), "window_ms");
        assert_eq!(refused(Settings { budget_per_day: f64::NAN, ..good.clone() }), "budget_per_day");
        assert_eq!(refused(Settings { min_history: 3, ..good.clone() }), "min_history");
        assert_eq!(refused(Settings { quiet_after: 0, ..good.clone() }), "quiet_after");
        assert_eq!(refused(Settings { accept_after: 59, ..good }), "accept_after");
    }
}
