//! Wherever Redis is: behind TLS, named by sentinels, spread over a cluster.

mod plain;

use eddyline_testkit::{Cluster, Sentinel, Server, eventually};
use eddyline_wire::fingerprint::schema_id;
use eddyline_wire::keys::Companions;
use plain::{
    MONITOR, SOON, Worker, assert_undisturbed, fingerprint, schema, wait_for_score, write_fingerprints, write_schema,
};
use redis::Connection;
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const WINDOWS: u64 = 420;

fn start(url: &str, args: &[&str]) -> Worker {
    Worker::spawn(url, args, Stdio::null(), None)
}

fn openssl(folder: &Path, line: &str) {
    let done = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().expect("openssl");
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// An authority, and a certificate of the loopback that it signed.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(at, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority");
    openssl(at, "req -newkey rsa:2048 -nodes -keyout redis.key -out redis.csr -subj /CN=redis");
    std::fs::write(at.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    openssl(
        at,
        "x509 -req -in redis.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out redis.crt -days 2 -extfile names",
    );
    folder
}

#[test]
fn a_worker_speaks_tls_with_whom_its_authority_vouches_for_and_with_nobody_else() {
    let folder = certificates();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
    let (crt, key, ca) = (file("redis.crt"), file("redis.key"), file("ca.crt"));
    let tls = ["--tls-port", &port, "--tls-cert-file", &crt, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let server = Server::plain().args(tls).args(["--tls-auth-clients", "no"]).start().unwrap();
    let mut redis = server.connection().unwrap();
    redis::cmd("ACL").arg(&["SETUSER", "w", "on", ">secret", "~*", "&*", "+@all"]).exec(&mut redis).unwrap();
    write_schema(&mut redis, &schema(1));
    write_fingerprints(&mut redis, 1..WINDOWS, 1);
    let url = format!("rediss://w:secret@127.0.0.1:{port}");

    let stranger = Worker::spawn(&url, &["--monitor", MONITOR], Stdio::piped(), None);
    std::thread::sleep(Duration::from_millis(1500));
    let log = stranger.stop();
    assert!(log.contains("no connection") && log.to_lowercase().contains("certificate"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert_eq!(plain::scores(&mut redis).len(), 0);

    let worker = start(&url, &["--monitor", MONITOR, "--redis-ca", &ca]);
    wait_for_score(&mut redis, WINDOWS - 1);
    worker.stop();
    assert_undisturbed(&mut redis, 1..WINDOWS);
    redis::cmd("DEL")
        .arg(plain::keys().scores())
        .arg(plain::keys().incidents())
        .arg(plain::keys().model())
        .exec(&mut redis)
        .unwrap();
    let insecure = start(&format!("{url}#insecure"), &["--monitor", MONITOR]);
    wait_for_score(&mut redis, WINDOWS - 1);
    insecure.stop();
}

#[test]
fn sentinels_name_the_primary_and_after_a_failover_the_new_one() {
    let mut primary = Server::plain().tcp().start().unwrap();
    let mut redis = primary.connection().unwrap();
    write_schema(&mut redis, &schema(1));
    let replica = Server::plain().tcp().replica_of(&primary).start().unwrap();
    let sentinel = Sentinel::watching("shop", &primary, Duration::from_secs(1)).unwrap();
    sentinel.hear_of("shop", &replica).unwrap();
    // One of them is no sentinel at all.
    let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/shop", sentinel.port());
    let worker = start(&url, &["--monitor", MONITOR]);
    write_fingerprints(&mut redis, 1..250, 1);
    wait_for_score(&mut redis, 249);
    replica.catch_up_with(&primary).unwrap();
    primary.kill().unwrap();
    eventually(SOON, || sentinel.primary("shop").ok() == replica.port());
    let mut redis = replica.connection().unwrap();
    eventually(SOON, || replica.info("replication", "role").is_ok_and(|role| role.as_deref() == Some("master")));
    write_fingerprints(&mut redis, 250..WINDOWS, 1);
    wait_for_score(&mut redis, WINDOWS - 1);
    worker.stop();
    assert_undisturbed(&mut redis, 1..WINDOWS);
}

fn companions(name: &str) -> Companions {
    Companions::of(name.as_bytes()).unwrap()
}

fn node(cluster: &Cluster, name: &str) -> Connection {
    cluster.node(cluster.primary_of(name).unwrap()).connection().unwrap()
}

fn write(cluster: &Cluster, name: &str, windows: Range<u64>) {
    let mut connection = node(cluster, name);
    let keys = companions(name);
    for i in windows {
        let fingerprint = fingerprint(i, 1);
        let mut add = redis::cmd("XADD");
        add.arg(keys.fingerprints()).arg(fingerprint.id());
        for (field, value) in fingerprint.to_fields() {
            add.arg(field).arg(value);
        }
        add.exec(&mut connection).unwrap();
    }
}

fn ids(cluster: &Cluster, name: &str, key: Vec<u8>) -> Vec<String> {
    let entries: Vec<(String, redis::Value)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut node(cluster, name)).unwrap();
    entries.into_iter().map(|(id, _)| id).collect()
}

fn wait_until_all_are_scored(cluster: &Cluster, names: &[String]) {
    let is_done = |name: &String| {
        let keys = companions(name);
        ids(cluster, name, keys.scores()) == ids(cluster, name, keys.fingerprints())
    };
    eventually(3 * SOON, || names.iter().all(is_done));
}

#[test]
fn monitors_of_every_shard_are_found_and_scored_while_another_shard_fails_over() {
    let mut cluster = Cluster::with_module().unwrap();
    let names: Vec<String> = (0..12).map(|i| format!("shop-{i}")).collect();
    let shards: Vec<usize> = names.iter().map(|name| cluster.primary_of(name).unwrap()).collect();
    assert!((0..3).all(|shard| shards.contains(&shard)), "{shards:?}");
    let schema = schema(1);
    for (i, name) in names.iter().enumerate() {
        let mut connection = node(&cluster, name);
        // Half are the module's to list; the other half are found by their settings.
        if i % 2 == 0 {
            redis::cmd("EDDY.CREATE")
                .arg(name)
                .arg(&["CLOCK", "stream", "DIMENSIONS", "1", "service"])
                .exec(&mut connection)
                .unwrap();
        } else {
            redis::cmd("HSET")
                .arg(companions(name).settings())
                .arg("period_ms")
                .arg(1000)
                .exec(&mut connection)
                .unwrap();
        }
        let (id, json) = (schema_id(schema.id), schema.record.to_json());
        redis::cmd("HSET").arg(companions(name).schemas()).arg(id).arg(json).exec(&mut connection).unwrap();
        write(&cluster, name, 1..80);
    }
    let seeds: Vec<String> = (0..2).map(|i| format!("127.0.0.1:{}", cluster.node(i).port().unwrap())).collect();
    let url = format!("redis+cluster://{}", seeds.join(","));
    let workers = [start(&url, &[]), start(&url, &[])];
    wait_until_all_are_scored(&cluster, &names);

    let lost = shards[0];
    let replica = cluster.replica_of(lost).unwrap();
    let (on_lost, elsewhere): (Vec<String>, Vec<String>) =
        names.iter().cloned().partition(|name| cluster.primary_of(name).unwrap() == lost);
    let primary = cluster.node(lost);
    cluster.node(replica).catch_up_with(primary).unwrap();
    cluster.node_mut(lost).kill().unwrap();
    elsewhere.iter().for_each(|name| write(&cluster, name, 80..100));
    wait_until_all_are_scored(&cluster, &elsewhere);
    eventually(3 * SOON, || on_lost.iter().all(|name| cluster.primary_of(name).is_ok_and(|node| node == replica)));
    cluster.settle().unwrap();
    names.iter().for_each(|name| write(&cluster, name, 100..120));
    wait_until_all_are_scored(&cluster, &names);
    for worker in workers {
        worker.stop();
    }
}
