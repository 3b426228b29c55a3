//! A Redis Cluster on the loopback: three primaries, a replica each.

mod migration;
mod view;

use std::time::Duration;

use anyhow::{Context, Result};
use redis::FromRedisValue;

pub use self::migration::Migration;
use self::view::Node;
use crate::server::Server;
use crate::wait::poll;

/// Number of primaries, and of replicas.
const SHARDS: usize = 3;
/// Number of slots.
const SLOTS: usize = 16384;
/// After this long without a word, in ms, a node is thought dead: long enough that a busy machine kills none.
const NODE_TIMEOUT: &str = "5000";
/// For every node to know what the others do, on a machine that builds beside it.
const AGREE_WITHIN: Duration = Duration::from_secs(90);

/// Six nodes that form one cluster. Dropping it kills them all.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// A cluster whose nodes have the module, formed and serving every slot. Nodes 0, 1 and 2 begin as primaries, 3, 4 and
    /// 5 as their replicas in this order.
    pub fn with_module() -> Result<Self> {
        let node = || {
            let persistent = ["--appendonly", "yes", "--appendfsync", "always"];
            // a replica stands in however long ago it heard from its primary
            let cluster = ["--cluster-node-timeout", NODE_TIMEOUT, "--cluster-replica-validity-factor", "0"];
            Server::with_module().cluster().args(persistent).args(cluster).start()
        };
        let nodes = (0..2 * SHARDS).map(|_| node()).collect::<Result<_>>()?;
        let cluster = Self { nodes };
        cluster.form()?;
        Ok(cluster)
    }

    /// Node `number`, in the order in which they were started.
    pub fn node(&self, number: usize) -> &Server {
        &self.nodes[number]
    }

    /// The same, to kill or start it.
    pub fn node_mut(&mut self, number: usize) -> &mut Server {
        &mut self.nodes[number]
    }

    /// Number of the node that serves `key`, as those that run know it.
    pub fn primary_of(&self, key: &str) -> Result<usize> {
        let asked = self.running().next().context("no node runs")?;
        let slot: usize = self.ask(asked, &["KEYSLOT", key])?;
        let view = self.view(asked)?;
        let owner = view.iter().find(|node| node.is_primary && node.slots.iter().any(|range| range.contains(&slot)));
        self.number(owner.with_context(|| format!("nobody has slot {slot}"))?)
    }

    /// Number of the replica of node `primary`.
    pub fn replica_of(&self, primary: usize) -> Result<usize> {
        let id = self.id(primary)?;
        // the word goes round slowly
        let replica =
            poll(AGREE_WITHIN, || self.view(primary).ok()?.into_iter().find(|node| node.follows.as_ref() == Some(&id)));
        self.number(&replica.context("it has no replica")?)
    }

    /// Waits until every node that runs serves the whole cluster.
    pub fn settle(&self) -> Result<()> {
        let fine = |number| {
            let info: Result<String> = self.ask(number, &["INFO"]);
            info.is_ok_and(|info| info.contains("cluster_state:ok") && info.contains("cluster_slots_fail:0"))
        };
        let settled = poll(AGREE_WITHIN, || self.running().all(fine).then_some(()));
        settled.with_context(|| {
            let asked = self.running().next().unwrap_or_default();
            let nodes: Result<String> = self.ask(asked, &["NODES"]);
            format!("the cluster isn't ready: {}", nodes.unwrap_or_default())
        })
    }

    fn form(&self) -> Result<()> {
        for number in 0..2 * SHARDS {
            // each its own, or they would have to find out
            let () = self.ask(number, &["SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            if number < SHARDS {
                let (first, next) = (number * SLOTS / SHARDS, (number + 1) * SLOTS / SHARDS);
                let () = self.ask(number, &["ADDSLOTSRANGE", &first.to_string(), &(next - 1).to_string()])?;
            }
        }
        for number in 1..2 * SHARDS {
            for earlier in &self.nodes[..number] {
                let (port, bus) = (earlier.port().context("a port")?.to_string(), bus_port(earlier)?);
                let () = self.ask(number, &["MEET", "127.0.0.1", &port, &bus])?;
            }
        }
        let knows_all = |number| {
            self.view(number).is_ok_and(|view| view.len() == 2 * SHARDS && view.iter().all(|node| node.is_known))
        };
        poll(AGREE_WITHIN, || (0..2 * SHARDS).all(knows_all).then_some(())).context("the nodes don't meet")?;
        for primary in 0..SHARDS {
            let () = self.ask(primary + SHARDS, &["REPLICATE", &self.id(primary)?])?;
        }
        self.settle()?;
        (0..SHARDS).try_for_each(|primary| self.node(primary + SHARDS).catch_up_with(self.node(primary)))
    }

    /// What node `asked` replies to `CLUSTER <words>`.
    fn ask<T: FromRedisValue>(&self, asked: usize, words: &[&str]) -> Result<T> {
        let reply = redis::cmd("CLUSTER").arg(words).query(&mut self.nodes[asked].connection()?);
        reply.with_context(|| format!("CLUSTER {}", words.join(" ")))
    }

    /// Whether node `number` runs and is a primary.
    fn leads(&self, number: usize) -> bool {
        self.nodes[number].info("replication", "role").is_ok_and(|role| role.as_deref() == Some("master"))
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|number| self.nodes[*number].pid().is_some())
    }

    fn view(&self, asked: usize) -> Result<Vec<Node>> {
        let text: String = self.ask(asked, &["NODES"])?;
        text.lines().map(Node::parse).collect()
    }

    fn id(&self, number: usize) -> Result<String> {
        self.ask(number, &["MYID"])
    }

    fn number(&self, node: &Node) -> Result<usize> {
        self.nodes.iter().position(|server| server.port() == Some(node.port)).context("a node that isn't ours")
    }
}

fn bus_port(node: &Server) -> Result<String> {
    let (_, port): (String, String) =
        redis::cmd("CONFIG").arg("GET").arg("cluster-port").query(&mut node.connection()?)?;
    Ok(port)
}
