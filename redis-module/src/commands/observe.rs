//! `EDDY.OBSERVE`.

use super::refused;
use crate::ffi::key::{leads, with_monitor};
use crate::tick::{close_due, now_ms};
use eddyline_monitor::{Clock, Monitor};
use eddyline_wire::command::observe::Observe;
use redis_module::{Context, RedisError, RedisResult, RedisValue};

pub(super) fn observe(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let observe = Observe::parse(args).map_err(refused)?;
    let n = with_monitor(ctx, observe.key, true, |monitor| {
        open_window_of_now(ctx, observe.key, monitor);
        monitor.observe(observe.fields())
    })?;
    let n = n.map_err(|no| RedisError::String(format!("ERR {no}")))?;
    ctx.replicate_verbatim();
    Ok(RedisValue::Integer(n as i64))
}

/// On the node that writes the log: a window that is over is closed first, and the log says so before the observation.
pub(super) fn open_window_of_now(ctx: &Context, key: &[u8], monitor: &mut Monitor) {
    let due = monitor.definition().clock == Clock::Server && monitor.following();
    if due && monitor.open_window().is_none_or(|(_, end)| end <= now_ms()) && leads(ctx) {
        close_due(ctx, key, monitor, now_ms(), false);
    }
}
