//! `EDDY.CATCHUP`: what the timer does for a backlog. The log has it as the `EDDY.READ` that it comes to.

use super::refused;
use crate::catch_up::{next_source, read_up_to};
use crate::ffi::context::leads;
use crate::ffi::key::with_monitor;
use eddyline_wire::command::catchup::Catchup;
use redis_module::{Context, RedisError, RedisResult, RedisValue};
use std::time::Instant;

pub(super) fn catchup(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let catchup = Catchup::parse(args).map_err(refused)?;
    if !leads(ctx) {
        return Err(RedisError::Str("ERR only a primary that isn't loading or paused reads on by itself"));
    }
    let deadline = Instant::now() + catchup.budget;
    let changed = with_monitor(ctx, catchup.key, true, |monitor| {
        if monitor.following() {
            return false;
        }
        let (displaced, before) = (monitor.displaced(), monitor.sources().to_vec());
        let (source, until) = next_source(ctx, monitor).unwrap_or_else(|| (0, monitor.sources()[0].cursor));
        read_up_to(ctx, monitor, source, until, Some(deadline));
        let read = &monitor.sources()[source];
        let changed = displaced || before != monitor.sources() || monitor.following();
        if changed {
            let last = format!("{}-{}", read.cursor.ms, read.cursor.seq);
            ctx.replicate("EDDY.READ", &[catchup.key, &read.name, last.as_bytes()][..]);
        }
        changed
    })?;
    Ok(RedisValue::Integer(i64::from(changed)))
}
