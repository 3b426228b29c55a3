//! Which workers are alive: each says so every second in a sorted set, by the server's clock.

use crate::store::connect::Connection;
use eddyline_wire::keys::service::WORKERS;
use redis::{RedisResult, Script};

/// A worker that said nothing for so long is gone, in ms.
const SILENCE: u64 = 3000;
/// The set outlives the last worker by this long, in ms.
const KEPT: u64 = 60_000;
/// Most workers that are counted.
const MOST: usize = 1000;

// What a clock that stepped back left in the future goes too.
const REGISTER: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('ZRANGE', KEYS[1], 0, ARGV[4])";

/// Says that `worker` is alive; all that are, by name.
///
/// # Errors
/// Trouble with Redis.
pub async fn register(connection: &mut Connection, worker: &str) -> RedisResult<Vec<Vec<u8>>> {
    let script = Script::new(REGISTER);
    let mut call = script.key(WORKERS);
    call.arg(worker).arg(SILENCE).arg(KEPT).arg(MOST - 1).invoke_async(connection).await
}

/// Says that `worker` leaves.
///
/// # Errors
/// Trouble with Redis.
pub async fn leave(connection: &mut Connection, worker: &str) -> RedisResult<()> {
    redis::cmd("ZREM").arg(WORKERS).arg(worker).exec_async(connection).await
}
