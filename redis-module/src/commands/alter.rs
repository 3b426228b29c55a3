//! `EDDY.ALTER`.

use super::refused;
use crate::ffi::context::leads;
use crate::ffi::key::with_monitor;
use crate::tick::close_due;
use crate::translate;
use eddyline_monitor::Clock;
use eddyline_wire::command::alter::Alter;
use redis_module::{Context, REDIS_OK, RedisResult};
use std::time::Instant;

pub(super) fn alter(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let alter = Alter::parse(args).map_err(refused)?;
    with_monitor(ctx, alter.key, true, |monitor| {
        monitor.set_clock(translate::clock(alter.clock));
        ctx.replicate_verbatim();
        if monitor.definition().clock == Clock::Server && monitor.following() && leads(ctx) {
            // nobody looked after its time until now
            close_due(ctx, alter.key, monitor, None, Instant::now());
        }
    })?;
    REDIS_OK
}
