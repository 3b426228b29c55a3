//! Arguments of `eddyline explain`.

use super::ServerArgs;
use super::values::companions;
use crate::explain::Question;
use crate::explain::which::Which;
use clap::Args;
use eddyline_wire::keys::Companions;
use std::path::PathBuf;

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  eddyline explain checkout                              the last window
  eddyline explain checkout 1795166105000-0              the window of this fingerprint, score or alert
  eddyline explain checkout 2026-11-20T09:30:02Z         the window in which that was
  eddyline explain checkout --config /etc/eddyline.toml  by what the settings choose now
  eddyline explain checkout 2026-11-20T10:30:02+01:00 --json | jq '.features[0]'

It takes the last checkpoint before the window, or else learns from the stream's history, and judges the window again by
the worker's own code: score, alert line, incident, what held an alert back, and every feature with what was expected
and observed. It only reads. Where the stream no longer holds what was learnt then, the score differs a little from the
one that was written, and both are told.";

/// Arguments of `eddyline explain`.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub struct ExplainArgs {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// The window: the id of its fingerprint, a time in it (RFC 3339), or last.
    #[arg(default_value = "last", value_parser = clap::value_parser!(Which))]
    pub window: Which,
    /// The worker's settings: the window is judged by what they choose. Without, by what was chosen when the last checkpoint
    /// was written.
    #[arg(long, env = "EDDYLINE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl From<ExplainArgs> for Question {
    fn from(args: ExplainArgs) -> Self {
        Self {
            address: args.server.redis,
            monitor: args.monitor,
            which: args.window,
            settings: args.config,
            json: args.json,
        }
    }
}
