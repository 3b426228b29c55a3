//! What is set for one monitor in its `:settings`, while a worker runs.

mod plain;

use eddyline_testkit::Server;
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::judge::Judge;
use eddyline_worker::judging::results::results;
use plain::{
    Worker, fingerprint, id, identity, keys, schema, scores, wait_for_look, wait_for_score, write_fingerprints,
};
use redis::Connection;
use std::sync::Arc;

fn set(connection: &mut Connection, field: &str, value: &str) {
    redis::cmd("HSET").arg(keys().settings()).arg(field).arg(value).exec(connection).unwrap();
}

#[test]
fn detectors_of_one_monitor_are_changed_while_a_worker_runs() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    plain::write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..150, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 149);
    let before = scores(&mut connection);
    let both = redis::cmd("HSET").arg(keys().settings()).arg("detectors").arg("zscore,moving-average").to_owned();
    both.to_owned().arg("budget").arg("1000").exec(&mut connection).unwrap();
    wait_for_look(&mut connection);
    write_fingerprints(&mut connection, 150..220, 1);
    wait_for_score(&mut connection, 219);
    let log = worker.stop();

    let after = scores(&mut connection);
    assert_eq!(after[..before.len()], before, "nothing is scored anew");
    let mut judge = Judge::new(Choices {
        budget_per_day: 1000.0,
        detectors: "zscore,moving-average".parse().unwrap(),
        ..Choices::default()
    });
    let schema = Arc::new(schema(1));
    for i in 1..220 {
        let (score, _) = results(&mut judge, None, &identity(), &fingerprint(i, 1), &schema).unwrap();
        if i >= 150 {
            let (entry, fields) = &after[i as usize - 1];
            assert_eq!(entry, &id(i));
            let expected = score.to_fields().into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
            assert_eq!(fields, &expected, "as if it had always been so, window {i}");
        }
    }
    assert!(log.contains("the settings changed"), "{log}");
}

#[test]
fn settings_that_are_too_long_to_be_meant_are_left_out_whole_and_said() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    plain::write_schema(&mut connection, &schema(1));
    set(&mut connection, "detectors", "ewma");
    set(&mut connection, "exclude", &"2026-12-24 ".repeat(300_000));
    write_fingerprints(&mut connection, 1..303, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 302);
    wait_for_look(&mut connection);
    let log = worker.stop();
    let said =
        "left out of {checkout}:settings: all of it: it has 3300020 bytes, more than 2097152; the longest is 'exclude'";
    assert_eq!(log.matches(said).count(), 1, "{log}");
    plain::assert_undisturbed(&mut connection, 1..303);
}

#[test]
fn settings_that_cannot_be_read_are_said_once_and_left_out() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    plain::write_schema(&mut connection, &schema(1));
    set(&mut connection, "sensitivity", "high");
    set(&mut connection, "detectors", "magic");
    write_fingerprints(&mut connection, 1..303, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 302);
    wait_for_look(&mut connection);
    // Not even a hash: what was chosen stays.
    redis::cmd("SET").arg(keys().settings()).arg("x").exec(&mut connection).unwrap();
    wait_for_look(&mut connection);
    write_fingerprints(&mut connection, 303..320, 1);
    wait_for_score(&mut connection, 319);
    let log = worker.stop();
    assert_eq!(log.matches("'sensitivity' isn't one of budget, min_history, quiet_after").count(), 1, "{log}");
    assert_eq!(log.matches("no detector is called 'magic'").count(), 1, "{log}");
    assert_eq!(log.matches("WRONGTYPE").count(), 1, "{log}");
    plain::assert_undisturbed(&mut connection, 1..320);
}
