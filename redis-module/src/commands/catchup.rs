//! `EDDY.CATCHUP`: what the timer does for a backlog. The log has it as the `EDDY.READ` that it comes to.

use super::refused;
use crate::catch_up::{next_source, read_up_to};
use crate::ffi::context::leads;
use crate::ffi::key::with_monitor;
use eddyline_monitor::Monitor;
use eddyline_wire::command::catchup::Catchup;
use redis_module::{Context, RedisError, RedisResult, RedisValue};
use std::time::Instant;

pub(super) fn catchup(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let catchup = Catchup::parse(args).map_err(refused)?;
    if !leads(ctx) {
        return Err(RedisError::Str("ERR only a primary that isn't loading or paused reads on by itself"));
    }
    let deadline = Instant::now() + catchup.budget;
    let read = with_monitor(ctx, catchup.key, true, |monitor| {
        let mut runs = 0;
        // interleaved sources take turns entry by entry: a run each
        while !monitor.following() && read_run(ctx, catchup.key, monitor, deadline) {
            runs += 1;
            if Instant::now() >= deadline {
                break;
            }
        }
        runs > 0
    })?;
    Ok(RedisValue::Integer(i64::from(read)))
}

/// Reads the source whose turn it is up to another one's turn, or until `deadline`; says whether anything changed.
fn read_run(ctx: &Context, key: &[u8], monitor: &mut Monitor, deadline: Instant) -> bool {
    let (displaced, before) = (monitor.displaced(), monitor.sources().to_vec());
    let (source, until) = next_source(ctx, monitor).unwrap_or_else(|| (0, monitor.sources()[0].cursor));
    read_up_to(ctx, monitor, source, until, Some(deadline));
    let read = &monitor.sources()[source];
    let changed = displaced || before != monitor.sources() || monitor.following();
    if changed {
        let last = format!("{}-{}", read.cursor.ms, read.cursor.seq);
        ctx.replicate("EDDY.READ", &[key, &read.name, last.as_bytes()][..]);
    }
    changed
}
