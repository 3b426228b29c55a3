//! `eddyline doctor`: nothing to say of a healthy server, a finding and a cure for each trouble.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::keys::service;
use eddyline_worker::doctor::code::Code;
use eddyline_worker::notify::state::State;
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
            assert!(Code::ALL.iter().any(|code| code.as_str() == text("code")), "{finding}");
            format!("{} {}: {}", text("level"), text("about"), text("what"))
        })
        .collect();
    assert_eq!(healthy, findings.iter().all(|finding| finding.starts_with("advice")), "{findings:?}");
    findings
}

/// Findings of this code as `about: what`.
fn with_code(url: &str, code: &str) -> Vec<String> {
    let (report, _) = doctor(url);
    let alike = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    let shown =
        |finding: &Json| format!("{}: {}", finding["about"].as_str().unwrap(), finding["what"].as_str().unwrap());
    alike.map(shown).collect()
}

/// The server's clock, in ms since the epoch.
fn now_ms(connection: &mut Connection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(connection).unwrap();
    seconds * 1000 + micros / 1000
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
fn a_server_that_is_not_there_is_named_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("unix://{}", folder.path().join("gone").display());
    let monitor = ["explain", "checkout", "last"];
    for words in [&["doctor"][..], &monitor, &["delete", "checkout"], &["mark", "pay v1.2.3"], &["export", "checkout"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_eddyline")).args(words).args(["--redis", &url]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.matches("No such file").count(), 1, "{words:?}: {told}");
        assert!(told.starts_with("eddyline: no connection to "), "{words:?}: {told}");
        assert!(told.ends_with("; start the server, or name another with --redis\n"), "{told}");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn of_a_monitor_that_is_scored_on_a_server_that_saves_there_is_nothing_to_say() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..80, 1);
    let worker = Worker::with(&server, &[]);
    wait_for_score(&mut connection, 79);
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
    let id = redis::cmd("XADD").arg("{gone}:fingerprints").arg("*").arg("v").arg("x").query::<String>(&mut connection);
    command(&mut connection, &format!("XADD {{gone}}:scores {} score 0", id.unwrap()));
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

#[test]
fn a_baseline_that_still_warms_up_says_how_far_it_is_and_one_that_is_not_kept_is_named() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..41, 1);
    let worker = Worker::with(&server, &[]);
    wait_for_score(&mut connection, 40);
    assert_only(&findings(&server.url()), &["advice checkout", "warming 40/60"]);
    write_fingerprints(&mut connection, 41..200, 1);
    wait_for_score(&mut connection, 199);
    assert_eq!(with_code(&server.url(), "model_missing"), [""; 0]);
    worker.stop();
    command(&mut connection, "SET {checkout}:lease someone PX 60000");
    command(&mut connection, "DEL {checkout}:model");
    assert_only(&findings(&server.url()), &["advice checkout", "nothing that was learnt is kept"]);
}

#[test]
fn a_monitor_to_which_nothing_happens_is_named_with_who_should_write() {
    let (server, mut connection) = server();
    command(&mut connection, "EDDY.CREATE checkout WINDOW 1000 DIMENSIONS 1 service");
    command(&mut connection, "EDDY.CREATE {shop}:visits SOURCES 1 {shop}:events WINDOW 1000 DIMENSIONS 1 page");
    let (report, _) = doctor(&server.url());
    let cure = |name: &str| {
        let of = |finding: &&Json| finding["code"] == "no_events" && finding["about"] == name;
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(of)
            .map(|finding| finding["cure"].as_str().unwrap().to_owned())
    };
    assert!(cure("checkout").unwrap().contains("EDDY.OBSERVE checkout"), "{report}");
    assert!(cure("{shop}:visits").unwrap().contains("XADD {shop}:events"), "{report}");
    command(&mut connection, "EDDY.OBSERVE checkout service pay");
    assert_eq!(with_code(&server.url(), "no_events"), ["{shop}:visits: no events ever"]);

    let now = now_ms(&mut connection);
    command(&mut connection, "HSET {web}:settings period_ms 1000");
    command(&mut connection, &format!("XADD {{web}}:fingerprints {}-0 cpu 1", now - 400_000));
    let found = with_code(&server.url(), "no_events");
    assert!(found.len() == 2 && found.iter().any(|found| found.starts_with("web: no events since 20")), "{found:?}");
    command(&mut connection, "XADD {web}:fingerprints * cpu 1");
    assert_eq!(with_code(&server.url(), "no_events").len(), 1);
}

#[test]
fn a_monitor_that_still_finds_out_what_to_count_says_how_far_it_is() {
    let (server, mut connection) = server();
    command(&mut connection, "EDDY.CREATE checkout");
    command(&mut connection, "EDDY.OBSERVE checkout service pay");
    let found = with_code(&server.url(), "learning");
    assert!(found.len() == 1 && found[0].contains("checkout: it still finds out what to count (1/"), "{found:?}");
}

#[test]
fn a_fingerprint_of_the_future_is_named() {
    let (server, mut connection) = server();
    command(&mut connection, "HSET {web}:settings period_ms 1000");
    let now = now_ms(&mut connection);
    command(&mut connection, &format!("XADD {{web}}:fingerprints {}-0 cpu 1", now + 3_600_000));
    let found = with_code(&server.url(), "clock_skew");
    assert!(found.len() == 1 && found[0].contains("ahead of the server's clock"), "{found:?}");
}

