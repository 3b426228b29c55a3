//! Who works on a monitor: a key with an expiry, holding a token that no other worker ever had.

use crate::store::connect::Connection;
use eddyline_wire::keys::Companions;
use redis::{FromRedisValue, RedisResult, Script, Value};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// A lease lives this long unless renewed: a dead worker's monitors are free after it.
pub const EXPIRY: Duration = Duration::from_secs(3);
/// A lease is renewed this often at most; whoever holds one looks after it each second at least.
pub const RENEWAL: Duration = Duration::from_millis(800);

// The token is a counter, so that operators see the order, and the worker's name, because a failover may lose counts.
const TAKE: &str = "
local left = redis.call('PTTL', KEYS[1])
if left ~= -2 then return left end
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return token";
const RENEW: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";
// The last checkpoint goes with it, if the scores end where the worker thinks.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then
  local stream = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' and stream[i + 1] == ARGV[3] then
      redis.call('SET', KEYS[3], ARGV[2])
    end
  end
end
return redis.call('DEL', KEYS[1])";

/// The content of a lease: different for every holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// As it stands in Redis.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that no other worker process has: its process id and 64 random bits.
#[must_use]
pub fn worker_name() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{}-{random:016x}", std::process::id())
}

/// A lease that was held when last looked at.
#[derive(Debug)]
pub struct Lease {
    token: Token,
    renewed: Instant,
}

/// Whether the lease could be taken.
#[derive(Debug)]
pub enum Taking {
    /// It is ours.
    Taken(Lease),
    /// Another worker has it, and keeps it for so long unless it renews it; none if it never runs out.
    Elsewhere(Option<Duration>),
}

/// Whether a lease is free, which says nothing about a moment later.
#[derive(Debug)]
pub enum Seen {
    /// Nobody has it.
    Free,
    /// As [`Taking::Elsewhere`].
    Elsewhere(Option<Duration>),
}

/// What `PTTL` says of a key that exists.
fn left(pttl: i64) -> Option<Duration> {
    u64::try_from(pttl).ok().map(Duration::from_millis)
}

impl Lease {
    /// Takes the lease at key `lease` if it is free; its token is drawn from the counter at `tokens`.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn take(connection: &mut Connection, lease: &[u8], tokens: &[u8], worker: &str) -> RedisResult<Taking> {
        let renewed = Instant::now();
        let reply: Value = Script::new(TAKE)
            .key(lease)
            .key(tokens)
            .arg(worker)
            .arg(EXPIRY.as_millis() as u64)
            .invoke_async(connection)
            .await?;
        match reply {
            Value::Int(pttl) => Ok(Taking::Elsewhere(left(pttl))),
            token => Ok(Taking::Taken(Self { token: Token(String::from_redis_value(token)?), renewed })),
        }
    }

    /// Looks whether the lease at key `lease` is free.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn look(connection: &mut Connection, lease: &[u8]) -> RedisResult<Seen> {
        let pttl: i64 = redis::cmd("PTTL").arg(lease).query_async(connection).await?;
        Ok(if pttl == -2 { Seen::Free } else { Seen::Elsewhere(left(pttl)) })
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Renews the lease when it is time to; says whether it is still held.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn keep(&mut self, connection: &mut Connection, lease: &[u8]) -> RedisResult<bool> {
        if self.renewed.elapsed() < RENEWAL {
            return Ok(true);
        }
        let now = Instant::now();
        let held: bool = Script::new(RENEW)
            .key(lease)
            .arg(self.token.as_str())
            .arg(EXPIRY.as_millis() as u64)
            .invoke_async(connection)
            .await?;
        self.renewed = now;
        Ok(held)
    }

    /// Gives the lease at key `lease` back.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn give_back(self, connection: &mut Connection, lease: &[u8]) -> RedisResult<()> {
        Script::new(RELEASE).key(lease).arg(self.token.as_str()).arg("").invoke_async(connection).await
    }

    /// Gives the lease back, leaving `checkpoint` behind if the scores end at `last`.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn release(
        self,
        connection: &mut Connection,
        keys: &Companions,
        checkpoint: &[u8],
        last: &str,
    ) -> RedisResult<()> {
        Script::new(RELEASE)
            .key(keys.lease())
            .key(keys.scores())
            .key(keys.model())
            .arg(self.token.as_str())
            .arg(checkpoint)
            .arg(last)
            .invoke_async(connection)
            .await
    }
}
