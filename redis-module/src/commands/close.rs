//! `EDDY.CLOSE`.

use super::refused;
use crate::counters::noting_a_close;
use crate::ffi::key::with_monitor;
use crate::tick;
use eddyline_wire::command::close::Close;
use redis_module::{Context, RedisResult, RedisValue};

pub(super) fn close(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let close = Close::parse(args).map_err(refused)?;
    let closed =
        with_monitor(ctx, close.key, true, |monitor| noting_a_close(monitor, |monitor| monitor.close(close.end_ms)))?;
    if closed {
        ctx.replicate_verbatim();
        tick::soon(ctx, close.key);
    }
    Ok(RedisValue::Integer(i64::from(closed)))
}
