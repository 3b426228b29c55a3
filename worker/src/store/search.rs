//! Which vector monitors there are: nobody lists them, so the keys of the database are looked through, a bounded piece at
//! a time, for settings that have a period. Whoever publishes its name on `eddyline:closed` is found at once.

use crate::store::connect::{Connection, Node, is_lost};
use eddyline_wire::keys::Companions;
use eddyline_wire::vector::PERIOD;
use redis::{RedisError, RedisResult};
use std::collections::{BTreeSet, VecDeque};

/// Keys looked at in one go, well below a millisecond of the server's time; and how often in a sweep.
const PAGE: usize = 1000;
const PAGES: usize = 4;
/// Names heard of that are still to be looked at; more are found by looking through the keys.
const HEARD: usize = 1000;

/// A search that never ends.
#[derive(Debug, Default)]
pub struct Search {
    /// Servers that this pass is still to look through, the first from this cursor on.
    nodes: VecDeque<Node>,
    cursor: u64,
    /// Found in the pass that is under way, and in the last one.
    passing: BTreeSet<Vec<u8>>,
    found: BTreeSet<Vec<u8>>,
    /// The pass left out a server, so that it can't tell which are gone.
    is_partial: bool,
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
            if self.nodes.is_empty() {
                self.nodes = connection.nodes().await?.into();
            }
            let Some(node) = self.nodes.front().cloned() else { return Ok(()) };
            match self.page(connection, &node).await {
                Ok(next) => self.cursor = next,
                Err(error) => {
                    self.is_partial = true;
                    self.next_node();
                    return Err(error);
                }
            }
            if self.cursor == 0 && self.next_node() {
                break;
            }
        }
        Ok(())
    }

    /// One page of a server's keys; the cursor of the next.
    async fn page(&mut self, connection: &mut Connection, node: &Node) -> RedisResult<u64> {
        let mut scan = redis::cmd("SCAN");
        scan.arg(self.cursor).arg("MATCH").arg("*:settings").arg("COUNT").arg(PAGE);
        let (next, keys): (u64, Vec<Vec<u8>>) = connection.ask(node, scan).await?;
        let owners = keys.iter().filter_map(|key| Companions::owning(key).filter(|keys| keys.settings() == *key));
        self.passing.extend(with_period(connection, owners.collect()).await?);
        Ok(next)
    }

    /// Leaves the first server behind; says whether the pass is over.
    fn next_node(&mut self) -> bool {
        self.nodes.pop_front();
        self.cursor = 0;
        let is_over = self.nodes.is_empty();
        if is_over {
            let passed = std::mem::take(&mut self.passing);
            if std::mem::take(&mut self.is_partial) {
                self.found.extend(passed);
            } else {
                self.found = passed;
            }
        }
        is_over
    }
}

/// Those of the names whose settings have a period.
async fn with_period(connection: &mut Connection, monitors: Vec<Companions>) -> RedisResult<Vec<Vec<u8>>> {
    if monitors.is_empty() {
        return Ok(Vec::new());
    }
    let period = |keys: &Companions| {
        let mut command = redis::cmd("HGET");
        command.arg(keys.settings()).arg(PERIOD);
        command
    };
    // Another user's settings, or a key that is no hash, is none of ours.
    let replies: Vec<RedisResult<Option<Vec<u8>>>> = if connection.is_cluster() {
        let mut replies = Vec::new();
        for keys in &monitors {
            replies.push(period(keys).query_async(connection).await);
        }
        replies
    } else {
        let mut pipe = redis::pipe();
        for keys in &monitors {
            pipe.add_command(period(keys));
        }
        pipe.ignore_errors().query_async(connection).await?
    };
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
    // What a script may not do has no code of its own, in words of Redis and of Valkey.
    let in_script = |detail: &str| {
        detail.starts_with("The user executing the script can't") || detail.starts_with("ACL failure in script")
    };
    error.code() == Some("NOPERM") || error.code() == Some("ERR") && error.detail().is_some_and(in_script)
}
