//! Several workers share the monitors of a server: evenly, each monitor one worker's, whoever comes, goes, freezes or dies.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::keys::Companions;
use plain::{SOON, Worker, fingerprint, schema};
use redis::Connection;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

const MONITORS: usize = 50;
/// A dead worker's monitors are another's within this time.
const TAKEOVER: Duration = Duration::from_secs(5);

fn names() -> Vec<String> {
    (0..MONITORS).map(|i| format!("shop-{i}")).collect()
}

fn companions() -> Vec<Companions> {
    names().iter().map(|name| Companions::of(name.as_bytes()).unwrap()).collect()
}

fn start(server: &Server) -> Worker {
    let names = names();
    let args: Vec<&str> = names.iter().flat_map(|name| ["--monitor", name]).collect();
    Worker::with(server, &args)
}

fn stage() -> (Server, Connection) {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let schema = schema(1);
    for keys in companions() {
        let (id, json) = (schema_id(schema.id), schema.record.to_json());
        redis::cmd("HSET").arg(keys.schemas()).arg(id).arg(json).exec(&mut connection).unwrap();
    }
    (server, connection)
}

/// Writes windows of every monitor, and wakes nobody.
fn write(connection: &mut Connection, windows: Range<u64>) {
    for keys in companions() {
        let mut pipe = redis::pipe();
        for i in windows.clone() {
            // Quiet windows, or the log would fill its pipe.
            let fingerprint = Fingerprint { end_ms: fingerprint(i, 1).end_ms, ..fingerprint(i % 90, 1) };
            let add = pipe.cmd("XADD").arg(keys.fingerprints()).arg(fingerprint.id());
            for (field, value) in fingerprint.to_fields() {
                add.arg(field).arg(value);
            }
        }
        pipe.exec(connection).unwrap();
    }
}

/// Ids of each monitor's stream.
fn ids(connection: &mut Connection, key: impl Fn(&Companions) -> Vec<u8>) -> Vec<Vec<String>> {
    type Entries = Vec<(String, redis::Value)>;
    let mut of = |keys: &Companions| {
        let entries: Entries = redis::cmd("XRANGE").arg(key(keys)).arg("-").arg("+").query(connection).unwrap();
        entries.into_iter().map(|(id, _)| id).collect()
    };
    companions().iter().map(&mut of).collect()
}

fn lengths(connection: &mut Connection) -> Vec<u64> {
    let mut pipe = redis::pipe();
    for keys in companions() {
        pipe.cmd("XLEN").arg(keys.scores());
    }
    pipe.query(connection).unwrap()
}

fn wait_for_all(connection: &mut Connection, windows: u64) {
    eventually(SOON, || lengths(connection).iter().all(|length| *length >= windows));
}

fn assert_exactly_once(connection: &mut Connection) {
    assert_eq!(ids(connection, Companions::scores), ids(connection, Companions::fingerprints));
}

/// How many monitors each worker holds, by process id.
fn shares(connection: &mut Connection) -> BTreeMap<String, usize> {
    let mut pipe = redis::pipe();
    for keys in companions() {
        pipe.cmd("GET").arg(keys.lease());
    }
    let leases: Vec<Option<String>> = pipe.query(connection).unwrap();
    let mut shares = BTreeMap::new();
    for lease in leases.into_iter().flatten() {
        let (_, worker) = lease.split_once(':').unwrap();
        *shares.entry(worker.split_once('-').unwrap().0.to_owned()).or_default() += 1;
    }
    shares
}

/// Each of these workers holds at least so many monitors, and together they hold all.
fn wait_for_shares(connection: &mut Connection, workers: &[&Worker], least: usize) {
    let mut seen = BTreeMap::new();
    let fair = |seen: &BTreeMap<String, usize>| {
        let of = |worker: &&Worker| seen.get(&worker.pid().to_string()).copied().unwrap_or_default();
        workers.iter().map(of).sum::<usize>() == MONITORS && workers.iter().all(|worker| of(worker) >= least)
    };
    eventually(SOON, || {
        seen = shares(connection);
        fair(&seen)
    });
    println!("monitors by worker: {seen:?}");
}

