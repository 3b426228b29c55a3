//! What monitors live through: synchronisation, failover, reloading, copying, memory that runs out, databases that are
//! emptied, swapped and left.

mod support;

use eddyline_testkit::{Server, eventually};
use rand::SeedableRng;
use rand::rngs::StdRng;
use redis::Connection;
use support::workload::{freeze, run, state, thaw, written};
use support::{SOON, call, counted, digest, fingerprints, server, settled, try_call};

/// Whether the replica, which has read all that the frozen primary wrote, has the same state.
fn agree(primary: &Server, replica: &Server, when: &str) {
    let mut redis = primary.connection().unwrap();
    freeze(&mut redis);
    replica.catch_up_with(primary).unwrap();
    let expected = state(&mut redis);
    assert_eq!(state(&mut replica.connection().unwrap()), expected, "{when}");
    assert!(written(&expected) > 0, "nothing to agree on {when}");
    thaw(&mut redis);
}

#[test]
fn a_replica_agrees_after_full_and_partial_synchronisation_and_failover() {
    let mut rng = StdRng::seed_from_u64(1);
    let first = Server::with_module().tcp().start().unwrap();
    run(&mut first.connection().unwrap(), &mut rng, 200);
    let second = Server::with_module().tcp().replica_of(&first).start().unwrap();
    agree(&first, &second, "after a full synchronisation");
    for _ in 0..5 {
        second.drop_link().unwrap();
        run(&mut first.connection().unwrap(), &mut rng, 60);
        second.catch_up_with(&first).unwrap();
    }
    agree(&first, &second, "after partial synchronisations");
    assert_eq!(first.info("stats", "sync_full").unwrap().as_deref(), Some("1"));
    assert_eq!(first.info("stats", "sync_partial_ok").unwrap().as_deref(), Some("5"));
    first.fail_over_to(&second).unwrap();
    run(&mut second.connection().unwrap(), &mut rng, 200);
    agree(&second, &first, "after a failover");
    first.promote().unwrap();
    run(&mut first.connection().unwrap(), &mut rng, 100);
    run(&mut second.connection().unwrap(), &mut rng, 100);
    first.follow(&second).unwrap();
    agree(&second, &first, "after both had led");
}

#[test]
fn a_new_primary_goes_on_where_the_old_one_stopped() {
    let first = Server::with_module().tcp().start().unwrap();
    let second = Server::with_module().tcp().replica_of(&first).start().unwrap();
    let mut redis = first.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics WINDOW 100 DIMENSIONS 1 service");
    eventually(SOON, || support::windows(&mut redis, "m").len() >= 5);
    first.fail_over_to(&second).unwrap();
    let mut redis = second.connection().unwrap();
    let before = support::windows(&mut redis, "m").len();
    call::<String>(&mut redis, "XADD metrics * service pay");
    eventually(SOON, || support::windows(&mut redis, "m").len() >= before + 5);
    let closed = support::windows(&mut redis, "m");
    let hole = closed.windows(2).find(|pair| pair[1].0 != pair[0].0 + 100 + pair[1].2 / 100 * 100);
    assert_eq!(hole, None, "a hole without gap: {closed:?}");
    assert_eq!(counted(&mut redis, "m"), 1);
}

#[test]
fn reloading_and_restarting_change_nothing() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut server = Server::with_module().start().unwrap();
    let mut redis = server.connection().unwrap();
    run(&mut redis, &mut rng, 300);
    freeze(&mut redis);
    let expected = state(&mut redis);
    assert!(written(&expected) > 0);
    call::<()>(&mut redis, "DEBUG RELOAD");
    assert_eq!(state(&mut redis), expected, "reloaded");
    call::<()>(&mut redis, "SAVE");
    server.kill().unwrap();
    let from_snapshot = Server::with_module().args(["--replicaof", "127.0.0.1", "1"]).data_of(&server).start().unwrap();
    assert_eq!(state(&mut from_snapshot.connection().unwrap()), expected, "restarted");
}

