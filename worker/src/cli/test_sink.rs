//! Arguments of `eddyline test-sink`.

use crate::config::load::Sources;
use crate::config::origin::{Given, Origin};
use crate::config::secret::Secret;
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
    /// Name of this deployment, as it stands in notifications, in place of the file's.
    #[arg(long, env = "EDDYLINE_DEPLOYMENT")]
    pub deployment: Option<String>,
}

impl From<&TestSinkArgs> for Sources {
    fn from(args: &TestSinkArgs) -> Self {
        let deployment = args.deployment.clone().map(|name| Given {
            key: "deployment".to_owned(),
            values: vec![Secret::new(name)],
            origin: Origin::Flag("--deployment".to_owned()),
        });
        Self { file: Some(args.config.clone()), given: deployment.into_iter().collect(), counted: Vec::new() }
    }
}
