//! Arguments of `eddyline check-config`.

use super::settings::SettingsArgs;
use crate::config::load::Sources;
use clap::Args;
use std::path::PathBuf;

const CHECK_EXAMPLES: &str = "\
Examples:
  eddyline check-config /etc/eddyline.toml
  eddyline check-config /etc/eddyline.toml --budget 0.2     as a worker with this flag would have it
  eddyline check-config                                     the environment and the defaults alone

It reads the file, the environment and the flags as a worker does. If all is well, it prints the settings in force in the
shape of the file, each with where it is from; secrets are asterisks. Otherwise it names every fault by file, line and
key, with what is allowed, and the exit code is 1. It connects to nothing.";

/// Arguments of `eddyline check-config`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckConfigArgs {
    /// The file.
    #[arg(value_name = "FILE", env = "EDDYLINE_CONFIG")]
    pub file: Option<PathBuf>,
    /// What counts more than the file.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

impl From<CheckConfigArgs> for Sources {
    fn from(CheckConfigArgs { file, settings }: CheckConfigArgs) -> Self {
        Self { file, given: settings.0, counted: Vec::new() }
    }
}
