//! A handle to Redis: one server, or a cluster of them. Clones share it.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, RedisResult, ToRedisArgs, Value};
use std::fmt;

/// A handle to Redis. Commands find the server that holds their keys; a pipeline is about the keys of one slot.
#[derive(Clone)]
pub enum Connection {
    /// One server.
    Server(MultiplexedConnection),
    /// A cluster. The client follows its changes; a server that is lost is connected again without us.
    Cluster(ClusterConnection),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_cluster() { "Cluster" } else { "Server" })
    }
}

/// A server that holds keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// The only one.
    Only,
    /// A primary of the cluster.
    At {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => f.write_str("the server"),
            Self::At { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl Connection {
    /// Whether keys are spread over several servers.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Hears messages of these channels from now on.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        match self {
            Self::Server(connection) => connection.subscribe(channels).await,
            // A cluster carries every message to every node.
            Self::Cluster(connection) => connection.subscribe(channels).await,
        }
    }

    /// Every server that holds keys.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn nodes(&mut self) -> RedisResult<Vec<Node>> {
        let Self::Cluster(connection) = self else { return Ok(vec![Node::Only]) };
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        let anywhere = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        Ok(primaries(&connection.route_command(command, anywhere).await?))
    }

    /// What one server says to a command without keys.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn ask<T: FromRedisValue>(&mut self, node: &Node, command: Cmd) -> RedisResult<T> {
        match (self, node) {
            (Self::Cluster(connection), Node::At { host, port }) => {
                let there = SingleNodeRoutingInfo::ByAddress { host: host.clone(), port: *port };
                let reply = connection.route_command(command, RoutingInfo::SingleNode(there)).await?;
                Ok(T::from_redis_value(reply)?)
            }
            (connection, _) => command.query_async(connection).await,
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// The primaries in a reply to `CLUSTER SLOTS`: of each range, what stands behind its two ends.
fn primaries(slots: &Value) -> Vec<Node> {
    let Value::Array(ranges) = slots else { return Vec::new() };
    let primary = |range: &Value| {
        let Value::Array(range) = range else { return None };
        let Some(Value::Array(node)) = range.get(2) else { return None };
        let host = String::from_redis_value_ref(node.first()?).ok().filter(|host| !host.is_empty())?;
        let port = u16::try_from(i64::from_redis_value_ref(node.get(1)?).ok()?).ok()?;
        Some(Node::At { host, port })
    };
    let mut nodes: Vec<Node> = ranges.iter().filter_map(primary).collect();
    nodes.sort();
    nodes.dedup();
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_primary_is_named_once_however_its_slots_lie() {
        let node = |port: i64| Value::Array(vec![Value::BulkString(b"10.0.0.1".to_vec()), Value::Int(port)]);
        let range = |port| Value::Array(vec![Value::Int(0), Value::Int(9), node(port), node(99)]);
        let odd = [Value::Nil, Value::Array(vec![Value::Int(1)]), range(-1), range(70_000)];
        let slots = Value::Array([range(2), range(1), range(2)].into_iter().chain(odd).collect());
        let names: Vec<String> = primaries(&slots).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["10.0.0.1:1", "10.0.0.1:2"]);
    }
}
