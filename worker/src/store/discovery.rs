//! Which monitors there are, and which of them have just closed a window.

use crate::store::connect::Connection;
use eddyline_wire::keys::CLOSED;
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};

/// The names of this database's monitors; none where the server doesn't know the command.
///
/// # Errors
/// Any other trouble with Redis.
pub async fn list(connection: &mut Connection) -> RedisResult<Option<Vec<Vec<u8>>>> {
    match redis::cmd("EDDY.LIST").query_async(connection).await {
        Ok(names) => Ok(Some(names)),
        Err(error) if is_unknown_command(&error) => Ok(None),
        Err(error) => Err(error),
    }
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
