//! What there is of a monitor's streams, at one moment of the server.

use super::state::Followed;
use crate::store::connect::Connection;
use crate::store::stream::{RawEntry, string_in};
use eddyline_monitor::{EntryId, Extent, Source};
use eddyline_wire::command::EntryId as WireId;
use eddyline_wire::text::printable;
use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Value};
use std::collections::HashMap;

/// The last id that there can be; nothing comes behind it.
const END: EntryId = EntryId { ms: u64::MAX, seq: u64::MAX };

/// An entry: its id, its fields and values.
pub type Entry = (EntryId, Vec<Vec<u8>>);

/// All streams, and the time.
#[derive(Debug)]
pub struct Look {
    /// The server's clock, ms since the epoch, before the streams were looked at: every entry that it gave an id by then is
    /// in them.
    pub now_ms: u64,
    /// In the monitor's order; none where there is no such key.
    pub streams: Vec<Option<Stream>>,
}

/// One stream.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Number of entries.
    pub length: u64,
    /// Entries that were ever added; none where the server doesn't say.
    pub added: Option<u64>,
    /// The last id that it gave.
    pub last: EntryId,
    /// The oldest entry; 0-0 where there is none.
    pub first: EntryId,
    /// The newest entry; 0-0 where there is none.
    pub newest: EntryId,
    /// Entries behind the cursor.
    pub page: Vec<Entry>,
    /// Whether these are all.
    pub whole: bool,
}

impl Stream {
    /// As the monitor takes it.
    #[must_use]
    pub fn extent(&self) -> Extent {
        Extent { length: self.length, first: self.first, newest: self.newest, holds_cursor: false }
    }

    /// Entries that stand behind `cursor`, where the length tells.
    #[must_use]
    pub fn behind(&self, cursor: EntryId) -> Option<u64> {
        match cursor {
            _ if self.newest <= cursor => Some(0),
            _ if cursor < self.first => Some(self.length),
            _ => None,
        }
    }

    /// Followed from `cursor` on.
    #[must_use]
    pub fn followed(&self, cursor: EntryId) -> Followed {
        let read = self.added.zip(self.behind(cursor)).map(|(added, behind)| added.saturating_sub(behind));
        Followed { read, last: self.last, gone: false }
    }
}

/// Looks at the streams `sources`, of each at most `count` entries behind its cursor.
///
/// # Errors
/// Trouble with Redis, or a key that is no stream.
pub async fn look(connection: &mut Connection, sources: &[Source], count: usize) -> RedisResult<Look> {
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("TIME");
    for source in sources {
        let cursor = WireId { ms: source.cursor.ms, seq: source.cursor.seq };
        let start = if source.cursor == END { cursor.to_string() } else { format!("({cursor}") };
        pipe.cmd("XINFO").arg("STREAM").arg(&source.name);
        pipe.cmd("XRANGE").arg(&source.name).arg(start).arg("+").arg("COUNT").arg(count);
    }
    let replies: Vec<RedisResult<Value>> = pipe.ignore_errors().query_async(connection).await?;
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap_or_else(|| Err(odd("fewer replies than commands")));
    let (seconds, micros): (u64, u64) = FromRedisValue::from_redis_value(next()?)?;
    let mut streams = Vec::new();
    for source in sources {
        let (info, page) = (next(), next());
        streams.push(match info {
            Ok(info) => Some(stream(&info, page?, count)?),
            Err(error) if error.to_string().contains("no such key") => None,
            Err(error) if error.code() == Some("WRONGTYPE") => {
                let name = printable(&source.name, 64);
                return Err((ErrorKind::Client, "the source isn't a stream: DEL or RENAME it", name).into());
            }
            Err(error) => return Err(error),
        });
    }
    Ok(Look { now_ms: seconds.saturating_mul(1000).saturating_add(micros / 1000), streams })
}

/// Whether the stream `name` has the entry `id`.
///
/// # Errors
/// Trouble with Redis.
pub async fn holds(connection: &mut Connection, name: &[u8], id: EntryId) -> RedisResult<bool> {
    let id = WireId { ms: id.ms, seq: id.seq }.to_string();
    let found: Vec<RawEntry> = redis::cmd("XRANGE").arg(name).arg(&id).arg(&id).query_async(connection).await?;
    Ok(!found.is_empty())
}

fn stream(info: &Value, page: Value, count: usize) -> RedisResult<Stream> {
    let fields: HashMap<String, Value> = FromRedisValue::from_redis_value_ref(info)?;
    let number = |name: &str| fields.get(name).and_then(|value| u64::from_redis_value_ref(value).ok());
    let outer = |name: &str| -> RedisResult<EntryId> {
        let entry: Option<RawEntry> =
            fields.get(name).and_then(|value| FromRedisValue::from_redis_value_ref(value).ok());
        entry.map_or(Ok(EntryId::default()), |(id, _)| entry_id(&id))
    };
    let page: Vec<RawEntry> = FromRedisValue::from_redis_value(page)?;
    let whole = page.len() < count;
    let page = page.into_iter().map(|(id, fields)| Ok((entry_id(&id)?, fields))).collect::<RedisResult<_>>()?;
    Ok(Stream {
        length: number("length").unwrap_or_default(),
        added: number("entries-added"),
        last: entry_id(&string_in(info, "last-generated-id")?.unwrap_or_default())?,
        first: outer("first-entry")?,
        newest: outer("last-entry")?,
        page,
        whole,
    })
}

fn entry_id(text: &str) -> RedisResult<EntryId> {
    let id = WireId::parse(text.as_bytes()).ok_or_else(|| odd("not the id of an entry"))?;
    Ok(EntryId { ms: id.ms, seq: id.seq })
}

fn odd(what: &'static str) -> RedisError {
    RedisError::from((ErrorKind::UnexpectedReturnType, what))
}
