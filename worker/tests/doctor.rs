//! `eddyline doctor`: nothing to say of a healthy server, a finding and a cure for each trouble.

mod plain;

use eddyline_testkit::{Server, eventually};
use plain::{MONITOR, SOON, Worker, schema, wait_for_score, write_fingerprints, write_schema};
use redis::{Connection, Value};
use serde_json::Value as Json;
use std::process::{Command, Stdio};

/// The report as JSON, and whether nothing is wrong.
fn doctor(url: &str) -> (Json, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["doctor", "--json", "--redis", url])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.success())
}

/// Findings as `level about: what`, in order.
fn findings(url: &str) -> Vec<String> {
    let (report, healthy) = doctor(url);
    let findings: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap();
            assert!(!text("cure").is_empty());
            format!("{} {}: {}", text("level"), text("about"), text("what"))
        })
        .collect();
    assert_eq!(healthy, findings.iter().all(|finding| finding.starts_with("advice")), "{findings:?}");
    findings
}

fn command(connection: &mut Connection, line: &str) -> Value {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).query(connection).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// A server that keeps what it is given.
fn server() -> (Server, Connection) {
    let server = Server::with_module().args(["--appendonly", "yes"]).start().unwrap();
    let connection = server.connection().unwrap();
    (server, connection)
}

fn monitor(connection: &mut Connection, name: &str) {
    command(connection, &format!("EDDY.CREATE {name} CLOCK stream WINDOW 1000 DIMENSIONS 1 service"));
}

/// One finding, which says all of this.
fn assert_only(findings: &[String], words: &[&str]) {
    assert_eq!(findings.len(), 1, "{findings:?}");
    for word in words {
        assert!(findings[0].contains(word), "{word:?} in {findings:?}");
    }
}

#[test]
fn of_a_monitor_that_is_scored_on_a_server_that_saves_there_is_nothing_to_say() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..20, 1);
    let worker = Worker::with(&server, &[]);
    wait_for_score(&mut connection, 19);
    assert_eq!(findings(&server.url()), [""; 0]);
    let (report, _) = doctor(&server.url());
    assert_eq!(report["monitors"], serde_json::json!([MONITOR]));
    assert_eq!(report["module"], env!("CARGO_PKG_VERSION"));
    let told =
        Command::new(env!("CARGO_BIN_EXE_eddyline")).args(["doctor", "--redis", &server.url()]).output().unwrap();
    assert!(String::from_utf8(told.stdout).unwrap().ends_with("all is well\n"));
    worker.stop();
}

#[test]
fn a_monitor_that_nobody_scores_is_named_with_its_lag() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..20, 1);
    assert_only(&findings(&server.url()), &["problem checkout", "no worker", "19 fingerprints aren't scored"]);
    command(&mut connection, "SET {checkout}:lease someone PX 60000");
    assert_only(&findings(&server.url()), &["problem checkout", "doesn't get on", "19 fingerprints aren't scored"]);
    command(&mut connection, "PERSIST {checkout}:lease");
    let found = findings(&server.url());
    assert!(found.iter().any(|finding| finding.contains("never runs out")), "{found:?}");
}

#[test]
fn fingerprints_that_cannot_be_written_are_named_with_what_is_in_the_way() {
    let (server, mut connection) = server();
    command(&mut connection, "EDDY.CREATE checkout SOURCES 1 events CLOCK stream WINDOW 1000 DIMENSIONS 1 service");
    command(&mut connection, "SET {checkout}:fingerprints x");
    command(&mut connection, "SET {checkout}:lease someone PX 60000");
    for second in 1..5 {
        command(&mut connection, &format!("XADD events {second}000-0 service web"));
    }
    let found = findings(&server.url());
    let has =
        |words: &str| found.iter().any(|finding| finding.starts_with("problem checkout") && finding.contains(words));
    assert!(has("{checkout}:fingerprints holds a string where a stream belongs"), "{found:?}");
    assert!(has("3 fingerprints wait to be written"), "{found:?}");
    command(&mut connection, "DEL events {checkout}:fingerprints");
    command(&mut connection, "SET events x");
    eventually(SOON, || command(&mut connection, "XLEN {checkout}:fingerprints") == Value::Int(3));
    let found = findings(&server.url());
    assert!(found.iter().any(|finding| finding.contains("its source 'events' isn't a stream")), "{found:?}");
}

