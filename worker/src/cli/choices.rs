//! What is an alert: arguments that worker and replay share.

use crate::judging::choices::{Choices, budget};
use clap::Args;
use eddyline_detect::{Detectors, Zone};

/// What is an alert.
#[derive(Debug, Args)]
pub struct ChoiceArgs {
    /// False alarms accepted a day and monitor.
    #[arg(long, env = "EDDYLINE_BUDGET", default_value_t = Choices::default().budget_per_day, value_parser = budget)]
    pub budget: f64,
    /// Windows to learn from before the first alert.
    #[arg(long, env = "EDDYLINE_MIN_HISTORY", value_name = "WINDOWS", default_value_t = Choices::default().min_history,
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub min_history: u32,
    /// Ordinary windows that end an incident.
    #[arg(long, env = "EDDYLINE_QUIET_AFTER", value_name = "WINDOWS", default_value_t = Choices::default().quiet_after,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub quiet_after: u32,
    /// Windows after which an incident is taken as the new normal.
    #[arg(long, env = "EDDYLINE_ACCEPT_AFTER", value_name = "WINDOWS", default_value_t = Choices::default().accept_after,
          value_parser = clap::value_parser!(u32).range(60..=1_000_000))]
    pub accept_after: u32,
    /// What scores numbers: auto, or names separated by commas: ensemble, level, forecast, change, regimes, cluster,
    /// mixture, zscore, moving-average, ewma.
    #[arg(long, env = "EDDYLINE_DETECTORS", value_name = "NAMES", default_value_t = Detectors::default())]
    pub detectors: Detectors,
    /// Whose hours and weekdays the traffic follows: an IANA name, such as Europe/Berlin.
    #[arg(long, env = "EDDYLINE_TIME_ZONE", value_name = "ZONE", default_value_t = Zone::default())]
    pub time_zone: Zone,
}

impl From<&ChoiceArgs> for Choices {
    fn from(args: &ChoiceArgs) -> Self {
        Self {
            budget_per_day: args.budget,
            min_history: args.min_history,
            quiet_after: args.quiet_after,
            accept_after: args.accept_after,
            detectors: args.detectors.clone(),
            time_zone: args.time_zone.clone(),
            ..Self::default()
        }
    }
}
