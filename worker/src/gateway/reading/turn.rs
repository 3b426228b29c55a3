//! Judging for somebody who asks takes a core for seconds: one at a time, away from the threads that serve others.

use crate::gateway::errors::{Code, Problem};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

/// Others may take so long before it is one's turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose turn it is. It is over when the work is done, even if nobody waits for it any more.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// Waits for a turn.
    pub(super) async fn take(turns: &Arc<Semaphore>) -> Result<Self, Problem> {
        match timeout(PATIENCE, Arc::clone(turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Self { _permit: permit }),
            _ => {
                let message = "others ask for windows to be judged again, one at a time; try again";
                Err(Problem::new(Code::Busy, message).retry_after(PATIENCE))
            }
        }
    }

    /// Does `work`.
    pub(super) async fn think<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let done = spawn_blocking(move || {
            let done = work();
            drop(self);
            done
        });
        done.await.map_err(broken)
    }

    /// The same for work that waits for Redis in between.
    pub(super) async fn think_async<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        let runtime = Handle::current();
        self.think(move || runtime.block_on(work)).await
    }
}

fn broken(_: JoinError) -> Problem {
    Problem::new(Code::Internal, "judging these windows broke; the log says how")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_a_panic_is_an_answer() {
        let turns = Arc::new(Semaphore::new(1));
        let turn = Turn::take(&turns).await.unwrap();
        assert_eq!(turns.available_permits(), 0);
        assert_eq!(turn.think(|| 5).await, Ok(5));
        let turn = Turn::take(&turns).await.unwrap();
        let broken = turn.think_async(async { panic!("on purpose") }).await;
        assert_eq!(broken.map_err(|problem: Problem| problem.code), Err::<(), _>(Code::Internal));
        assert_eq!(turns.available_permits(), 1);
    }
}
