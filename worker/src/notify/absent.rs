//! Monitors that nobody works on any more, though an incident of theirs is open: nobody will ever end it.

use crate::notify::clock::now_ms;
use crate::store::connect::Connection;
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use std::collections::{BTreeMap, BTreeSet};

/// How long nobody must have worked on it.
const LONG: u64 = 600_000;

/// Since when, ms since the epoch, by monitor.
#[derive(Debug, Default)]
pub(super) struct Absent(BTreeMap<Vec<u8>, u64>);

impl Absent {
    /// Those of `suspects` (monitors that aren't listed) that have been without a worker for long.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub(super) async fn look(
        &mut self,
        connection: &mut Connection,
        suspects: BTreeSet<Vec<u8>>,
    ) -> RedisResult<Vec<Vec<u8>>> {
        self.0.retain(|monitor, _| suspects.contains(monitor));
        let now = now_ms();
        let mut gone = Vec::new();
        for monitor in suspects {
            // Another worker may know of it what this one doesn't.
            let held = match Companions::of(&monitor) {
                Ok(keys) => redis::cmd("EXISTS").arg(keys.lease()).query_async(connection).await?,
                Err(_) => false,
            };
            if held {
                self.0.remove(&monitor);
            } else if now.saturating_sub(*self.0.entry(monitor.clone()).or_insert(now)) >= LONG {
                gone.push(monitor);
            }
        }
        Ok(gone)
    }
}
