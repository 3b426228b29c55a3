//! Connecting to Redis: commands and wake-ups share one connection. Losing it is normal.

pub use super::address::{Address, FORMS};
use super::address::{Place, moved};
pub use super::connection::{Connection, Node};
use redis::cluster::ClusterClientBuilder;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, PushInfo, RedisError, RedisResult};
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest wait for a reply. Redis may fork, load or run someone's slow command meanwhile; the client's default of half a
/// second would call that a lost connection.
const RESPONSE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
/// Wake-ups that wait to be looked at. More are dropped: the sweep finds what they were about.
const PUSHES: usize = 10_000;
/// How often a cluster's client tries a command again, at a node that was named meanwhile.
const CLUSTER_RETRIES: u32 = 4;

impl Address {
    /// Connects. The receiver hears Pub/Sub messages, and the end of the connection.
    ///
    /// # Errors
    /// Whatever keeps it from being connected.
    pub async fn connect(&self) -> RedisResult<(Connection, mpsc::Receiver<PushInfo>)> {
        let (sender, pushes) = mpsc::channel(PUSHES);
        let push = move |info| {
            let _ = sender.try_send(info);
            Ok::<(), Infallible>(())
        };
        if let Place::Cluster(nodes) = &self.place {
            let client = ClusterClientBuilder::new(nodes.clone())
                .connection_timeout(CONNECT)
                .response_timeout(RESPONSE)
                .overall_response_timeout(Some(RESPONSE))
                .retries(CLUSTER_RETRIES)
                .max_retry_wait(500)
                .push_sender(push)
                .build()?;
            return Ok((Connection::Cluster(client.get_async_connection().await?), pushes));
        }
        let (client, config) = (self.primary().await?, config().set_push_sender(push));
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok((Connection::Server(connection), pushes))
    }

    /// A connection for code that waits for each reply. Not from within a task.
    ///
    /// # Errors
    /// Whatever keeps it from being connected; a cluster, which is no one server.
    pub fn connect_blocking(&self) -> RedisResult<redis::Connection> {
        if let Place::Cluster(_) = &self.place {
            let why = "this command looks at one server: name a node of the cluster as redis://host:port";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why).into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(self.primary())?.get_connection_with_timeout(CONNECT)?;
        connection.set_read_timeout(Some(RESPONSE))?;
        Ok(connection)
    }

    /// As [`Self::connect`], for a command that a person runs, who is told what to do if nobody answers.
    ///
    /// # Errors
    /// Whatever keeps it from being connected.
    pub async fn connect_for_command(&self) -> RedisResult<Connection> {
        let connected = self.connect().await;
        connected.map(|(connection, _)| connection).map_err(|error| self.explained(error))
    }

    /// As [`Self::connect_blocking`], for a command that a person runs, who is told what to do if nobody answers.
    ///
    /// # Errors
    /// As [`Self::connect_blocking`].
    pub fn connect_blocking_for_command(&self) -> RedisResult<redis::Connection> {
        self.connect_blocking().map_err(|error| self.explained(error))
    }

    fn explained(&self, error: RedisError) -> RedisError {
        if !error.is_io_error() || matches!(self.place, Place::Cluster(_)) {
            return error;
        }
        let what =
            format!("no connection to {}: {error}; start the server, or name another with --redis", self.shown());
        io::Error::new(io::ErrorKind::NotConnected, what).into()
    }

    /// The server to speak to.
    async fn primary(&self) -> RedisResult<Client> {
        let (sentinels, service, node) = match &self.place {
            Place::Server(info) => return Client::open(info.clone()),
            Place::Cluster(nodes) => return Client::open(nodes[0].clone()),
            Place::Sentinel { sentinels, service, node } => (sentinels, service, node),
        };
        // Another one first each time: one that was cut off goes on naming a primary that is none any more.
        let first = random() as usize % sentinels.len();
        let mut trouble = None;
        for sentinel in sentinels.iter().cycle().skip(first).take(sentinels.len()) {
            match primary_by(sentinel, service).await {
                Ok((host, port)) => return Client::open(moved(node, &host, port)),
                Err(error) => trouble = Some(format!("{}: {error}", sentinel.addr())),
            }
        }
        let trouble = trouble.unwrap_or_default();
        Err(RedisError::from((ErrorKind::Io, "no sentinel names a primary", trouble)))
    }
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(RESPONSE))
}

/// Who is primary of `service`, as one sentinel knows it.
async fn primary_by(sentinel: &ConnectionInfo, service: &str) -> RedisResult<(String, u16)> {
    let config = config().set_response_timeout(Some(CONNECT));
    let client = Client::open(sentinel.clone())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    let named: Option<(String, u16)> = command.query_async(&mut connection).await?;
    named.ok_or_else(|| {
        RedisError::from((ErrorKind::InvalidClientConfig, "it knows no such service", service.to_owned()))
    })
}

/// Whether another connection, not another attempt, may help: it is gone, or ends at a server that is no primary, or whose
/// users changed.
#[must_use]
pub fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_timeout()
        || error.is_unrecoverable_error()
        || matches!(error.code(), Some("READONLY" | "MASTERDOWN" | "NOAUTH"))
}

/// Codes of errors that are counted by name.
const CODES: [&str; 22] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "ERR",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOGROUP",
    "NOPERM",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
    "UNKILLABLE",
    "WRONGPASS",
    "WRONGTYPE",
    "EXECABORT",
];

/// The first word of an error, of a set that is bounded.
#[must_use]
pub fn code(error: &RedisError) -> &'static str {
    let known = error.code().and_then(|code| CODES.into_iter().find(|known| *known == code));
    match known {
        Some(code) => code,
        None if error.is_timeout() => "timeout",
        None if error.is_io_error() || error.is_connection_dropped() => "io",
        None => "other",
    }
}

/// An error as it is told: its code first, as Redis says it, and without what differs from one to the next of its kind.
#[must_use]
pub fn told(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => {
            let detail = detail.split(" script: ").next().unwrap_or_default();
            format!("{code} {detail}")
        }
        _ => error.to_string(),
    }
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
        jittered(Duration::from_millis(longest))
    }
}

/// Between half of `wait` and all of it.
#[must_use]
pub fn jittered(wait: Duration) -> Duration {
    let half = (wait / 2).as_millis() as u64;
    Duration::from_millis(half + random() % (half + 1))
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds_and_no_further() {
        let mut backoff = Backoff::default();
        for attempt in 0..80 {
            let wait = backoff.next_wait();
            let longest = Duration::from_millis((100u64 << attempt.min(10)).min(5000));
            assert!(wait >= longest / 2 && wait <= longest, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn errors_are_counted_under_names_that_nobody_else_can_choose() {
        let server = |text: &str| RedisError::from((ErrorKind::Extension, "from the server", text.to_owned()));
        assert_eq!(code(&server("whatever")), "other");
        assert_eq!(code(&RedisError::from((ErrorKind::Io, "gone"))), "io");
    }
}
