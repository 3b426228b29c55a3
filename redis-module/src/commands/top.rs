//! `EDDY.TOP`.

use super::{refused, unanswered};
use crate::ffi::key::with_monitor;
use eddyline_wire::command::top::TopOf;
use redis_module::{Context, RedisResult, RedisValue};
use std::collections::BTreeMap;

pub(super) fn top(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let of = TopOf::parse(args).map_err(refused)?;
    let top = with_monitor(ctx, of.key, false, |monitor| {
        let (open, last) = monitor.top(of.dimension, of.k)?;
        Ok([("open", reply(&open)), ("last", reply(&last))])
    })?;
    let map = top.map_err(unanswered)?.map(|(window, items)| (window.to_owned(), items));
    Ok(BTreeMap::from(map).into())
}

fn reply(heavy: &[(&[u8], u64)]) -> RedisValue {
    let item = |(item, count): &(&[u8], u64)| {
        RedisValue::Array(vec![RedisValue::StringBuffer(item.to_vec()), RedisValue::Integer(*count as i64)])
    };
    RedisValue::Array(heavy.iter().map(item).collect())
}
