//! `eddyline delete|rename|copy`: all keys of a monitor or none, also while a worker is at work on it.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::keys::Companions;
use plain::{MONITOR, SOON, Worker, fingerprint, id, incidents, schema, scores, stream};
use plain::{undisturbed, wait_for_score, write_fingerprints, write_schema};
use redis::{Connection, Value};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::ops::Range;
use std::process::{Command, Stdio};

/// Runs `eddyline`; what it printed, or what it complained about.
fn eddyline(server: &Server, args: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(args)
        .args(["--redis", &server.url()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn command(connection: &mut Connection, line: &str) -> Value {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).query(connection).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// All keys of monitors with their content, as the server dumps them.
fn everything(connection: &mut Connection) -> BTreeMap<String, Vec<u8>> {
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(connection).unwrap();
    let dump = |key: String| (redis::cmd("DUMP").arg(&key).query(connection).unwrap(), key);
    keys.into_iter().filter(|key| !key.starts_with("{eddyline}:")).map(dump).map(|(bytes, key)| (key, bytes)).collect()
}

fn names(connection: &mut Connection) -> Vec<String> {
    everything(connection).into_keys().collect()
}

/// A monitor whose fingerprints the test writes itself, with an incident that is open.
fn stage() -> (Server, Connection) {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, &format!("EDDY.CREATE {MONITOR} CLOCK stream DIMENSIONS 1 service"));
    command(&mut connection, &format!("HSET {{{MONITOR}}}:settings period_ms 1000"));
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..303, 1);
    (server, connection)
}

fn score_all(server: &Server, connection: &mut Connection) -> Worker {
    let worker = Worker::with(server, &[]);
    wait_for_score(connection, 302);
    let (_, last) = incidents(connection).pop().expect("there are incidents");
    assert!(last.is_open(), "{last:?}");
    worker
}

fn go_on(connection: &mut Connection, name: &str, windows: Range<u64>) {
    let keys = Companions::of(name.as_bytes()).unwrap();
    for i in windows.clone() {
        let mut add = redis::cmd("XADD");
        add.arg(keys.fingerprints()).arg(id(i));
        for (field, value) in fingerprint(i, 1).to_fields() {
            add.arg(field).arg(value);
        }
        add.exec(connection).unwrap();
    }
    eventually(SOON, || stream(connection, keys.scores()).last().is_some_and(|(last, _)| *last == id(windows.end - 1)));
}

fn messages(connection: &mut Connection, name: &str) -> Vec<Alert> {
    let entries = stream(connection, Companions::of(name.as_bytes()).unwrap().incidents());
    entries.iter().map(|(_, fields)| serde_json::from_str(&fields["alert"]).unwrap()).collect()
}

#[test]
fn a_renamed_monitor_goes_on_under_its_new_name_as_if_nothing_had_happened() {
    let (server, mut connection) = stage();
    let worker = score_all(&server, &mut connection);
    let before = names(&mut connection);
    assert_eq!(before.len(), 9, "{before:?}");
    let would = eddyline(&server, &["rename", MONITOR, "payments", "--dry-run"]).unwrap();
    assert!(
        would.contains("{checkout}:scores") && would.contains("302 entries") && would.contains("is open"),
        "{would}"
    );
    assert_eq!(names(&mut connection), before);

    assert_eq!(eddyline(&server, &["rename", MONITOR, "payments"]).unwrap(), "renamed: 8 keys\n");
    go_on(&mut connection, "payments", 303..330);
    let (expected_scores, expected_messages) = undisturbed(1..330);
    assert_eq!(stream(&mut connection, Companions::of(b"payments").unwrap().scores()), expected_scores);
    let told = messages(&mut connection, "payments");
    for (told, (_, expected)) in told.iter().zip(&expected_messages) {
        let monitor = if told.window_end_ms > fingerprint(302, 1).end_ms { "payments" } else { MONITOR };
        assert_eq!(told, &Alert { monitor: monitor.into(), ..expected.clone() });
    }
    assert_eq!(told.len(), expected_messages.len());
    // what keeps workers away from the old name goes by itself
    eventually(SOON, || names(&mut connection).iter().all(|key| !key.contains(MONITOR)));
    assert_eq!(names(&mut connection).len(), 9);
    worker.stop();
}

#[test]
fn a_copy_goes_on_by_itself_and_leaves_the_open_incident_to_the_original() {
    let (server, mut connection) = stage();
    score_all(&server, &mut connection).stop();
    let before = everything(&mut connection);
    assert_eq!(eddyline(&server, &["copy", MONITOR, "twin"]).unwrap(), "copied: 7 keys\n");
    let mut after = everything(&mut connection);
    for (key, content) in &before {
        assert_eq!(after.remove(key).as_ref(), Some(content), "{key}");
        let twin = after.remove(&key.replace(MONITOR, "twin"));
        let taken = twin.as_ref() == Some(content);
        assert_eq!(taken, !key.contains("lease") && !key.contains("incidents"), "{key}");
    }
    assert!(after.is_empty(), "{after:?}");
    let last = messages(&mut connection, "twin").pop().unwrap();
    assert_eq!((last.event, last.reason.unwrap().as_str()), (Event::Resolved, "goes on as an incident of 'checkout'"));

    let known = messages(&mut connection, "twin").len();
    let worker = Worker::with(&server, &[]);
    go_on(&mut connection, MONITOR, 303..330);
    go_on(&mut connection, "twin", 303..330);
    assert_eq!(scores(&mut connection), undisturbed(1..330).0);
    assert_eq!(incidents(&mut connection), undisturbed(1..330).1);
    let own = messages(&mut connection, "twin").split_off(known);
    assert!(own.iter().all(|alert| alert.monitor == "twin" && alert.incident != last.incident), "{own:?}");
    worker.stop();
}

#[test]
fn a_deleted_monitor_leaves_nothing_while_a_worker_runs_and_its_incident_is_reported_as_resolved() {
    let (server, mut connection) = stage();
    command(&mut connection, "EDDY.CREATE other CLOCK stream DIMENSIONS 1 service");
    let worker = score_all(&server, &mut connection);
    let open = incidents(&mut connection).pop().unwrap().1;
    let before = names(&mut connection);
    let refusal = eddyline(&server, &["delete", MONITOR]).unwrap_err();
    assert!(refusal.contains("--yes"), "{refusal}");
    let would = eddyline(&server, &["delete", MONITOR, "--dry-run"]).unwrap();
    assert!(would.contains("would delete monitor checkout") && would.contains(&open.incident), "{would}");
    assert_eq!(names(&mut connection), before);

    let mut listening = server.connection().unwrap();
    listening.set_read_timeout(Some(SOON)).unwrap();
    let mut subscription = listening.as_pubsub();
    subscription.subscribe("eddyline:alerts:checkout").unwrap();
    assert_eq!(eddyline(&server, &["delete", MONITOR, "--yes"]).unwrap(), "deleted: 8 keys\n");
    let said: Alert =
        serde_json::from_str(&subscription.get_message().unwrap().get_payload::<String>().unwrap()).unwrap();
    assert_eq!((said.event, said.incident), (Event::Resolved, open.incident));
    assert_eq!(said.reason.as_deref(), Some("the monitor was deleted"));

    eventually(SOON, || names(&mut connection).iter().all(|key| !key.contains(MONITOR)));
    let left = names(&mut connection);
    assert_eq!(left, ["other", "{other}:lease", "{other}:lease:tokens"]);
    worker.stop();
    assert_eq!(names(&mut connection), ["other", "{other}:lease:tokens"]);
}

#[test]
fn a_holder_of_the_lease_loses_it_and_nobody_takes_it_again_for_as_long_as_a_lease_lasts() {
    let (server, mut connection) = stage();
    for (args, word) in
        [(&["rename", MONITOR, "payments"][..], "renamed"), (&["delete", "payments", "--yes"], "deleted")]
    {
        let lease = format!("{{{}}}:lease", args[1]);
        command(&mut connection, &format!("SET {lease} 7:somebody PX 600000"));
        eddyline(&server, args).unwrap();
        if word == "renamed" {
            assert_eq!(command(&mut connection, "EXISTS {payments}:lease"), Value::Int(0));
        }
        let (holder, left): (Option<String>, i64) =
            redis::pipe().cmd("GET").arg(&lease).cmd("PTTL").arg(&lease).query(&mut connection).unwrap();
        // on a machine that was busy for three seconds it is gone already
        assert!(holder.is_none_or(|holder| holder == word) && left <= 3000, "{word}: {left} ms left");
    }
}

#[test]
fn what_is_in_the_way_is_named_and_nothing_changes() {
    let (server, mut connection) = stage();
    command(&mut connection, "XADD {taken}:scores 5-0 score 0");
    let before = everything(&mut connection);
    for what in ["rename", "copy"] {
        for more in [&[][..], &["--dry-run"]] {
            let refusal = eddyline(&server, &[&[what, MONITOR, "taken"], more].concat()).unwrap_err();
            assert!(refusal.contains("'taken' is in use: {taken}:scores is there"), "{refusal}");
        }
        let refusal = eddyline(&server, &[what, "nobody", "taken"]).unwrap_err();
        assert!(refusal.contains("no monitor 'nobody'"), "{refusal}");
        assert!(eddyline(&server, &[what, MONITOR, MONITOR]).unwrap_err().contains("its name already"));
        assert!(eddyline(&server, &[what, MONITOR, "{x}"]).unwrap_err().contains("braces"));
    }
    assert_eq!(everything(&mut connection), before);
    // leftovers of a monitor can be removed, too
    eddyline(&server, &["delete", "taken", "--yes"]).unwrap();
    eddyline(&server, &["rename", MONITOR, "taken"]).unwrap();
    assert!(names(&mut connection).iter().all(|key| key.contains("taken")));
}

#[test]
fn without_a_monitors_key_the_fingerprints_are_moved_and_a_strangers_key_of_that_name_stays() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, &format!("SET {MONITOR} stranger"));
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..5, 1);
    assert_eq!(eddyline(&server, &["rename", MONITOR, "own"]).unwrap(), "renamed: 2 keys\n");
    assert_eq!(names(&mut connection), [MONITOR, "{own}:fingerprints", "{own}:schemas"]);
    assert_eq!(eddyline(&server, &["delete", "own", "--yes"]).unwrap(), "deleted: 2 keys\n");
    assert!(eddyline(&server, &["delete", MONITOR, "--yes"]).unwrap_err().contains("no monitor"));
    assert_eq!(names(&mut connection), [MONITOR]);
}

