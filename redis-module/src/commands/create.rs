//! `EDDY.CREATE`.

use super::refused;
use crate::catch_up::extent;
use crate::ffi::context::{salt, selected, serves_a_slot};
use crate::ffi::events::notify;
use crate::ffi::key::{NoMonitor, create as put, with_monitor};
use crate::registry::Registry;
use crate::tick::soon_anew;
use crate::{limit, translate};
use eddyline_monitor::{EntryId, Extent, Monitor};
use eddyline_wire::command::create::{Create, From};
use eddyline_wire::slot::{slot, tag};
use eddyline_wire::text::printable;
use redis_module::{Context, REDIS_OK, RedisError, RedisResult, RedisValue};
use std::collections::BTreeMap;

/// Bytes of a stream entry beside its vector and `top`, about.
const ENTRY_OVERHEAD: u64 = 96;
/// Bytes of a score's entry, about.
const SCORE_BYTES: u64 = 96;

pub(super) fn create(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mut create = Create::parse(args).map_err(refused)?;
    // the node that the client talks to draws the key of the hash, and the log has it
    let drawn = create.salt.is_none() && !create.hashed.is_empty();
    if drawn {
        create.salt = Some(salt()?);
    }
    let key = create.keys.monitor();
    if !create.dryrun {
        match with_monitor(ctx, key, false, |_| ()) {
            Ok(()) if create.nx => return Ok(RedisValue::Null),
            Ok(()) => {
                return Err(RedisError::String(format!(
                    "ERR monitor '{}' exists already: NX leaves it as it is, DEL removes it",
                    printable(key, 64)
                )));
            }
            Err(NoMonitor::WrongType) => return Err(RedisError::WrongType),
            Err(NoMonitor::Missing) => {}
        }
    }
    refuse_other_slots(ctx, key, &create.sources)?;
    let mut monitor =
        Monitor::new(translate::definition(&create)).map_err(|error| RedisError::String(format!("ERR {error}")))?;
    if create.dryrun {
        return Ok(estimate(&monitor));
    }
    limit::check(ctx, monitor.bytes_at_most())?;
    let mut following = true;
    for (number, extent) in extents_of(ctx, &create.sources)?.into_iter().enumerate() {
        let cursor = start(create.from, extent.newest);
        following &= extent.newest <= cursor;
        monitor.set_cursor(number, cursor, &extent);
    }
    monitor.set_following(following);
    Registry::lock().put(selected(ctx), key, &monitor);
    put(ctx, key, monitor)?;
    if drawn {
        let spelled = create.to_arguments();
        let args: Vec<&[u8]> = spelled[1..].iter().map(Vec::as_slice).collect();
        ctx.replicate("EDDY.CREATE", &args[..]);
    } else {
        ctx.replicate_verbatim();
    }
    notify(ctx, c"eddy.create", key);
    soon_anew(ctx, key);
    REDIS_OK
}

/// In a cluster a monitor reads what is in its own slot. The server looks at the first key only.
pub(super) fn refuse_other_slots(ctx: &Context, key: &[u8], sources: &[Vec<u8>]) -> Result<(), RedisError> {
    let Some(other) = sources.iter().find(|name| slot(name) != slot(key)).filter(|_| serves_a_slot(ctx)) else {
        return Ok(());
    };
    let (source, tag) = (printable(other, 64), printable(tag(other), 64));
    Err(RedisError::String(format!(
        "CROSSSLOT source '{source}' is in another slot than monitor '{}': a name with {{{tag}}} shares it, as in \
         {{{tag}}}:checkout",
        printable(key, 64)
    )))
}

/// What there is of each source.
pub(super) fn extents_of(ctx: &Context, sources: &[Vec<u8>]) -> Result<Vec<Extent>, RedisError> {
    let of = |name: &Vec<u8>| {
        let extent = extent(ctx, name, EntryId::default()).map_err(|_| {
            RedisError::String(format!("ERR source '{}' holds something that isn't a stream", printable(name, 64)))
        })?;
        Ok(extent.unwrap_or(Extent::EMPTY))
    };
    sources.iter().map(of).collect()
}

/// Where reading starts in a source with this newest entry.
pub(super) fn start(from: From, newest: EntryId) -> EntryId {
    match from {
        From::Now => newest,
        From::After(id) => translate::entry_id(id),
    }
}

/// What the monitor and its streams would take, in bytes; of an inferred one only the most is known.
fn estimate(monitor: &Monitor) -> RedisValue {
    let features = monitor.schema().map_or(0, |schema| schema.len() as u64);
    let retention = monitor.definition().retention;
    let fingerprint = 4 * features + eddyline_wire::fingerprint::MAX_TOP as u64 + ENTRY_OVERHEAD;
    let sizes = [
        ("features", Some(features)),
        ("monitor_bytes", monitor.bytes_expected()),
        ("monitor_bytes_at_most", Some(monitor.bytes_at_most())),
        ("fingerprints_bytes", Some(retention * fingerprint)),
        ("scores_bytes", Some(retention * SCORE_BYTES)),
    ];
    let number = |size: Option<u64>| size.map_or(RedisValue::Null, |size| RedisValue::Integer(size as i64));
    BTreeMap::from(sizes.map(|(name, size)| (name.to_owned(), number(size)))).into()
}
