//! `EDDY.SCHEMA`.

use super::refused;
use crate::ffi::key::with_monitor;
use eddyline_wire::command::Arguments;
use eddyline_wire::fingerprint::schema_id;
use redis_module::{Context, RedisResult, RedisValue};
use std::collections::BTreeMap;

pub(super) fn schema(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mut args = Arguments::new("eddy.schema", args);
    let key = args.required().map_err(refused)?;
    args.end().map_err(refused)?;
    let schema = with_monitor(ctx, key, false, |monitor| monitor.schema().cloned())?;
    let Some(schema) = schema else { return Ok(RedisValue::Null) };
    let features: Vec<RedisValue> = schema.features().map(RedisValue::BulkString).collect();
    let map = [
        ("id", RedisValue::BulkString(schema_id(schema.id))),
        ("window_ms", RedisValue::Integer(schema.window_ms as i64)),
        ("features", RedisValue::Array(features)),
    ];
    Ok(BTreeMap::from(map.map(|(name, value)| (name.to_owned(), value))).into())
}
