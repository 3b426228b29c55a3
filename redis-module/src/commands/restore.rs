//! `EDDY.RESTORE`: what an append-only file without RDB preamble holds of a monitor. Internal.

use super::refused;
use crate::ffi::context::selected;
use crate::ffi::key::{NoMonitor, create as put, with_monitor};
use crate::registry::Registry;
use crate::tick::soon_anew;
use eddyline_monitor::Monitor;
use eddyline_wire::command::Arguments;
use redis_module::{Context, REDIS_OK, RedisError, RedisResult};

pub(super) fn restore(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mut args = Arguments::new("eddy.restore", args);
    let (key, bytes) = (args.required().map_err(refused)?, args.required().map_err(refused)?);
    args.end().map_err(refused)?;
    match with_monitor(ctx, key, false, |_| ()) {
        Ok(()) => return Err(RedisError::Str("ERR the monitor exists already")),
        Err(NoMonitor::WrongType) => return Err(RedisError::WrongType),
        Err(NoMonitor::Missing) => {}
    }
    let monitor = Monitor::decode(bytes).map_err(|error| RedisError::String(format!("ERR {error}")))?;
    Registry::lock().put(selected(ctx), key, &monitor);
    put(ctx, key, monitor)?;
    ctx.replicate_verbatim();
    soon_anew(ctx, key);
    REDIS_OK
}
