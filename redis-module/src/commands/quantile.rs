//! `EDDY.QUANTILE`.

use super::{refused, unanswered};
use crate::ffi::key::with_monitor;
use eddyline_wire::command::quantile::Quantile;
use redis_module::{Context, RedisResult, RedisValue};

pub(super) fn quantile(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let of = Quantile::parse(args).map_err(refused)?;
    let values = with_monitor(ctx, of.key, false, |monitor| {
        of.ranks.iter().map(|&rank| monitor.quantile(of.measure, rank)).collect::<Result<Vec<_>, _>>()
    })?;
    let values = values.map_err(unanswered)?;
    Ok(RedisValue::Array(values.into_iter().map(|value| value.map_or(RedisValue::Null, RedisValue::Float)).collect()))
}
