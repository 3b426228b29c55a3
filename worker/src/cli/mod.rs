//! The command line: parsed text, and the checked values made of it. A file a command.

pub mod check_config;
pub mod choices;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod feedback;
pub mod import;
pub mod key;
pub mod mark;
pub mod replay;
pub mod serve;
pub mod settings;
pub mod test_sink;
pub mod upkeep;
pub mod worker;

pub(crate) mod values;

mod server;

pub use server::ServerArgs;

use check_config::CheckConfigArgs;
use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use doctor::DoctorArgs;
use explain::ExplainArgs;
use export::ExportArgs;
use feedback::FeedbackArgs;
use import::ImportArgs;
use key::KeyArgs;
use mark::MarkArgs;
use replay::ReplayArgs;
use serve::ServeArgs;
use test_sink::TestSinkArgs;
use upkeep::{CopyArgs, DeleteArgs, RenameArgs};
use worker::WorkerArgs;

/// Finds what is unusual in streams of application events.
#[derive(Debug, Parser)]
#[command(name = "eddyline", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The process' own command line; where it is wrong, the process ends with what is allowed.
    #[must_use]
    pub fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| without_secrets(error).exit())
    }
}

/// The address of a Redis may have a password in it.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    if matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if name.starts_with("--redis")) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("***".to_owned()));
    }
    error
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Score the fingerprints of all monitors as they come, and publish alerts.
    Worker(Box<WorkerArgs>),
    /// Take observations over HTTP and tell what was found.
    Serve(Box<ServeArgs>),
    /// Make a key for the HTTP gateway.
    Key(KeyArgs),
    /// Check the settings of a worker and print those in force.
    CheckConfig(CheckConfigArgs),
    /// Feed a file of events through the same code and report what was found.
    Replay(Box<ReplayArgs>),
    /// Delete a monitor with all that belongs to it.
    Delete(DeleteArgs),
    /// Rename a monitor with all that belongs to it.
    Rename(RenameArgs),
    /// Copy a monitor with all that it knows.
    Copy(CopyArgs),
    /// Write what was learnt about a monitor into a file.
    Export(ExportArgs),
    /// Take over what was learnt about a monitor elsewhere.
    Import(ImportArgs),
    /// Say what is wrong with a server and its monitors, and what to do about it.
    Doctor(DoctorArgs),
    /// Say of an incident that it is normal, an anomaly, or not to be heard of for a while.
    Feedback(FeedbackArgs),
    /// Leave a marker, such as a release, for incidents to show.
    Mark(MarkArgs),
    /// Send a test notification to a sink and say what became of it.
    TestSink(TestSinkArgs),
    /// Say why a window alerted, or why it didn't, feature by feature.
    Explain(ExplainArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        let refused = |args: &[&str]| {
            let all = ["eddyline", "worker"].iter().chain(args);
            Cli::try_parse_from(all).unwrap_err().to_string()
        };
        assert!(refused(&["--budget", "0"]).contains("a number above 0 and at most 10000"));
        assert!(refused(&["--detectors", "magic"]).contains("moving-average"));
        assert!(refused(&["--time-zone", "Berlin"]).contains("an IANA name such as UTC or Europe/Berlin"));
        assert!(refused(&["--min-history", "5"]).contains("--min-history"));
    }

    #[test]
    fn an_address_that_is_refused_is_not_shown() {
        let error = Cli::try_parse_from(["eddyline", "doctor", "--redis", "ftp://me:hunter2@x"]).unwrap_err();
        let told = without_secrets(error).to_string();
        assert!(told.contains("invalid value '***' for '--redis") && !told.contains("hunter2"), "{told}");
    }
}
