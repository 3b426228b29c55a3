//! Arguments of `eddyline worker`.

use super::settings::SettingsArgs;
use super::values::counted;
use crate::config::load::Sources;
use clap::Args;
use eddyline_wire::command::create::Create;
use std::path::PathBuf;

const WORKER_EXAMPLES: &str = "\
Examples:
  eddyline worker
  eddyline worker --config /etc/eddyline.toml
  eddyline worker --redis redis://:secret@redis.internal:6379/2 --deployment production
  eddyline worker --redis redis+unix:///run/redis/redis.sock --budget 0.2
  eddyline worker --http 127.0.0.1:8080                     with the HTTP gateway in the same process
  eddyline worker --time-zone America/New_York
  eddyline worker --count 'metrics=checkout CROSSES 1 peer*latency_ms WINDOW 10000'     needs no module

Then: redis-cli SUBSCRIBE eddyline:alerts

A flag counts more than its environment variable, that more than the file. 'eddyline check-config' prints what is in force,
SIGHUP makes the worker read the file again. For one monitor alone, while the worker runs, and above all else:
redis-cli HSET {checkout}:settings budget 0.2 detectors level,change

Any number of workers may run: each monitor is one worker's at a time, and a dead worker's monitors are taken over
within 5 seconds. Give all of them the same settings: one at a time tells people, by its own [notify] and [sinks]; one that
has no sinks leaves that to the others.";

/// Arguments of `eddyline worker`.
#[derive(Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub struct WorkerArgs {
    /// A file of settings, TOML; docs/eddyline.toml has them all.
    #[arg(long, env = "EDDYLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Count this stream here, for a server without the module: the monitor's name and the options of EDDY.CREATE may
    /// follow (repeatable).
    #[arg(long = "count", value_name = "STREAM[=NAME [OPTION ...]]", value_parser = counted)]
    pub counted: Vec<Create>,
    /// What counts more than the file.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

impl From<WorkerArgs> for Sources {
    fn from(WorkerArgs { config, counted, settings }: WorkerArgs) -> Self {
        Self { file: config, given: settings.0, counted }
    }
}
