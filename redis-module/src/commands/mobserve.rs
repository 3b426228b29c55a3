//! `EDDY.MOBSERVE`.

use super::observe::count;
use super::refused;
use crate::ffi::key::KeyArgument;
use eddyline_wire::command::mobserve::Mobserve;
use redis_module::{Context, RedisResult};

pub(super) fn mobserve(ctx: &Context, key: KeyArgument<'_>, args: &[&[u8]]) -> RedisResult {
    let mobserve = Mobserve::parse(args).map_err(refused)?;
    count(ctx, key, mobserve.key, |monitor| monitor.observe_rows(mobserve.columns, mobserve.values))
}