#[test]
fn monitors_are_spread_when_workers_come_and_taken_over_when_one_dies_or_freezes() {
    let (server, mut redis) = stage();
    write(&mut redis, 1..20);
    let first = start(&server);
    wait_for_shares(&mut redis, &[&first], MONITORS);
    let mut second = start(&server);
    // With 50 monitors a fair coin gives either side fewer than 9 once in a million times.
    let joined = Instant::now();
    wait_for_shares(&mut redis, &[&first, &second], 9);
    println!("shared {:?} after the second came", joined.elapsed());
    write(&mut redis, 20..30);
    wait_for_all(&mut redis, 29);

    second.kill();
    let died = Instant::now();
    write(&mut redis, 30..31);
    wait_for_all(&mut redis, 30);
    println!("taken over {:?} after the second died", died.elapsed());
    assert!(died.elapsed() < TAKEOVER, "{:?}", died.elapsed());

    let third = start(&server);
    wait_for_shares(&mut redis, &[&first, &third], 9);
    first.signal("-STOP");
    let froze = Instant::now();
    write(&mut redis, 31..40);
    wait_for_all(&mut redis, 39);
    println!("taken over {:?} after the first froze", froze.elapsed());
    assert!(froze.elapsed() < TAKEOVER, "{:?}", froze.elapsed());
    first.signal("-CONT");
    write(&mut redis, 40..50);
    wait_for_shares(&mut redis, &[&first, &third], 9);
    write(&mut redis, 50..60);
    wait_for_all(&mut redis, 59);
    assert_exactly_once(&mut redis);
}

#[test]
fn a_monitor_that_only_one_worker_knows_of_stays_with_it() {
    let (server, mut redis) = stage();
    let knows = start(&server);
    wait_for_shares(&mut redis, &[&knows], MONITORS);
    let other = Worker::with(&server, &[]);
    let given_back = |redis: &mut Connection| shares(redis).values().sum::<usize>() < MONITORS;
    eventually(SOON, || given_back(&mut redis));
    // The other lets its turn pass.
    wait_for_shares(&mut redis, &[&knows], MONITORS);
    let mut tokens = || -> Vec<u64> {
        let mut pipe = redis::pipe();
        for keys in companions() {
            pipe.cmd("GET").arg(keys.lease_tokens());
        }
        pipe.query(&mut redis).unwrap()
    };
    let before = tokens();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(tokens(), before, "leases don't change hands for nothing");
    // It may have been frozen, and able to take its turn by now.
    eventually(SOON, || given_back(&mut redis));
    wait_for_shares(&mut redis, &[&knows], MONITORS);
    other.stop();
}

#[test]
fn a_worker_under_load_acknowledges_what_it_did_and_is_gone_within_two_seconds() {
    let (server, mut redis) = stage();
    write(&mut redis, 1..400);
    let worker = start(&server);
    eventually(SOON, || lengths(&mut redis).iter().filter(|length| **length > 0).count() > MONITORS / 2);
    let told = Instant::now();
    let log = worker.stop();
    let took = told.elapsed();
    println!("stopped after {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}: {log}");
    assert!(lengths(&mut redis).iter().any(|length| *length < 399), "it was still at work");
    assert_eq!(shares(&mut redis), BTreeMap::new(), "every lease was given back: {log}");
    let workers: u64 = redis::cmd("ZCARD").arg(eddyline_wire::keys::service::WORKERS).query(&mut redis).unwrap();
    assert_eq!(workers, 0);
    let next = start(&server);
    wait_for_all(&mut redis, 399);
    let log = next.stop();
    assert!(!log.contains("checkpoint not used"), "{log}");
    assert_exactly_once(&mut redis);
}
