//! A Redis Cluster of three primaries and three replicas: monitors share a slot with their streams, live through the death
//! of their primary, and move with their slot.

mod support;

use eddyline_testkit::{Cluster, eventually};
use redis::Connection;
use std::time::Duration;
use support::{SOON, call, counted, digest, fingerprints, info, settled, try_call, windows};

/// For a failover, which takes the node timeout and an election.
const FAILS_OVER: Duration = Duration::from_secs(60);

fn connect(cluster: &Cluster, key: &str) -> Connection {
    cluster.node(cluster.primary_of(key).unwrap()).connection().unwrap()
}

fn add(redis: &mut Connection, stream: &str) {
    call::<String>(redis, &format!("XADD {stream} * service pay"));
}

/// Whether every window follows the one before, or says what lies between.
fn hole(closed: &[(u64, u64, u64)], window_ms: u64) -> Option<&[(u64, u64, u64)]> {
    closed.windows(2).find(|pair| pair[1].0 != pair[0].0 + window_ms + pair[1].2 / window_ms * window_ms)
}

#[test]
fn a_monitor_shares_its_slot_with_its_streams_and_says_when_a_window_closed() {
    let cluster = Cluster::with_module().unwrap();
    let mut redis = connect(&cluster, "metrics");
    let create = |monitor: &str, sources: &str| {
        format!("EDDY.CREATE {monitor} SOURCES {sources} WINDOW 100 DIMENSIONS 1 service")
    };
    let elsewhere = try_call::<()>(&mut redis, &create("checkout", "1 metrics")).unwrap_err();
    assert!(elsewhere.starts_with("CROSSSLOT source"), "{elsewhere}");
    let elsewhere = try_call::<()>(&mut redis, &create("{metrics}:checkout", "2 metrics other")).unwrap_err();
    assert!(elsewhere.starts_with("CROSSSLOT source"), "{elsewhere}");

    // whoever listens anywhere in the cluster hears of it
    let owner = cluster.primary_of("metrics").unwrap();
    let mut listener = cluster.node((owner + 1) % 3).connection().unwrap();
    listener.set_read_timeout(Some(SOON)).unwrap();
    let mut closings = listener.as_pubsub();
    closings.subscribe("eddyline:closed").unwrap();
    call::<()>(&mut redis, &create("{metrics}:checkout", "1 metrics"));
    add(&mut redis, "metrics");
    let closing: Vec<u8> = closings.get_message().unwrap().get_payload().unwrap();
    assert_eq!(closing, b"{metrics}:checkout");

    eventually(SOON, || counted_of(&mut redis) == 1 && companion(&mut redis).len() >= 3);
    assert_eq!(call::<i64>(&mut redis, "EXISTS {metrics}:checkout:schemas"), 1);
}

fn companion(redis: &mut Connection) -> Vec<support::Entry> {
    call(redis, "XRANGE {metrics}:checkout:fingerprints - +")
}

fn counted_of(redis: &mut Connection) -> u64 {
    info(redis, "{metrics}:checkout", "observations").parse().unwrap()
}

