//! `EDDY.HELP`.

use redis_module::{Context, RedisResult, RedisValue};

pub(super) fn help(_ctx: &Context, args: &[&[u8]]) -> RedisResult {
    eddyline_wire::command::Arguments::new("eddy.help", args).end().map_err(super::refused)?;
    Ok(RedisValue::Array(eddyline_wire::command::table::help().map(RedisValue::SimpleString).collect()))
}
