//! Arguments of `eddyline test-sink`.

use super::values;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  eddyline test-sink ops --config /etc/eddyline.toml
  EDDYLINE_CONFIG=/etc/eddyline.toml eddyline test-sink pager

The sink is sent a notification that calls itself a test, whatever its `events` and `min_severity` are. Receivers that keep
an incident open until they hear of its end (pagerduty, alertmanager) are sent the end as well. The exit code is 1 if the
receiver didn't take it.";

/// Arguments of `eddyline test-sink`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TestSinkArgs {
    /// Name of the sink: X of the section [sinks.X].
    #[arg(value_name = "NAME")]
    pub sink: String,
    /// The file with the settings.
    #[arg(long, env = "EDDYLINE_CONFIG", value_name = "FILE")]
    pub config: PathBuf,
    /// Name of this deployment, as it stands in notifications.
    #[arg(long, env = "EDDYLINE_DEPLOYMENT", default_value = "default", value_parser = values::deployment)]
    pub deployment: String,
}
