//! Replicas: one without the module can't take a monitor from its primary, nor its place.

use super::code::Code;
use super::finding::{Finding, SERVER};
use super::patient::Patient;
use super::server::{Facts, module};
use crate::store::connect::Address;

/// What is wrong with the replicas that the primary names.
#[must_use]
pub fn findings(primary: &Facts, address: &Address, ours: &str) -> Vec<Finding> {
    let replicas = primary.info.iter().filter(|(field, _)| {
        field
            .strip_prefix("slave")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    });
    replicas.filter_map(|(_, line)| look(line, address, ours)).collect()
}

/// Looks at one replica, given as `ip=…,port=…,state=…`.
fn look(line: &str, address: &Address, ours: &str) -> Option<Finding> {
    let field = |name: &str| line.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let (host, port) = (field("ip")?, field("port")?.parse().ok()?);
    let info = address.at(host, port).and_then(|replica| Patient::new(replica.connect_blocking()?).info());
    let info = match info {
        Ok(info) => info,
        Err(error) => {
            let what = format!("replica {host}:{port} couldn't be looked at: {error}");
            return Some(Finding::advice(Code::ReplicaUnreachable, SERVER, what, "look from a place that reaches it"));
        }
    };
    let facts = Facts { info, ..Facts::default() };
    let found = module(facts.module(), ours)?;
    Some(Finding { what: format!("replica {host}:{port}: {}", found.what), ..found })
}
