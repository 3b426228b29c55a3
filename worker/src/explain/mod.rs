//! `eddyline explain`: why a window alerted or didn't, feature by feature, by the code that scored it. Changes nothing.

pub mod answer;
pub mod past;
pub mod picture;
pub mod tell;
pub mod which;
pub mod why;

use crate::store::connect::Address;
use eddyline_wire::keys::Companions;
use redis::RedisError;
use std::io::{self, Write};
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
    let (mut connection, _pushes) = question.address.connect().await?;
    let answer = answer::find(&mut connection, &question.monitor, question.which).await?;
    let mut out = io::stdout().lock();
    if question.json {
        serde_json::to_writer_pretty(&mut out, &answer).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        tell::tell(&answer, &mut out)?;
    }
    Ok(())
}
