//! One connection to Redis: commands and wake-ups share it. Losing it is normal.

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, PushInfo, RedisError,
    RedisResult,
};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio::sync::mpsc;

/// A handle to the connection; clones share it.
pub type Connection = MultiplexedConnection;

/// Longest wait for a reply. Redis may fork, load or run someone's slow command meanwhile; the client's default of half a
/// second would call that a lost connection.
const RESPONSE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct Address {
    client: Client,
    db: u32,
    shown: String,
}

impl Address {
    /// From `redis://[user:password@]host[:port][/db]` or `redis+unix:///path[?db=n]`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(url: &str) -> RedisResult<Self> {
        let info = url.into_connection_info()?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let db = u32::try_from(settings.db()).map_err(|_| {
            RedisError::from((redis::ErrorKind::InvalidClientConfig, "the database's number is negative"))
        })?;
        let shown = format!("{} db {db}", info.addr());
        Ok(Self { client: Client::open(info.set_redis_settings(settings))?, db, shown })
    }

    /// Number of the database.
    #[must_use]
    pub fn db(&self) -> u32 {
        self.db
    }

    /// For messages: without the password.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Another server, for the same user.
    ///
    /// # Errors
    /// A host that can't be one.
    pub fn at(&self, host: &str, port: u16) -> RedisResult<Self> {
        let info = self.client.get_connection_info().clone().set_addr(ConnectionAddr::Tcp(host.to_owned(), port));
        Ok(Self { client: Client::open(info)?, db: self.db, shown: format!("{host}:{port} db {}", self.db) })
    }

    /// Connects. The receiver hears Pub/Sub messages, and the end of the connection.
    ///
    /// # Errors
    /// Whatever keeps it from being connected.
    pub async fn connect(&self) -> RedisResult<(Connection, mpsc::UnboundedReceiver<PushInfo>)> {
        let (sender, pushes) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_push_sender(sender);
        Ok((self.client.get_multiplexed_async_connection_with_config(&config).await?, pushes))
    }

    /// A connection for code that waits for each reply.
    ///
    /// # Errors
    /// Whatever keeps it from being connected.
    pub fn connect_blocking(&self) -> RedisResult<redis::Connection> {
        let connection = self.client.get_connection_with_timeout(CONNECT)?;
        connection.set_read_timeout(Some(RESPONSE))?;
        Ok(connection)
    }
}

/// Whether the connection, not the command, is the trouble.
#[must_use]
pub fn is_lost(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_timeout() || error.is_unrecoverable_error()
}

/// Waits between attempts: doubling from 100 ms to 5 s, each between half and all of it, so that many workers don't come
/// back at once.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let longest = 100u64.saturating_mul(1 << self.attempts.min(10)).min(5000);
        self.attempts += 1;
        let random = RandomState::new().build_hasher().finish();
        Duration::from_millis(longest / 2 + random % (longest / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_and_database_but_no_password() {
        let address = Address::parse("redis://user:secret@redis.example:7000/3").unwrap();
        assert_eq!((address.db(), address.shown()), (3, "redis.example:7000 db 3"));
        let address = Address::parse("redis+unix:///run/redis.sock?db=2").unwrap();
        assert_eq!((address.db(), address.shown()), (2, "/run/redis.sock db 2"));
        assert!(Address::parse("http://redis.example").is_err());
    }

    #[test]
    fn waits_grow_to_five_seconds_and_no_further() {
        let mut backoff = Backoff::default();
        for attempt in 0..80 {
            let wait = backoff.next_wait();
            let longest = Duration::from_millis((100u64 << attempt.min(10)).min(5000));
            assert!(wait >= longest / 2 && wait <= longest, "{attempt}: {wait:?}");
        }
    }
}