#[test]
fn keys_without_a_monitor_are_named() {
    let (server, mut connection) = server();
    command(&mut connection, "SET {gone}:model x");
    command(&mut connection, "XADD {gone}:scores 5-0 score 0");
    command(&mut connection, "SET {{gone}:twice}:model x");
    // somebody's own
    command(&mut connection, "SET {user}:settings:dark x");
    assert_only(&findings(&server.url()), &["problem gone", "{gone}:model, {gone}:scores"]);
    // what keeps workers away from a name that was renamed
    command(&mut connection, "DEL {gone}:model {gone}:scores");
    command(&mut connection, "SET {gone}:lease renamed PX 60000");
    assert_eq!(findings(&server.url()), [""; 0]);
    // fingerprints are scored whoever wrote them
    command(&mut connection, "DEL {gone}:lease");
    command(&mut connection, "XADD {gone}:fingerprints 5-0 v x");
    let found = findings(&server.url());
    assert!(
        found[0].contains("problem gone: no worker") && found[1].contains("advice gone: fingerprints without"),
        "{found:?}"
    );
    command(&mut connection, "HSET {gone}:settings period_ms 1000");
    command(&mut connection, "SET {gone}:lease someone PX 60000");
    command(&mut connection, "XADD {gone}:scores 5-0 score 0");
    assert_eq!(findings(&server.url()), [""; 0]);
}

#[test]
fn settings_that_lose_monitors_are_named() {
    let (server, mut connection) = server();
    command(&mut connection, "CONFIG SET appendonly no");
    assert_only(&findings(&server.url()), &["problem server: nothing is saved"]);
    command(&mut connection, "CONFIG SET maxmemory 1gb maxmemory-policy allkeys-lru appendonly yes");
    eventually(SOON, || {
        let info: String = redis::cmd("INFO").arg("persistence").query(&mut connection).unwrap();
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_enabled:1")
    });
    assert_only(&findings(&server.url()), &["problem server: maxmemory-policy is allkeys-lru"]);
}

#[test]
fn a_server_without_the_module_is_named_as_primary_and_as_replica() {
    let primary = Server::with_module().tcp().args(["--appendonly", "yes"]).start().unwrap();
    let mut connection = primary.connection().unwrap();
    let replica = Server::plain().replica_of(&primary).tcp().start().unwrap();
    eventually(SOON, || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut connection).unwrap();
        info.contains("state=online")
    });
    let named = format!("problem server: replica 127.0.0.1:{}: the module isn't loaded", replica.port().unwrap());
    assert_only(&findings(&primary.url()), &[&named]);
    let found = findings(&replica.url());
    assert!(found.iter().any(|finding| finding.starts_with("problem server: the module isn't loaded")), "{found:?}");
    assert!(
        found.iter().any(|finding| finding.starts_with("advice server: this is a replica of 127.0.0.1")),
        "{found:?}"
    );
}

#[test]
fn rights_that_a_worker_lacks_are_named() {
    let server = Server::with_module().tcp().args(["--appendonly", "yes"]).start().unwrap();
    let mut connection = server.connection().unwrap();
    monitor(&mut connection, MONITOR);
    command(&mut connection, "SET {checkout}:lease someone PX 60000");
    command(&mut connection, "ACL SETUSER w on >secret ~* &* +@all -xgroup");
    let url = format!("redis://w:secret@127.0.0.1:{}", server.port().unwrap());
    let named = "user 'w' lacks rights that a worker needs: XGROUP CREATE {checkout}:fingerprints, XGROUP SETID";
    assert_only(&findings(&url), &["problem server", named]);
    command(&mut connection, "ACL SETUSER w +xgroup -config");
    assert_only(&findings(&url), &["advice server: this user may not call CONFIG GET"]);
}