#[test]
fn a_copy_that_does_not_fit_into_memory_leaves_nothing_behind() {
    let (server, mut connection) = stage();
    let before = names(&mut connection);
    command(&mut connection, "CONFIG SET maxmemory 1");
    assert!(eddyline(&server, &["copy", MONITOR, "twin"]).unwrap_err().contains("OOM"));
    assert_eq!(names(&mut connection), before);
    // less memory is always possible
    eddyline(&server, &["rename", MONITOR, "twin"]).unwrap();
    eddyline(&server, &["delete", "twin", "--yes"]).unwrap();
    assert!(names(&mut connection).is_empty());
}

#[test]
fn in_a_cluster_a_monitor_is_moved_within_its_slot_and_the_refusal_says_so() {
    let bus = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
    let server =
        Server::with_module().tcp().args(["--cluster-enabled", "yes", "--cluster-port", &bus]).start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, "CLUSTER ADDSLOTSRANGE 0 16383");
    eventually(SOON, || {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut connection).unwrap();
        info.contains("cluster_state:ok")
    });
    command(&mut connection, "EDDY.CREATE checkout CLOCK stream DIMENSIONS 1 service");
    write_fingerprints(&mut connection, 1..5, 1);
    let refusal = eddyline(&server, &["rename", MONITOR, "payments"]).unwrap_err();
    assert!(refusal.contains("hash slot") && refusal.contains("'{checkout}:payments'"), "{refusal}");
    eddyline(&server, &["rename", MONITOR, "{checkout}:payments"]).unwrap();
    eddyline(&server, &["copy", "{checkout}:payments", "{checkout}:twin"]).unwrap();
    let expected =
        ["{checkout}:payments", "{checkout}:payments:fingerprints", "{checkout}:twin", "{checkout}:twin:fingerprints"];
    assert_eq!(names(&mut connection), expected);
}
