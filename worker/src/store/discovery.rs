//! Which monitors there are, and which of them have just closed a window.

use crate::store::connect::{Connection, Node};
use eddyline_wire::keys::CLOSED;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use std::collections::BTreeMap;

/// The monitors of this database, as each server named them last.
#[derive(Debug, Default)]
pub struct Listing {
    named: BTreeMap<Node, Vec<Vec<u8>>>,
}

impl Listing {
    /// Asks every server. One of a cluster that doesn't answer keeps what it named before; the trouble is told once the
    /// others were asked.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn look(&mut self, connection: &mut Connection) -> RedisResult<Module> {
        let nodes = connection.nodes().await?;
        self.named.retain(|node, _| nodes.contains(node));
        let (mut module, mut trouble) = (Module::Missing, None);
        for node in nodes {
            match connection.ask(&node, redis::cmd("EDDY.LIST")).await {
                Ok(names) => {
                    module = Module::Present;
                    self.named.insert(node, names);
                }
                Err(error) if is_unknown_command(&error) => drop(self.named.remove(&node)),
                Err(error) => trouble = Some(error),
            }
        }
        trouble.map_or(Ok(module), Err)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.named.values().flatten()
    }
}

/// Whether a server has the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// At least one does.
    Present,
    /// None does.
    Missing,
}

/// Whether the server doesn't know a command at all.
#[must_use]
pub fn is_unknown_command(error: &RedisError) -> bool {
    error.to_string().contains("unknown command")
}

/// What to tell the user of a server without the module.
pub const NO_MODULE: &str = "this Redis server doesn't have the eddyline module, so there are no monitors to score. Load it \
     with 'redis-cli MODULE LOAD /path/to/libeddyline.so' or start the server with '--loadmodule \
     /path/to/libeddyline.so'. Vectors of your own need no module, only a period: HSET {name}:settings period_ms 60000. Trying again every second";

/// Asks to be told of closed windows.
///
/// # Errors
/// Trouble with Redis.
pub async fn subscribe(connection: &mut Connection) -> RedisResult<()> {
    connection.subscribe(CLOSED).await
}

/// What a push says.
#[derive(Debug, PartialEq, Eq)]
pub enum Push {
    /// This monitor has a new fingerprint.
    Closed(Vec<u8>),
    /// The connection is gone.
    Disconnected,
    /// Nothing of interest.
    Other,
}

impl From<PushInfo> for Push {
    fn from(push: PushInfo) -> Self {
        match (push.kind, push.data.into_iter().nth(1)) {
            (PushKind::Message, Some(Value::BulkString(name))) => Self::Closed(name),
            (PushKind::Disconnection, _) => Self::Disconnected,
            _ => Self::Other,
        }
    }
}
