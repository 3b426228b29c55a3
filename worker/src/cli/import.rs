//! Arguments of `eddyline import`.

use super::ServerArgs;
use super::values::companions;
use crate::upkeep::import::Import;
use clap::Args;
use eddyline_wire::keys::Companions;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  eddyline import checkout checkout.eddyline --dry-run     what would be imported
  eddyline import checkout checkout.eddyline
  eddyline import checkout checkout.eddyline --yes         in place of what was learnt here

The file is one of 'eddyline export'. It is checked whole before anything is written, and written at once or not at all. A
worker that is at work on the monitor goes on with the imported model within 5 seconds: the next window is judged by it, and
there is no warm-up. The settings in the file replace those of the monitor.";

/// Arguments of `eddyline import`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    /// The monitor; it needs the fields and the window of the one that the file is of.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// The file.
    pub file: PathBuf,
    /// Only say what would be imported.
    #[arg(long)]
    pub dry_run: bool,
    /// Replace what was learnt here.
    #[arg(long)]
    pub yes: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl From<ImportArgs> for Import {
    fn from(ImportArgs { monitor, file, dry_run, yes, server }: ImportArgs) -> Self {
        Self { address: server.redis, monitor, file, dry_run, yes }
    }
}
