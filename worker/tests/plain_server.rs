//! A worker on a server without the module, and on fingerprints that can't be read.

mod plain;

use eddyline_testkit::Server;
use plain::{MONITOR, Worker, schema, scores, wait_for_score, write_fingerprints, write_schema};
use std::thread::sleep;
use std::time::Duration;

#[test]
fn a_server_without_the_module_is_said_once_with_what_to_do() {
    let server = Server::plain().start().unwrap();
    let worker = Worker::with(&server, &[]);
    sleep(Duration::from_millis(2500));
    let log = worker.stop();
    assert_eq!(log.matches("--loadmodule").count(), 1, "{log}");
    assert!(log.lines().all(|line| line.starts_with('{')), "not on a terminal, logs are JSON: {log}");
}

#[test]
fn fingerprints_that_cannot_be_read_get_a_score_that_says_so() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..70, 1);
    write_fingerprints(&mut connection, 70..75, 99);
    write_fingerprints(&mut connection, 75..80, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 79);
    let log = worker.stop();
    assert_eq!(log.matches("schema 0000000000000063 isn't known").count(), 1, "{log}");
    let states: Vec<String> =
        scores(&mut connection).into_iter().map(|(_, mut fields)| fields.remove("state").unwrap()).collect();
    assert_eq!(states.len(), 79);
    assert_eq!(states.iter().filter(|state| *state == "unreadable").count(), 5);
    assert!(states[69..74].iter().all(|state| state == "unreadable"), "{states:?}");
    assert_eq!(states[74], "ready");
}

#[test]
fn a_new_schema_starts_a_new_baseline_and_resolves_what_was_open() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..304, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 303);
    let opened = plain::incidents(&mut connection).pop().expect("an incident is open").1;
    write_schema(&mut connection, &schema(2));
    write_fingerprints(&mut connection, 304..320, 2);
    wait_for_score(&mut connection, 319);
    worker.stop();
    let resolved = plain::incidents(&mut connection).pop().unwrap().1;
    assert_eq!(
        (resolved.incident, resolved.reason.as_deref(), resolved.window_end_ms),
        (opened.incident, Some("the monitor's schema changed"), plain::fingerprint(304, 2).end_ms)
    );
    let (_, fields) = scores(&mut connection).pop().unwrap();
    assert_eq!(fields["state"], "warming 16/60");
}

#[test]
fn other_settings_count_from_the_next_window_on_and_nothing_is_scored_anew() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..303, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 302);
    worker.stop();
    let before = scores(&mut connection);
    let opened = plain::incidents(&mut connection).pop().expect("an incident is open").1;
    // Other detectors learn anew, and with more history asked for than there is, no incident can be open.
    write_fingerprints(&mut connection, 303..306, 1);
    let worker = Worker::with(&server, &["--monitor", MONITOR, "--min-history", "5000", "--detectors", "zscore"]);
    wait_for_score(&mut connection, 305);
    let log = worker.stop();
    assert!(log.contains("the settings changed"), "{log}");
    let after = scores(&mut connection);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.last().unwrap().1["state"], "warming 305/5000");
    let resolved = plain::incidents(&mut connection).pop().unwrap().1;
    assert_eq!((resolved.incident, resolved.event.as_str()), (opened.incident, "resolved"));
}

#[test]
fn a_worker_whose_logs_nobody_reads_works_on() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    let mut worker = Worker::start(&server);
    worker.stop_listening();
    write_fingerprints(&mut connection, 1..303, 1);
    wait_for_score(&mut connection, 302);
    assert!(!plain::incidents(&mut connection).is_empty(), "there was something to log");
}
