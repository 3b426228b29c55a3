//! Arguments of `eddyline worker`.

use super::choices::ChoiceArgs;
use super::values::{address, deployment, monitor};
use crate::observe::listen::Listen;
use crate::store::connect::Address;
use clap::Args;

const WORKER_EXAMPLES: &str = "\
Examples:
  eddyline worker
  eddyline worker --redis redis://:secret@redis.internal:6379/2 --deployment production
  eddyline worker --redis redis+unix:///run/redis/redis.sock --budget 0.2
  eddyline worker --time-zone America/New_York

Then: redis-cli SUBSCRIBE eddyline:alerts

For one monitor alone, while the worker runs: redis-cli HSET {checkout}:settings budget 0.2 detectors level,change

Any number of workers may run: each monitor is one worker's at a time, and a dead worker's monitors are taken over
within 5 seconds.";

/// Arguments of `eddyline worker`.
#[derive(Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub struct WorkerArgs {
    /// Where Redis is: redis://[user:password@]host[:port][/db] or redis+unix:///path[?db=n].
    #[arg(long, env = "EDDYLINE_REDIS", default_value = "redis://127.0.0.1:6379", hide_env_values = true, value_parser = address)]
    pub redis: Address,
    /// Name of this deployment: part of every incident's id, so that staging and production differ.
    #[arg(long, env = "EDDYLINE_DEPLOYMENT", default_value = "default", value_parser = deployment)]
    pub deployment: String,
    /// A monitor to work on though EDDY.LIST doesn't name it, such as a stream of own fingerprints (repeatable).
    #[arg(long = "monitor", value_name = "NAME", value_parser = monitor)]
    pub monitors: Vec<String>,
    /// Where metrics and health are told over HTTP (/metrics, /livez, /readyz): an address and a port, or none.
    #[arg(long, env = "EDDYLINE_LISTEN", value_name = "ADDRESS", default_value_t = Listen::default())]
    pub listen: Listen,
    /// The choices.
    #[command(flatten)]
    pub choices: ChoiceArgs,
}
