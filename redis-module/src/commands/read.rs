//! `EDDY.READ`.

use super::refused;
use crate::catch_up::{read_up_to, source_number};
use crate::ffi::key::with_monitor;
use crate::translate;
use eddyline_wire::command::read::Read;
use eddyline_wire::text::printable;
use redis_module::{Context, REDIS_OK, RedisError, RedisResult};

pub(super) fn read(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let read = Read::parse(args).map_err(refused)?;
    let known = with_monitor(ctx, read.key, true, |monitor| {
        let source = source_number(monitor, read.source)?;
        read_up_to(ctx, monitor, source, translate::entry_id(read.last), None);
        Some(())
    })?;
    if known.is_none() {
        return Err(RedisError::String(format!("ERR the monitor has no source '{}'", printable(read.source, 64))));
    }
    ctx.replicate_verbatim();
    REDIS_OK
}
