//! Arguments of `eddyline serve`.

use super::settings::SettingsArgs;
use crate::config::load::Sources;
use clap::Args;
use std::path::PathBuf;

const SERVE_EXAMPLES: &str = "\
Examples:
  eddyline serve                                             this machine alone, at http://127.0.0.1:8080/
  eddyline serve --http 0.0.0.0:8080 --config eddyline.toml  needs a key in the file's [http.keys]: see eddyline key
  eddyline serve --redis redis://:secret@redis.internal:6379/2 --deployment production
  eddyline worker --http 127.0.0.1:8080                      the same within a worker

Then: curl -d '{\"endpoint\":\"/charge\",\"status\":500,\"latency_ms\":34}' 'http://127.0.0.1:8080/v1/events?monitor=checkout'

The monitor must be there: redis-cli EDDY.CREATE checkout. docs/http.md has the rest: batches, OpenTelemetry, Prometheus, keys.
Give it the settings of the workers. SIGHUP makes it read the file again, keys among it.";

/// Arguments of `eddyline serve`.
#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct ServeArgs {
    /// A file of settings, TOML; docs/eddyline.toml has them all.
    #[arg(long, env = "EDDYLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What counts more than the file.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

impl From<ServeArgs> for Sources {
    fn from(ServeArgs { config, settings }: ServeArgs) -> Self {
        Self { file: config, given: settings.0, counted: Vec::new() }
    }
}