#[test]
fn a_copy_a_new_name_and_a_restored_dump_are_the_same_monitor() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    for i in 0..40 {
        call::<String>(&mut redis, &format!("XADD metrics {}-1 service pay", 10_000 + i * 100));
    }
    settled(&mut redis, "m");
    let expected = digest(&mut redis, "m");
    let dump: Vec<u8> = call(&mut redis, "DUMP m");
    redis::cmd("RESTORE").arg("restored").arg(0).arg(dump).exec(&mut redis).unwrap();
    call::<i64>(&mut redis, "COPY m copied");
    call::<()>(&mut redis, "RENAME m renamed");
    for name in ["restored", "copied", "renamed"] {
        settled(&mut redis, name);
        assert_eq!(digest(&mut redis, name), expected, "{name}");
    }
    call::<String>(&mut redis, "XADD metrics 20000-1 service pay");
    for name in ["restored", "copied", "renamed"] {
        settled(&mut redis, name);
        let last = fingerprints(&mut redis, name).pop().unwrap();
        assert_eq!(last, fingerprints(&mut redis, "renamed").pop().unwrap(), "{name}");
    }
    assert_eq!(call::<Vec<String>>(&mut redis, "EDDY.LIST"), ["copied", "renamed", "restored"]);
}

#[test]
fn monitors_that_expire_or_are_evicted_are_gone_on_every_node() {
    for policy in ["allkeys-random", "allkeys-lru", "volatile-lru"] {
        let primary = Server::with_module().tcp().start().unwrap();
        let replica = Server::with_module().replica_of(&primary).start().unwrap();
        let mut redis = primary.connection().unwrap();
        replica.catch_up_with(&primary).unwrap();
        for i in 0..40 {
            call::<()>(
                &mut redis,
                &format!("EDDY.CREATE m{i} SOURCES 1 s WINDOW 100 DIMENSIONS 1 service CROSSES 1 service*latency_ms"),
            );
            call::<i64>(&mut redis, &format!("PEXPIRE m{i} {}", if i < 5 { 20 } else { 100_000 }));
        }
        let used: u64 = primary.info("memory", "used_memory").unwrap().unwrap().parse().unwrap();
        call::<()>(&mut redis, &format!("CONFIG SET maxmemory-policy {policy}"));
        call::<()>(&mut redis, &format!("CONFIG SET maxmemory {}", used - 200_000));
        for i in 0..300 {
            let _ = try_call::<String>(&mut redis, &format!("XADD s * service pay latency_ms {i}"));
        }
        eventually(SOON, || call::<Vec<String>>(&mut redis, "EDDY.LIST").len() < 35);
        call::<()>(&mut redis, "CONFIG SET maxmemory 0");
        freeze(&mut redis);
        replica.catch_up_with(&primary).unwrap();
        assert_eq!(state(&mut replica.connection().unwrap()), state(&mut redis), "{policy}");
    }
}

#[test]
fn emptied_swapped_and_left_databases_leave_no_monitor_behind() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let create = "EDDY.CREATE m SOURCES 1 metrics CLOCK stream WINDOW 60000 DIMENSIONS 1 service";
    let add = |redis: &mut Connection, id: u32| call::<String>(redis, &format!("XADD metrics 5000-{id} service pay"));
    for flush in ["FLUSHALL", "FLUSHALL ASYNC", "FLUSHDB", "FLUSHDB ASYNC"] {
        call::<()>(&mut redis, create);
        add(&mut redis, 7);
        call::<()>(&mut redis, flush);
        add(&mut redis, 5);
        assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty(), "{flush}");
        call::<()>(&mut redis, create);
        add(&mut redis, 6);
        assert_eq!(counted(&mut redis, "m"), 1, "{flush}: nothing of the old monitor or its cursor is left");
        call::<i64>(&mut redis, "DEL m metrics");
    }
    call::<()>(&mut redis, create);
    add(&mut redis, 1);
    call::<()>(&mut redis, "SWAPDB 0 1");
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
    add(&mut redis, 2);
    call::<()>(&mut redis, "SELECT 1");
    add(&mut redis, 3);
    assert_eq!(counted(&mut redis, "m"), 2);
    call::<i64>(&mut redis, "MOVE m 2");
    call::<i64>(&mut redis, "MOVE metrics 2");
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
    call::<()>(&mut redis, "SELECT 2");
    add(&mut redis, 4);
    settled(&mut redis, "m");
    assert_eq!(counted(&mut redis, "m"), 3, "moved with its source, it counts on and nothing twice");
}

#[test]
fn a_snapshot_without_a_monitor_loads_without_the_module() {
    let mut server = Server::with_module().start().unwrap();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    for end in [5000, 6000] {
        call::<i64>(&mut redis, &format!("EDDY.CLOSE m {end}"));
        call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    }
    settled(&mut redis, "m");
    let expected = fingerprints(&mut redis, "m");
    call::<i64>(&mut redis, "DEL m");
    call::<()>(&mut redis, "SAVE");
    server.kill().unwrap();
    let plain = Server::plain().data_of(&server).start().unwrap();
    assert_eq!(fingerprints(&mut plain.connection().unwrap(), "m"), expected);
    assert!(!expected.is_empty());
}
