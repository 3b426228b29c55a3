//! `EDDY.LIST`.

use crate::ffi::context::selected;
use crate::ffi::key::with_monitor;
use crate::registry::Registry;
use redis_module::{Context, RedisResult, RedisValue};

pub(super) fn list(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    eddyline_wire::command::Arguments::new("eddy.list", args).end().map_err(super::refused)?;
    let db = selected(ctx);
    let keys = Registry::lock().of_database(db);
    let alive = keys.into_iter().filter(|key| with_monitor(ctx, key, false, |_| ()).is_ok());
    Ok(RedisValue::Array(alive.map(RedisValue::StringBuffer).collect()))
}
