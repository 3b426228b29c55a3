//! `EDDY.MOBSERVE`.

use super::observe::open_window_of_now;
use super::refused;
use crate::ffi::key::with_monitor;
use eddyline_wire::command::mobserve::Mobserve;
use redis_module::{Context, RedisError, RedisResult, RedisValue};

pub(super) fn mobserve(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mobserve = Mobserve::parse(args).map_err(refused)?;
    let n = with_monitor(ctx, mobserve.key, true, |monitor| {
        open_window_of_now(ctx, mobserve.key, monitor);
        mobserve.rows().try_fold(0, |_, row| monitor.observe(row))
    })?;
    let n = n.map_err(|no| RedisError::String(format!("ERR {no}")))?;
    ctx.replicate_verbatim();
    Ok(RedisValue::Integer(n as i64))
}