#[test]
fn scores_that_come_late_are_told_apart_from_those_that_do_not_come() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_fingerprints(&mut connection, 1..100, 1);
    command(&mut connection, "SET {checkout}:lease someone PX 60000");
    command(&mut connection, &format!("XADD {{checkout}}:scores {} score 0", plain::id(1)));
    assert_eq!(with_code(&server.url(), "stuck").len(), 1);
    let mut slow = server.connection().unwrap();
    let (stop, stopped) = std::sync::mpsc::channel();
    let working = std::thread::spawn(move || {
        for i in 2..90 {
            command(&mut slow, &format!("XADD {{checkout}}:scores {} score 0", plain::id(i)));
            // Ticks of a worker that is too slow, until nobody looks any more.
            if stopped.recv_timeout(std::time::Duration::from_secs(1)).is_ok() {
                break;
            }
        }
    });
    let found = with_code(&server.url(), "lag");
    stop.send(()).unwrap();
    working.join().unwrap();
    assert!(found.len() == 1 && found[0].contains("s behind its fingerprints, and getting on"), "{found:?}");
}

#[test]
fn windows_older_than_the_last_score_are_named_with_what_to_do() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    write_fingerprints(&mut connection, 1..100, 1);
    command(&mut connection, &format!("XADD {{checkout}}:scores {} score 0", plain::id(300)));
    let found = with_code(&server.url(), "began_anew");
    assert!(found.len() == 1 && found[0].contains("before the last score"), "{found:?}");
}

#[test]
fn sinks_that_do_not_take_what_they_are_sent_are_named() {
    let (server, mut connection) = server();
    let now = now_ms(&mut connection);
    let letter = |error: &str| format!("XADD {{eddyline}}:dead-letters * sink ops error {error}");
    command(&mut connection, &format!("XADD {{eddyline}}:dead-letters {}-0 sink old error long-ago", now - 7_200_000));
    command(&mut connection, &letter("timeout"));
    command(&mut connection, &letter("410-Gone"));
    command(&mut connection, &format!("XADD {{eddyline}}:notifications {}-0 group a", now - 120_000));
    command(&mut connection, "HSET {eddyline}:delivered ops 0-0 mail 99999999999999-0");
    let found = findings(&server.url());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("sink 'ops' didn't take 2 notifications") && found[0].contains("410-Gone"), "{found:?}");
    assert!(found[1].contains("notifications wait for sink 'ops' since 20"), "{found:?}");
    assert_eq!(
        (with_code(&server.url(), "sink_failing").len(), with_code(&server.url(), "sink_waiting").len()),
        (1, 1)
    );
}

#[test]
fn what_the_budget_of_the_deployment_held_back_is_told_for_a_day() {
    let (server, mut connection) = server();
    let (now, mut state) = (now_ms(&mut connection), State::default());
    state.untold.count("pay", now - 90_000_000);
    let mut write =
        |state: &State| redis::cmd("SET").arg(service::NOTIFIER).arg(state.encode()).exec(&mut connection).unwrap();
    write(&state);
    assert_eq!(with_code(&server.url(), "held_by_budget"), [""; 0]);
    state.untold.count("pay", now - 2000);
    state.untold.count("checkout", now - 1000);
    write(&state);
    let found = with_code(&server.url(), "held_by_budget");
    assert!(found.len() == 1 && found[0].contains("held 2 incidents back since"), "{found:?}");
    assert!(found[0].contains("the last of monitor 'checkout'"), "{found:?}");
}

#[test]
fn a_worker_that_lives_but_does_not_score_or_notify_is_told_apart_from_none() {
    let (server, mut connection) = server();
    monitor(&mut connection, MONITOR);
    let codes = |url: &str| {
        let (report, _) = doctor(url);
        let findings = report["findings"].as_array().unwrap();
        ["no_worker", "not_scored", "no_notifier"]
            .map(|code| findings.iter().filter(|found| found["code"] == code).count())
    };
    assert_eq!(codes(&server.url()), [1, 0, 0]);
    let now = now_ms(&mut connection);
    command(&mut connection, &format!("ZADD {{eddyline}}:workers {} gone", now - 60_000));
    command(&mut connection, "SET {eddyline}:notifier x");
    assert_eq!(codes(&server.url()), [1, 0, 0]);
    command(&mut connection, &format!("ZADD {{eddyline}}:workers {} here", now + 60_000));
    assert_eq!(codes(&server.url()), [0, 1, 1]);
    command(&mut connection, "SET {eddyline}:notifier-lease here");
    assert_eq!(codes(&server.url()), [0, 1, 0]);
}

#[test]
fn of_many_findings_alike_twenty_are_told_and_the_number_of_the_rest() {
    let (server, mut connection) = server();
    for i in 0..50 {
        command(&mut connection, &format!("SET {{gone-{i}}}:model x"));
    }
    let found = with_code(&server.url(), "left_behind");
    assert_eq!(found.len(), 21, "{found:?}");
    assert!(found[20].contains("30 more"), "{}", found[20]);
}

#[test]
fn every_code_is_in_the_documents_with_what_to_do() {
    let document = include_str!("../../docs/doctor.md");
    for code in Code::ALL {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{code}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/doctor.md has no row for {code}"));
        assert_eq!(row.matches(" | ").count(), 2, "{row}");
    }
    let rows = document.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Code::ALL.len());
}
