//! `EDDY.CREATE`.

use super::refused;
use crate::catch_up::newest;
use crate::ffi::context::selected;
use crate::ffi::key::{NoMonitor, create as put, with_monitor};
use crate::registry::Registry;
use crate::translate;
use eddyline_monitor::Monitor;
use eddyline_wire::command::create::{Create, From};
use eddyline_wire::text::printable;
use redis_module::{Context, REDIS_OK, RedisError, RedisResult, RedisValue};
use std::collections::BTreeMap;

/// Bytes of a stream entry beside its vector and `top`, about.
const ENTRY_OVERHEAD: u64 = 96;
/// Bytes of a score's entry, about.
const SCORE_BYTES: u64 = 96;

pub(super) fn create(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let create = Create::parse(args).map_err(refused)?;
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
    let mut monitor =
        Monitor::new(translate::definition(&create)).map_err(|error| RedisError::String(format!("ERR {error}")))?;
    if create.dryrun {
        return Ok(estimate(&monitor));
    }
    let mut following = true;
    for (number, name) in create.sources.iter().enumerate() {
        let newest = newest(ctx, name).map_err(|_| {
            RedisError::String(format!("ERR source '{}' holds something that isn't a stream", printable(name, 64)))
        })?;
        let newest = newest.unwrap_or_default();
        let cursor = match create.from {
            From::Now => newest,
            From::After(id) => translate::entry_id(id),
        };
        following &= newest <= cursor;
        monitor.set_cursor(number, cursor);
    }
    monitor.set_following(following);
    Registry::lock().put(selected(ctx), key, &monitor);
    put(ctx, key, monitor)?;
    ctx.replicate_verbatim();
    REDIS_OK
}

/// What the monitor and its streams would take, in bytes.
fn estimate(monitor: &Monitor) -> RedisValue {
    let features = monitor.schema().map_or(0, |schema| schema.len() as u64);
    let retention = monitor.definition().retention;
    let fingerprint = 4 * features + eddyline_wire::fingerprint::MAX_TOP as u64 + ENTRY_OVERHEAD;
    let sizes = [
        ("features", features),
        ("monitor_bytes", monitor.bytes_at_most()),
        ("fingerprints_bytes", retention * fingerprint),
        ("scores_bytes", retention * SCORE_BYTES),
    ];
    BTreeMap::from(sizes.map(|(name, size)| (name.to_owned(), RedisValue::Integer(size as i64)))).into()
}
