//! Which monitors there are, looked at when somebody asks and not more than once a second: those that the module lists, and
//! owners of fingerprints, which a worker counts or somebody sends.

use crate::store::connect::{Connection, Node};
use crate::store::discovery::{Listing, Module};
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// What was found counts for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Keys looked at in one go, well below a millisecond of the server's time; how often the first time, and later.
const PAGE: usize = 1000;
const FIRST_PAGES: usize = 100;
const PAGES: usize = 4;
/// Most monitors that are shown.
const MOST: usize = 10_000;

/// Names in order.
pub type All = Arc<Vec<Vec<u8>>>;

/// Which monitors there are.
#[derive(Debug, Default)]
pub struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    listing: Listing,
    has_module: Option<bool>,
    /// Servers whose keys are still to be looked through in this pass, the first from this cursor on.
    nodes: VecDeque<Node>,
    cursor: u64,
    /// Found in the pass that is under way, and in the last whole one.
    passing: BTreeSet<Vec<u8>>,
    found: BTreeSet<Vec<u8>>,
    all: All,
    looked: Option<Instant>,
}

impl Names {
    /// The names, and whether a server has the module.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn now(&self, connection: &mut Connection) -> RedisResult<(All, bool)> {
        let mut known = self.0.lock().await;
        if known.looked.is_none_or(|looked| looked.elapsed() >= FRESH) {
            known.look(connection).await?;
        }
        Ok((Arc::clone(&known.all), known.has_module.unwrap_or(false)))
    }
}

impl Known {
    async fn look(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let module = self.listing.look(connection).await?;
        self.has_module = Some(module == Module::Present);
        let pages = if self.looked.is_none() { FIRST_PAGES } else { PAGES };
        for _ in 0..pages {
            if self.page(connection).await? {
                break;
            }
        }
        let mut names: BTreeSet<&Vec<u8>> = self.listing.names().collect();
        names.extend(self.found.union(&self.passing));
        self.all = Arc::new(names.into_iter().take(MOST).cloned().collect());
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// One page of a server's keys; says whether the pass is over.
    async fn page(&mut self, connection: &mut Connection) -> RedisResult<bool> {
        if self.nodes.is_empty() {
            self.nodes = connection.nodes().await?.into();
        }
        let Some(node) = self.nodes.front().cloned() else { return Ok(true) };
        let mut scan = redis::cmd("SCAN");
        scan.arg(self.cursor).arg("MATCH").arg("*:fingerprints").arg("COUNT").arg(PAGE);
        let (next, keys): (u64, Vec<Vec<u8>>) = connection.ask(&node, scan).await?;
        let owners = keys.iter().filter_map(|key| Companions::owning(key).filter(|owner| owner.fingerprints() == *key));
        self.passing.extend(owners.map(|owner| owner.monitor().to_vec()));
        self.cursor = next;
        if next == 0 {
            self.nodes.pop_front();
        }
        let is_over = self.nodes.is_empty();
        if is_over {
            self.found = std::mem::take(&mut self.passing);
        }
        Ok(is_over)
    }
}
