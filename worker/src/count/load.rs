//! What counting begins with: the state that was put away, suited to what is asked for now, or a new one.

use super::source::{self, Stream};
use super::state::{Followed, Presence, State};
use super::translate::definition;
use crate::store::connect::{Connection, is_lost};
use crate::store::stream::{RawEntry, string_in};
use eddyline_monitor::{Clock, Definition, EntryId, Extent, Monitor, Source};
use eddyline_wire::command::create::{Create, From};
use eddyline_wire::fingerprint::Fingerprint;
use redis::{ErrorKind, RedisError, RedisResult, Value};
use std::io::Read;
use tracing::info;

/// The state to go on from: `read` where it is of the same fields and windows, or else a new monitor, which goes on where the
/// old one was in its streams.
///
/// # Errors
/// Trouble with Redis, or a monitor that can't be.
pub async fn suited(
    connection: &mut Connection,
    create: &Create,
    name: &str,
    read: Option<State>,
) -> RedisResult<State> {
    let wanted = definition(create);
    if let Some(state) = &read
        && counts_the_same(state.monitor.definition(), &wanted, create.salt.is_some())
        && state.monitor.definition().sources == wanted.sources
    {
        let mut state = read.expect("looked at above");
        state.monitor.set_clock(wanted.clock);
        state.monitor.set_retention(wanted.retention);
        return Ok(state);
    }
    let starts = starts(connection, create, read.as_ref()).await?;
    let followed = starts.iter().map(|start| start.followed).collect();
    let start = |name: &[u8]| {
        let at = create.sources.iter().position(|known| known == name).unwrap_or_default();
        (starts[at].cursor, starts[at].extent)
    };
    match read {
        Some(mut state) if counts_the_same(state.monitor.definition(), &wanted, create.salt.is_some()) => {
            info!(monitor = name, "it reads other streams now");
            state.monitor.set_clock(wanted.clock);
            state.monitor.set_retention(wanted.retention);
            state.monitor.set_sources(&create.sources, start);
            Ok(State { followed, ..state })
        }
        read => {
            if read.is_some() {
                info!(monitor = name, "its definition changed: it counts anew, from where it was in its streams");
            }
            let mut wanted = wanted;
            if create.salt.is_none() && !create.hashed.is_empty() {
                wanted.hashed.key = drawn()?;
            }
            let mut monitor = Monitor::new(wanted)
                .map_err(|error| RedisError::from((ErrorKind::Client, "it can't be counted", error.to_string())))?;
            for (i, name) in create.sources.iter().enumerate() {
                let (cursor, extent) = start(name);
                monitor.set_cursor(i, cursor, &extent);
            }
            let presence = read.map(|state| state.presence).unwrap_or_default();
            Ok(State { monitor, followed, presence })
        }
    }
}

/// Whether the same entries give the same fingerprints under both.
fn counts_the_same(was: &Definition, wanted: &Definition, salted: bool) -> bool {
    let mut like_it = Definition { clock: was.clock, retention: was.retention, ..wanted.clone() };
    like_it.sources.clone_from(&was.sources);
    if !salted {
        like_it.hashed.key = was.hashed.key;
    }
    *was == like_it
}

struct Start {
    cursor: EntryId,
    extent: Extent,
    followed: Followed,
}

/// Where each source is read from: where it was read to, or where the definition says.
async fn starts(connection: &mut Connection, create: &Create, read: Option<&State>) -> RedisResult<Vec<Start>> {
    let unread = Definition { sources: create.sources.clone(), clock: Clock::Stream, ..definition(create) };
    let new = Monitor::new(unread)
        .map_err(|error| RedisError::from((ErrorKind::Client, "it can't be counted", error.to_string())))?;
    let look = source::look(connection, new.sources(), 1).await?;
    let known = |name: &[u8]| {
        let state = read?;
        let at = state.monitor.sources().iter().position(|source: &Source| source.name == name)?;
        Some((state.monitor.sources()[at].cursor, state.followed[at]))
    };
    let starts = create.sources.iter().zip(look.streams).map(|(name, found)| {
        let there = found.is_some();
        let stream = found.unwrap_or_default();
        let extent = Stream::extent(&stream);
        if let Some((cursor, followed)) = known(name) {
            return Start { cursor, extent, followed };
        }
        let cursor = match create.from {
            From::Now => stream.last,
            From::After(id) => EntryId { ms: id.ms, seq: id.seq },
        };
        let followed = if there { stream.followed(cursor) } else { Followed { gone: true, ..Followed::default() } };
        Start { cursor, extent, followed }
    });
    Ok(starts.collect())
}

/// A key that nobody can guess.
fn drawn() -> RedisResult<[u8; 16]> {
    let mut key = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut key))
        .map_err(|error| RedisError::from((ErrorKind::Io, "no random bytes for HASHED", error.to_string())))?;
    Ok(key)
}

/// Finds out which server this is: of another one than before, nothing is known of its time until now.
///
/// # Errors
/// The connection is lost.
pub async fn meet(connection: &mut Connection, presence: &mut Presence) -> RedisResult<()> {
    let info: Result<String, RedisError> = redis::cmd("INFO").arg("server").query_async(connection).await;
    let run = match info {
        Ok(info) => info.lines().find_map(|line| line.strip_prefix("run_id:").map(|run| run.trim().to_owned())),
        Err(error) if is_lost(&error) => return Err(error),
        Err(_) => None,
    };
    let run = run.filter(|run| run.len() <= 64).unwrap_or_default();
    if run.is_empty() || run != presence.run {
        *presence = Presence { run, since_ms: None };
    }
    Ok(())
}

/// End of the newest window in the stream of fingerprints; 0 where there is none.
///
/// # Errors
/// Trouble with Redis.
pub async fn last_window(connection: &mut Connection, fingerprints: &[u8]) -> RedisResult<u64> {
    let info: RedisResult<Value> = redis::cmd("XINFO").arg("STREAM").arg(fingerprints).query_async(connection).await;
    let last = match info {
        Ok(info) => string_in(&info, "last-generated-id")?.unwrap_or_default(),
        Err(error) if error.to_string().contains("no such key") => return Ok(0),
        Err(error) => return Err(error),
    };
    Ok(eddyline_wire::command::EntryId::parse(last.as_bytes()).unwrap_or_default().ms)
}

/// Whether the stream has this very fingerprint.
///
/// # Errors
/// Trouble with Redis.
pub async fn stands(connection: &mut Connection, fingerprints: &[u8], ours: &Fingerprint) -> RedisResult<bool> {
    let id = ours.id();
    let found: Vec<RawEntry> = redis::cmd("XRANGE").arg(fingerprints).arg(&id).arg(&id).query_async(connection).await?;
    Ok(found.first().is_some_and(|(_, fields)| {
        let pairs = fields.as_chunks::<2>().0.iter().map(|[field, value]| (field.as_slice(), value.as_slice()));
        Fingerprint::from_fields(&id, pairs).is_ok_and(|there| (there.schema, there.n) == (ours.schema, ours.n))
    }))
}
