//! `EDDY.COUNT`.

use super::{refused, unanswered};
use crate::ffi::key::with_monitor;
use eddyline_monitor::Estimate;
use eddyline_wire::command::count::Count;
use redis_module::{Context, RedisResult, RedisValue};

pub(super) fn count(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let count = Count::parse(args).map_err(refused)?;
    let estimates = with_monitor(ctx, count.key, false, |monitor| {
        count.items.iter().map(|item| monitor.estimate(count.dimension, item)).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(RedisValue::Array(estimates.map_err(unanswered)?.iter().map(reply).collect()))
}

fn reply(estimate: &Estimate) -> RedisValue {
    let windows = [estimate.open, estimate.last].map(|count| RedisValue::Integer(i64::from(count)));
    RedisValue::Array(windows.into_iter().chain([RedisValue::Float(estimate.mean)]).collect())
}
