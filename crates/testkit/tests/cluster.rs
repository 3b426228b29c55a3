//! Clusters and replication of the testkit itself.

use std::time::Duration;

use anyhow::Result;
use eddyline_testkit::{Cluster, Server, eventually};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn cluster_serves_moves_a_slot_and_survives_a_primary() -> Result<()> {
    let mut cluster = Cluster::with_module()?;
    let first = cluster.primary_of("a")?;
    redis::cmd("SET").arg("a").arg("1").exec(&mut cluster.node(first).connection()?)?;

    let second = (first + 1) % 3;
    cluster.migrate("a", second)?.finish()?;
    assert_eq!(cluster.primary_of("a")?, second);
    let value: String = redis::cmd("GET").arg("a").query(&mut cluster.node(second).connection()?)?;
    assert_eq!(value, "1");

    let replica = cluster.replica_of(second)?;
    cluster.node(replica).catch_up_with(cluster.node(second))?;
    cluster.node_mut(second).kill()?;
    eventually(SOON, || cluster.primary_of("a").is_ok_and(|owner| owner == replica));
    cluster.settle()?;
    let value: String = redis::cmd("GET").arg("a").query(&mut cluster.node(replica).connection()?)?;
    assert_eq!(value, "1");
    Ok(())
}

#[test]
fn replica_comes_back_to_its_primary_without_a_full_copy_and_takes_its_place() -> Result<()> {
    let primary = Server::plain().tcp().start()?;
    let replica = Server::plain().tcp().replica_of(&primary).start()?;
    replica.catch_up_with(&primary)?;
    replica.drop_link()?;
    redis::cmd("SET").arg("a").arg("1").exec(&mut primary.connection()?)?;
    replica.catch_up_with(&primary)?;
    assert_eq!(primary.info("stats", "sync_full")?.as_deref(), Some("1"));
    assert_eq!(primary.info("stats", "sync_partial_ok")?.as_deref(), Some("1"));

    primary.fail_over_to(&replica)?;
    redis::cmd("SET").arg("a").arg("2").exec(&mut replica.connection()?)?;
    primary.catch_up_with(&replica)?;
    let value: String = redis::cmd("GET").arg("a").query(&mut primary.connection()?)?;
    assert_eq!(value, "2");
    primary.promote()?;
    assert_eq!(primary.info("replication", "role")?.as_deref(), Some("master"));
    primary.follow(&replica)?;
    primary.catch_up_with(&replica)
}
