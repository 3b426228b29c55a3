//! Whatever happens to workers, every fingerprint has one score and every change of an incident one entry, the same as if
//! nothing had happened.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::Alert;
use plain::{
    MONITOR, SOON, Worker, assert_undisturbed, expire_lease, id, keys, schema, wait_for_score, write_fingerprints,
    write_schema,
};
use std::thread::sleep;
use std::time::{Duration, Instant};

const WINDOWS: u64 = 420;

#[test]
fn a_worker_killed_at_any_moment_goes_on_without_a_gap_and_nothing_twice() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..150, 1);
    let mut written = 150;
    let mut random = 7_u64;
    for _ in 0..12 {
        let mut worker = Worker::start(&server);
        let lives = Duration::from_millis(random % 60 + 10);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 3;
        let deadline = Instant::now() + lives;
        while Instant::now() < deadline && written < WINDOWS {
            write_fingerprints(&mut connection, written..written + 1, 1);
            written += 1;
            sleep(Duration::from_millis(2));
        }
        worker.kill();
        expire_lease(&mut connection);
    }
    write_fingerprints(&mut connection, written..WINDOWS, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 1);
    worker.stop();
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn two_workers_at_once_write_nothing_twice_even_if_the_lease_changes_hands_all_the_time() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..100, 1);
    let workers = [Worker::start(&server), Worker::start(&server)];
    for i in 100..WINDOWS {
        write_fingerprints(&mut connection, i..i + 1, 1);
        if i % 40 == 0 {
            expire_lease(&mut connection);
        }
        sleep(Duration::from_millis(5));
    }
    wait_for_score(&mut connection, WINDOWS - 1);
    drop(workers);
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn a_dead_workers_monitor_is_taken_over_within_five_seconds() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..WINDOWS - 1, 1);
    let mut first = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 2);
    let second = Worker::start(&server);
    sleep(Duration::from_millis(500));
    first.kill();
    write_fingerprints(&mut connection, WINDOWS - 1..WINDOWS, 1);
    let died = Instant::now();
    wait_for_score(&mut connection, WINDOWS - 1);
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    second.stop();
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn a_worker_that_was_frozen_finds_its_monitor_taken_and_keeps_off() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..250, 1);
    let frozen = Worker::start(&server);
    wait_for_score(&mut connection, 249);
    frozen.signal("-STOP");
    // In the frozen worker's buffers: it reads and judges them when it thaws.
    write_fingerprints(&mut connection, 250..300, 1);
    let other = Worker::start(&server);
    wait_for_score(&mut connection, 299);
    frozen.signal("-CONT");
    for i in 300..WINDOWS {
        write_fingerprints(&mut connection, i..i + 1, 1);
        sleep(Duration::from_millis(3));
    }
    wait_for_score(&mut connection, WINDOWS - 1);
    other.stop();
    let log = frozen.stop();
    assert!(log.contains("the lease ran out or is another worker's"), "{log}");
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn a_worker_that_is_told_to_stop_leaves_checkpoint_and_lease_behind_for_the_next() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..WINDOWS - 50, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 51);
    // Caught up means that the group has nothing to read.
    eventually(SOON, || {
        let groups: Vec<std::collections::HashMap<String, redis::Value>> =
            redis::cmd("XINFO").arg("GROUPS").arg(keys().fingerprints()).query(&mut connection).unwrap();
        groups.len() == 1 && groups[0]["lag"] == redis::Value::Int(0)
    });
    worker.stop();
    let lease: Option<String> = redis::cmd("GET").arg(keys().lease()).query(&mut connection).unwrap();
    assert_eq!(lease, None);

    // With history gone, only the checkpoint can know what was ordinary.
    redis::cmd("XTRIM").arg(keys().fingerprints()).arg("MAXLEN").arg(0).exec(&mut connection).unwrap();
    write_fingerprints(&mut connection, WINDOWS - 50..WINDOWS, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 1);
    let log = worker.stop();
    assert!(!log.contains("checkpoint not used"), "{log}");
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn a_damaged_checkpoint_is_said_and_rebuilt_from_history() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..WINDOWS - 50, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 51);
    worker.stop();
    redis::cmd("SETRANGE").arg(keys().model()).arg(200).arg("damage").exec(&mut connection).unwrap();
    write_fingerprints(&mut connection, WINDOWS - 50..WINDOWS, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, WINDOWS - 1);
    let log = worker.stop();
    assert!(log.contains("it is damaged"), "{log}");
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

