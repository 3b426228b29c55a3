//! `eddyline export` and `import`: what was learnt in one place is known in another at once.

mod plain;

use eddyline_testkit::{Server, eventually};
use plain::{
    MONITOR, SOON, Worker, id, keys, schema, scores, undisturbed, wait_for_score, write_fingerprints, write_schema,
};
use redis::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs `eddyline`; what it printed, or what it complained about.
fn eddyline(server: &Server, args: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(args)
        .args(["--redis", &server.url()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// All keys of the database with their content.
fn everything(connection: &mut Connection) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(connection).unwrap();
    let dump = |key: Vec<u8>| (redis::cmd("DUMP").arg(&key).query(connection).unwrap(), key);
    keys.into_iter().map(dump).map(|(bytes, key)| (key, bytes)).collect()
}

fn setting(connection: &mut Connection, name: &str) -> Option<String> {
    redis::cmd("HGET").arg(keys().settings()).arg(name).query(connection).unwrap()
}

/// The file of a monitor that learnt 302 windows and has a setting.
fn exported(folder: &tempfile::TempDir) -> String {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    redis::cmd("HSET").arg(keys().settings()).arg("period_ms").arg("1000").exec(&mut connection).unwrap();
    write_fingerprints(&mut connection, 1..300, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 299);
    worker.stop();
    let file: PathBuf = folder.path().join("checkout.eddyline");
    let file = file.to_str().unwrap().to_owned();
    let before = everything(&mut connection);
    eddyline(&server, &["export", MONITOR, "--out", &file]).unwrap();
    assert_eq!(everything(&mut connection), before, "an export changes nothing");
    file
}

#[test]
fn what_was_learnt_elsewhere_judges_the_first_window_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&folder);
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let told = eddyline(&server, &["import", MONITOR, &file]).unwrap();
    assert!(told.contains("imported into checkout") && told.contains("budget_per_day 100"), "{told}");
    assert_eq!(setting(&mut connection, "period_ms").as_deref(), Some("1000"));
    write_fingerprints(&mut connection, 300..420, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 419);
    worker.stop();
    let expected: Vec<_> = undisturbed(1..420).0.into_iter().skip(299).collect();
    assert_eq!(scores(&mut connection), expected, "as if it had been here all the time");
}

#[test]
fn a_worker_at_work_goes_on_with_what_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&folder);
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 300..320, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 319);
    eventually(SOON, || {
        !redis::cmd("GET")
            .arg(keys().lease())
            .query::<Option<String>>(&mut connection)
            .unwrap()
            .unwrap_or_default()
            .is_empty()
    });
    // It may have left a checkpoint already; that is replaced.
    let told = eddyline(&server, &["import", MONITOR, &file, "--yes"]).unwrap();
    assert!(told.contains("imported into checkout"), "{told}");
    write_fingerprints(&mut connection, 320..340, 1);
    wait_for_score(&mut connection, 339);
    let log = worker.stop();
    let told = scores(&mut connection);
    assert_eq!((told.len(), told[19].1["state"].as_str()), (40, "warming 20/60"), "{log}");
    assert!(told[20..].iter().all(|(_, fields)| fields["state"] == "ready"), "{log}");
    assert_eq!(told.last().unwrap().0, id(339));
}

#[test]
fn a_model_that_is_there_is_kept_unless_the_user_says_so_and_a_dry_run_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&folder);
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    eddyline(&server, &["import", MONITOR, &file]).unwrap();
    redis::cmd("HSET").arg(keys().settings()).arg("budget").arg("3").exec(&mut connection).unwrap();
    let before = everything(&mut connection);
    let refusal = eddyline(&server, &["import", MONITOR, &file]).unwrap_err();
    assert!(refusal.contains("has a model of its own") && refusal.contains("--yes"), "{refusal}");
    let told = eddyline(&server, &["import", MONITOR, &file, "--dry-run"]).unwrap();
    assert!(
        told.contains("would import into checkout") && told.contains("in place of the one that is there"),
        "{told}"
    );
    assert_eq!(everything(&mut connection), before);
    eddyline(&server, &["import", MONITOR, &file, "--yes"]).unwrap();
    assert_eq!(setting(&mut connection, "budget"), None, "the settings are those of the file");
}

#[test]
fn a_file_that_is_not_whole_and_a_monitor_of_other_fields_are_refused_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&folder);
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let good = std::fs::read(&file).unwrap();
    let bad = folder.path().join("bad");
    for (bytes, says) in [
        (good[..good.len() - 1].to_vec(), "damaged or cut off"),
        ([&good[..200], b"x", &good[201..]].concat(), "damaged or cut off"),
        (b"# settings".to_vec(), "isn't a file of 'eddyline export'"),
        (Vec::new(), "isn't a file of 'eddyline export'"),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        let refusal = eddyline(&server, &["import", MONITOR, bad.to_str().unwrap(), "--yes"]).unwrap_err();
        assert!(refusal.contains(says), "{refusal}");
    }
    let refusal = eddyline(&server, &["import", MONITOR, "/nowhere/at/all"]).unwrap_err();
    assert!(refusal.contains("/nowhere/at/all: No such file"), "{refusal}");
    assert!(everything(&mut connection).is_empty());
    write_schema(&mut connection, &schema(2));
    write_fingerprints(&mut connection, 300..301, 2);
    let before = everything(&mut connection);
    let refusal = eddyline(&server, &["import", MONITOR, &file]).unwrap_err();
    assert!(refusal.contains("of schema 0000000000000001") && refusal.contains("0000000000000002"), "{refusal}");
    let refusal = eddyline(&server, &["export", "nobody", "--out", bad.to_str().unwrap()]).unwrap_err();
    assert!(refusal.contains("nothing was learnt about 'nobody'"), "{refusal}");
    assert_eq!(everything(&mut connection), before);
}
