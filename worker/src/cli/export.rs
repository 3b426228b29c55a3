//! Arguments of `eddyline export`.

use super::ServerArgs;
use super::values::companions;
use crate::upkeep::export::Export;
use clap::Args;
use eddyline_wire::keys::Companions;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  eddyline export checkout --out checkout.eddyline
  eddyline export checkout --redis redis://redis.internal:6379/2 > checkout.eddyline

The file has what was learnt ({checkout}:model), the settings and the feedback ({checkout}:settings) and the schemas that
they are about; no fingerprints, scores or incidents. 'eddyline import' reads it on another server, or for another monitor.
It changes nothing; workers may run meanwhile.";

/// Arguments of `eddyline export`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// The file to write; standard output without it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl From<ExportArgs> for Export {
    fn from(ExportArgs { monitor, out, server }: ExportArgs) -> Self {
        Self { address: server.redis, monitor, out }
    }
}
