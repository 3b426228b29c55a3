//! `eddyline explain`: why a window alerted or didn't, feature by feature, by the code that scored it. Changes nothing.

pub mod answer;
pub mod past;
pub mod picture;
pub mod tell;
pub mod which;
pub mod why;

use crate::config::fault::Faults;
use crate::config::load::Sources;
use crate::store::connect::Address;
use eddyline_wire::keys::Companions;
use redis::RedisError;
use std::io::{self, Write};
use std::path::PathBuf;
use which::Which;

/// What is asked.
#[derive(Debug)]
pub struct Question {
    /// The server.
    pub address: Address,
    /// The monitor.
    pub monitor: Companions,
    /// The window.
    pub which: Which,
    /// The worker's settings, to judge by what they choose; else by what was chosen when the last checkpoint was written.
    pub settings: Option<PathBuf>,
    /// Whether to answer as JSON.
    pub json: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// There is no such window.
    #[error("{0}")]
    NoWindow(String),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] Faults),
    /// Nobody reads it.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Finds out and tells.
///
/// # Errors
/// See [`ExplainError`].
#[tokio::main(flavor = "current_thread")]
pub async fn run(question: &Question) -> Result<(), ExplainError> {
    let chosen = match &question.settings {
        None => None,
        Some(file) => {
            let sources = Sources { file: Some(file.clone()), given: Vec::new(), counted: Vec::new() };
            Some(sources.load()?.config.live.choices.of(question.monitor.monitor()).0)
        }
    };
    let mut connection = question.address.connect_for_command().await?;
    let answer = answer::find_as_chosen(&mut connection, &question.monitor, question.which, chosen.as_ref()).await?;
    let mut out = io::stdout().lock();
    if question.json {
        serde_json::to_writer_pretty(&mut out, &answer).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        tell::tell(&answer, &mut out)?;
    }
    Ok(())
}
