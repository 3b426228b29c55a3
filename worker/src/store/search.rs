//! Which vector monitors there are: nobody lists them, so the keys of the database are looked through, a bounded piece at
//! a time, for settings that have a period. Whoever publishes its name on `eddyline:closed` is found at once.

use crate::store::connect::{Connection, is_lost};
use eddyline_wire::keys::Companions;
use eddyline_wire::vector::PERIOD;
use redis::{RedisError, RedisResult};
use std::collections::BTreeSet;

/// Keys looked at in one go, well below a millisecond of the server's time; and how often in a sweep.
const PAGE: usize = 1000;
const PAGES: usize = 4;
/// Names heard of that are still to be looked at; more are found by looking through the keys.
const HEARD: usize = 1000;

/// A search that never ends.
#[derive(Debug, Default)]
pub struct Search {
    cursor: u64,
    /// Found in the pass that is under way, and in the last one.
    passing: BTreeSet<Vec<u8>>,
    found: BTreeSet<Vec<u8>>,
    heard: BTreeSet<Vec<u8>>,
}

impl Search {
    /// There was a message about this name.
    pub fn hear(&mut self, name: Vec<u8>) {
        if self.heard.len() < HEARD {
            self.heard.insert(name);
        }
    }

    /// The names found so far.
    pub fn names(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.found.union(&self.passing)
    }

    /// Looks a bit further.
    ///
    /// # Errors
    /// Trouble with Redis; names heard of have been looked at before.
    pub async fn go_on(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let heard = std::mem::take(&mut self.heard);
        let keys = heard.iter().filter_map(|name| Companions::of(name).ok()).collect();
        self.passing.extend(with_period(connection, keys).await?);
        for _ in 0..PAGES {
            let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
                .arg(self.cursor)
                .arg("MATCH")
                .arg("*:settings")
                .arg("COUNT")
                .arg(PAGE)
                .query_async(connection)
                .await?;
            let owners = keys.iter().filter_map(|key| Companions::owning(key).filter(|keys| keys.settings() == *key));
            self.passing.extend(with_period(connection, owners.collect()).await?);
            self.cursor = next;
            if next == 0 {
                self.found = std::mem::take(&mut self.passing);
                break;
            }
        }
        Ok(())
    }
}

/// Those of the names whose settings have a period.
async fn with_period(connection: &mut Connection, monitors: Vec<Companions>) -> RedisResult<Vec<Vec<u8>>> {
    if monitors.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for keys in &monitors {
        pipe.cmd("HGET").arg(keys.settings()).arg(PERIOD);
    }
    // Another user's settings, or a key that is no hash, is none of ours.
    let replies: Vec<RedisResult<Option<Vec<u8>>>> = pipe.ignore_errors().query_async(connection).await?;
    let mut found = Vec::new();
    for (keys, reply) in monitors.iter().zip(replies) {
        match reply {
            Ok(Some(_)) => found.push(keys.monitor().to_vec()),
            Ok(None) => {}
            Err(error) if is_lost(&error) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Whether the server refuses because this user may not.
#[must_use]
pub fn is_forbidden(error: &RedisError) -> bool {
    error.code() == Some("NOPERM")
}