/// A worker scored up to 302, where an incident is open, and Redis came back with nothing after 289. With them, what was
/// last said of the incident.
fn forgotten_after_289() -> (Server, redis::Connection, Worker, Alert) {
    let mut server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..290, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 289);
    redis::cmd("SAVE").exec(&mut connection).unwrap();
    write_fingerprints(&mut connection, 290..303, 1);
    wait_for_score(&mut connection, 302);
    let said = plain::incidents(&mut connection).pop().unwrap().1;
    server.kill().unwrap();
    server.start().unwrap();
    let mut connection = server.connection().unwrap();
    assert_eq!(plain::scores(&mut connection).last().unwrap().0, id(289));
    (server, connection, worker, said)
}

#[test]
fn a_redis_that_lost_its_last_seconds_gets_them_again() {
    let (_server, mut connection, worker, _) = forgotten_after_289();
    // Redis comes back with the windows from 290 on, which the module would write again.
    write_fingerprints(&mut connection, 290..WINDOWS, 1);
    wait_for_score(&mut connection, WINDOWS - 1);
    let log = worker.stop();
    assert!(log.contains("Redis lost scores"), "{log}");
    assert_undisturbed(&mut connection, 1..WINDOWS);
}

#[test]
fn an_incident_whose_windows_were_lost_is_resolved_with_that_reason() {
    let (_server, mut connection, worker, lost) = forgotten_after_289();
    assert_eq!(lost.window_end_ms - lost.since_ms, 1000 * lost.windows);
    // The windows of the incident are gone for good.
    write_fingerprints(&mut connection, 310..350, 1);
    wait_for_score(&mut connection, 349);
    worker.stop();
    let resolved = plain::incidents(&mut connection).pop().unwrap().1;
    assert_eq!((resolved.incident, resolved.reason.as_deref()), (lost.incident, Some("lost in failover")));
}

#[test]
fn a_stream_that_is_filled_anew_with_older_windows_is_said_and_scored_once_the_scores_are_deleted() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    write_schema(&mut redis, &schema(1));
    write_fingerprints(&mut redis, 1..420, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut redis, 419);
    redis::cmd("DEL").arg(keys().fingerprints()).exec(&mut redis).unwrap();
    write_fingerprints(&mut redis, 1..310, 1);
    let looks = |redis: &mut redis::Connection| -> u64 {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_xinfo|stream:calls=")).unwrap();
        line.split(',').next().unwrap().parse().unwrap()
    };
    let before = looks(&mut redis);
    eventually(SOON, || looks(&mut redis) >= before + 4);
    redis::cmd("DEL").arg(keys().scores()).arg(keys().incidents()).exec(&mut redis).unwrap();
    wait_for_score(&mut redis, 309);
    let log = worker.stop();
    assert_eq!(log.matches("filled with windows older than the last score").count(), 1, "{log}");
    assert_undisturbed(&mut redis, 1..310);
}

#[test]
fn a_monitor_under_a_name_that_is_no_monitors_is_said_and_others_go_on() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    redis::cmd("SET").arg(keys().scores()).arg("not a stream").exec(&mut connection).unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..WINDOWS, 1);
    let worker = Worker::with(&server, &["--monitor", MONITOR]);
    sleep(Duration::from_millis(300));
    redis::cmd("DEL").arg(keys().scores()).exec(&mut connection).unwrap();
    wait_for_score(&mut connection, WINDOWS - 1);
    let log = worker.stop();
    assert!(log.contains("WRONGTYPE"), "{log}");
    assert_undisturbed(&mut connection, 1..WINDOWS);
}
