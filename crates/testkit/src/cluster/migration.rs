//! Moving one slot with its keys from one node to another, step by step.

use anyhow::{Context, Result, bail};
use redis::Value;

use super::Cluster;

/// Milliseconds that one key may take.
const MOVES_WITHIN: u64 = 10_000;

/// A slot on its way: the target imports it, the source still serves the keys that it has.
#[derive(Debug)]
pub struct Migration<'a> {
    cluster: &'a Cluster,
    slot: String,
    from: usize,
    to: usize,
}

impl Cluster {
    /// Begins to move the slot of `key` to node `to`.
    pub fn migrate(&self, key: &str, to: usize) -> Result<Migration<'_>> {
        let from = self.primary_of(key)?;
        let slot = self.ask::<u16>(from, &["KEYSLOT", key])?.to_string();
        let () = self.ask(to, &["SETSLOT", &slot, "IMPORTING", &self.id(from)?])?;
        let () = self.ask(from, &["SETSLOT", &slot, "MIGRATING", &self.id(to)?])?;
        Ok(Migration { cluster: self, slot, from, to })
    }
}

impl Migration<'_> {
    /// The keys of the slot that are still at the source.
    pub fn left(&self) -> Result<Vec<String>> {
        self.cluster.ask(self.from, &["GETKEYSINSLOT", &self.slot, "1000"])
    }

    /// Moves these keys, in this order.
    pub fn carry(&self, keys: &[String]) -> Result<()> {
        let port = self.cluster.node(self.to).port().context("a node without a port")?;
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(port).arg("").arg(0).arg(MOVES_WITHIN).arg("KEYS").arg(keys);
        match migrate.query(&mut self.cluster.node(self.from).connection()?)? {
            Value::Okay => Ok(()),
            Value::SimpleString(nothing) if nothing == "NOKEY" => Ok(()),
            other => bail!("MIGRATE: {other:?}"),
        }
    }

    /// Moves what is left and gives the slot to the target.
    pub fn finish(self) -> Result<()> {
        loop {
            let left = self.left()?;
            if left.is_empty() {
                break;
            }
            self.carry(&left)?;
        }
        let target = self.cluster.id(self.to)?;
        // the target first: were it the source, there would be a moment in which nobody serves the slot; then everyone else,
        // since the word goes round slowly
        let others = (0..super::SHARDS * 2).filter(|number| ![self.to, self.from].contains(number));
        for number in [self.to, self.from].into_iter().chain(others) {
            if self.cluster.leads(number) {
                let () = self.cluster.ask(number, &["SETSLOT", &self.slot, "NODE", &target])?;
            }
        }
        self.cluster.settle()
    }
}
