//! `EDDY.SENT`.

use super::refused;
use crate::ffi::key::with_monitor;
use eddyline_wire::command::sent::Sent;
use redis_module::{Context, REDIS_OK, RedisResult};

pub(super) fn sent(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let sent = Sent::parse(args).map_err(refused)?;
    with_monitor(
        ctx,
        sent.key,
        true,
        |monitor| {
            if sent.lost { monitor.lose(sent.end_ms) } else { monitor.sent(sent.end_ms) }
        },
    )?;
    ctx.replicate_verbatim();
    REDIS_OK
}
