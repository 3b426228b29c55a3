//! `EDDY.RESET`.

use super::refused;
use crate::ffi::events::notify;
use crate::ffi::key::with_monitor;
use eddyline_wire::command::Arguments;
use redis_module::{Context, REDIS_OK, RedisResult};

pub(super) fn reset(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mut args = Arguments::new("eddy.reset", args);
    let key = args.required().map_err(refused)?;
    args.end().map_err(refused)?;
    with_monitor(ctx, key, true, eddyline_monitor::Monitor::reset)?;
    ctx.replicate_verbatim();
    notify(ctx, c"eddy.reset", key);
    REDIS_OK
}
