//! What is new, as it comes: one task reads the scores and incidents of all monitors while somebody listens ([`follow`]),
//! what it finds is kept for a while and told to all listeners ([`board`]), each of whom may have missed something ([`past`])
//! and gets it as server-sent events ([`stream`]).

pub mod board;
pub mod read;
pub mod stream;

mod follow;
mod past;

use crate::gateway::Gateway;
use crate::gateway::errors::Problem;
use crate::gateway::reading::names::Names;
use board::{Board, Joined};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Until the first listener hears something.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is new, for all listeners.
#[derive(Debug, Clone)]
pub struct Live {
    gateway: Gateway,
    names: Arc<Names>,
    board: Arc<Board>,
}

impl Live {
    /// Nobody listens yet.
    #[must_use]
    pub fn new(gateway: Gateway, names: Arc<Names>) -> Self {
        Self { gateway, names, board: Arc::default() }
    }

    /// One more listener.
    ///
    /// # Errors
    /// There is no connection to Redis, or it doesn't let us listen.
    pub async fn join(&self) -> Result<Joined, Problem> {
        let (joined, is_first) = Board::join(&self.board);
        if is_first {
            let (board, gateway, names) = (Arc::clone(&self.board), self.gateway.clone(), Arc::clone(&self.names));
            tokio::spawn(follow::follow(board, gateway, names));
        }
        timeout(PATIENCE, joined.ready()).await.map_err(|_| Problem::unavailable())??;
        Ok(joined)
    }
}