#[test]
fn a_killed_primarys_replica_goes_on_closing_windows() {
    let mut cluster = Cluster::with_module().unwrap();
    let mut redis = connect(&cluster, "m");
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 {m}:metrics WINDOW 200 DIMENSIONS 1 service");
    for _ in 0..20 {
        add(&mut redis, "{m}:metrics");
    }
    eventually(SOON, || windows(&mut redis, "m").len() >= 5);
    let primary = cluster.primary_of("m").unwrap();
    let replica = cluster.replica_of(primary).unwrap();
    call::<i64>(&mut redis, "WAIT 1 10000");
    let before = windows(&mut redis, "m");
    cluster.node_mut(primary).kill().unwrap();
    eventually(FAILS_OVER, || cluster.primary_of("m").is_ok_and(|owner| owner == replica));
    cluster.settle().unwrap();

    let mut redis = connect(&cluster, "m");
    add(&mut redis, "{m}:metrics");
    eventually(SOON, || windows(&mut redis, "m").len() >= before.len() + 5);
    let after = windows(&mut redis, "m");
    assert_eq!(after[..before.len()], before, "what stood there stands");
    assert_eq!(hole(&after, 200), None, "no id twice, no hole without gap: {after:?}");
    assert!(after.iter().any(|(_, _, gap)| *gap > 1000), "the time without a primary is unknown: {after:?}");
    assert_eq!(counted(&mut redis, "m"), 21);

    // the old primary comes back as a replica, and agrees
    cluster.node_mut(primary).start().unwrap();
    cluster.settle().unwrap();
    call::<()>(&mut redis, "CLIENT PAUSE 100000 WRITE");
    cluster.node(primary).catch_up_with(cluster.node(replica)).unwrap();
    let mut old = cluster.node(primary).connection().unwrap();
    call::<()>(&mut old, "READONLY");
    assert_eq!(digest(&mut old, "m"), digest(&mut redis, "m"));
    assert_eq!(fingerprints(&mut old, "m"), fingerprints(&mut redis, "m"));
}

#[test]
fn a_slot_that_moves_carries_a_monitor_with_its_streams() {
    let cluster = Cluster::with_module().unwrap();
    let mut redis = connect(&cluster, "m");
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 {m}:metrics WINDOW 1000 DIMENSIONS 1 service");
    let (mut from, mut added) = (cluster.primary_of("m").unwrap(), 0);
    // the stream before its monitor, and the other way round
    for monitor_first in [false, true] {
        let mut source = cluster.node(from).connection().unwrap();
        for _ in 0..10 {
            add(&mut source, "{m}:metrics");
        }
        eventually(SOON, || !windows(&mut source, "m").is_empty());
        let to = (from + 1) % 3;
        let migration = cluster.migrate("m", to).unwrap();
        let (monitor, stream) = (vec!["m".to_owned()], vec!["{m}:metrics".to_owned()]);
        let (first, second) = if monitor_first { (monitor, stream) } else { (stream, monitor) };
        migration.carry(&first).unwrap();
        let mut target = cluster.node(to).connection().unwrap();
        // windows close while half of the slot is elsewhere
        let mut last = || -> u64 {
            let holder = if monitor_first { &mut target } else { &mut source };
            call::<()>(holder, "ASKING");
            info(holder, "m", "last_fingerprint_ms").parse().unwrap()
        };
        let before = last();
        eventually(SOON, || last() >= before + 2000);
        migration.carry(&second).unwrap();
        call::<()>(&mut target, "ASKING");
        add(&mut target, "{m}:metrics");
        migration.finish().unwrap();
        added += 11;

        add(&mut target, "{m}:metrics");
        added += 1;
        settled(&mut target, "m");
        let observed = || info(&mut cluster.node(to).connection().unwrap(), "m", "observations");
        assert_eq!(observed(), added.to_string(), "monitor first: {monitor_first}");
        let before = windows(&mut target, "m").len();
        eventually(SOON, || windows(&mut target, "m").len() >= before + 3);
        let closed = windows(&mut target, "m");
        assert_eq!(hole(&closed, 1000), None, "{closed:?}");
        assert_eq!(counted(&mut target, "m"), added, "{closed:?}");
        assert_eq!(info(&mut target, "m", "left_out"), "", "monitor first: {monitor_first} {closed:?}");

        let mut source = cluster.node(from).connection().unwrap();
        assert!(call::<Vec<String>>(&mut source, "EDDY.LIST").is_empty());
        assert!(call::<Vec<String>>(&mut source, "KEYS *").is_empty(), "nothing stays behind");
        let replica = cluster.replica_of(to).unwrap();
        cluster.node(replica).catch_up_with(cluster.node(to)).unwrap();
        assert_eq!(call::<Vec<String>>(&mut cluster.node(replica).connection().unwrap(), "EDDY.LIST"), ["m"]);
        from = to;
    }
}
