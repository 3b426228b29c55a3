//! Controls, feedback and markers, with a real worker over a real server.

mod plain;

use eddyline_testkit::Server;
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::keys::Companions;
use eddyline_wire::keys::service::{AUDIT, MARKERS};
use eddyline_worker::feedback::give::{FeedbackError, Request, Word, give, list};
use eddyline_worker::store::connect::Address;
use plain::{
    Worker, incidents, keys, schema, scores, stream, undisturbed, wait_for_look, wait_for_score, write_fingerprints,
};
use redis::Connection;
use std::process::Command;

fn set(connection: &mut Connection, fields: &[(&str, &str)]) {
    redis::cmd("HSET").arg(keys().settings()).arg(fields).exec(connection).unwrap();
}

fn start() -> (Server, Connection) {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    plain::write_schema(&mut connection, &schema(1));
    (server, connection)
}

/// Writes windows up to this one and waits until they have their scores.
fn live(connection: &mut Connection, windows: std::ops::Range<u64>) {
    let last = windows.end - 1;
    write_fingerprints(connection, windows, 1);
    wait_for_score(connection, last);
}

fn opened(connection: &mut Connection) -> Vec<Alert> {
    incidents(connection).into_iter().map(|(_, alert)| alert).filter(|alert| alert.event == Event::Opened).collect()
}

/// What the command prints, its success and its failure.
fn eddyline(server: &Server, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
    let output = command.args(args).args(["--redis", &server.url()]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn controls_change_what_opens_at_once_and_nothing_that_was_learnt() {
    let (server, mut connection) = start();
    let worker = Worker::start(&server);
    live(&mut connection, 1..150);
    assert_eq!(opened(&mut connection).len(), 1);

    set(&mut connection, &[("min_absolute:*", "1000000"), ("quiet_after", "7")]);
    wait_for_look(&mut connection);
    live(&mut connection, 150..250);
    assert_eq!(opened(&mut connection).len(), 1);
    let all = scores(&mut connection);
    let held: Vec<usize> = (0..all.len()).filter(|at| all[*at].1.contains_key("held")).map(|at| at + 1).collect();
    assert!(held.contains(&200) && held.iter().all(|window| *window >= 200), "{held:?}");
    assert_eq!(all[199].1["held"], "deviation");
    assert!(all[199].1["score"].parse::<f64>().unwrap() >= 0.5 && !all[199].1.contains_key("incident"));
    for ((_, scored), (_, expected)) in all.iter().zip(undisturbed(1..200).0) {
        assert_eq!(scored["p"], expected["p"], "as if nothing had been changed");
    }

    // Window 300 ends at 22:18:20 UTC.
    set(&mut connection, &[("min_absolute:*", "0"), ("exclude", "2023-11-14T22:18/2023-11-14T22:19")]);
    wait_for_look(&mut connection);
    live(&mut connection, 250..350);
    assert_eq!(opened(&mut connection).len(), 1);
    let states: Vec<(usize, String)> = scores(&mut connection)
        .into_iter()
        .enumerate()
        .map(|(at, (_, fields))| (at + 1, fields["state"].clone()))
        .collect();
    let excluded: Vec<usize> =
        states.iter().filter(|(_, state)| state == "excluded").map(|(window, _)| *window).collect();
    assert_eq!(excluded, (281..=340).collect::<Vec<_>>());

    live(&mut connection, 350..420);
    assert_eq!(opened(&mut connection).len(), 2, "nothing is held back any more");
    let log = worker.stop();
    assert!(!log.contains("learning from the stream's history again"), "{log}");
}

#[test]
fn a_number_out_of_its_range_alerts_from_the_first_window() {
    let (server, mut connection) = start();
    set(&mut connection, &[("expect:count", "..1000"), ("expect:service", "..5"), ("min_absolute:servce", "3")]);
    let worker = Worker::start(&server);
    live(&mut connection, 100..110);
    let alert = opened(&mut connection).remove(0);
    assert_eq!((alert.causes[0].kind.as_str(), alert.score), ("out of range", 1.0));
    assert!(alert.summary.starts_with("traffic (allowed ..1000) is out of range: 1"), "{}", alert.summary);
    wait_for_look(&mut connection);
    let log = worker.stop();
    let line = "controls without effect (EDDY.SCHEMA names the features): the monitor has no feature 'servce'; expect:service:";
    assert_eq!(log.matches(line).count(), 1, "{log}");
}

#[test]
fn settings_with_too_many_fields_are_refused() {
    let (server, mut connection) = start();
    let many: Vec<(String, &str)> = (0..1001).map(|i| (format!("direction:f{i}"), "up")).collect();
    redis::cmd("HSET").arg(keys().settings()).arg(&many).exec(&mut connection).unwrap();
    let worker = Worker::start(&server);
    live(&mut connection, 1..10);
    wait_for_look(&mut connection);
    redis::cmd("HDEL").arg(keys().settings()).arg("direction:f0").exec(&mut connection).unwrap();
    wait_for_look(&mut connection);
    let log = worker.stop();
    assert_eq!(log.matches("all of it: it has 1001 fields, more than 1000").count(), 1, "{log}");
    assert!(log.contains("'direction:f") && log.contains("at most 256"), "{log}");
}

#[test]
fn what_is_called_normal_is_resolved_and_does_not_come_again_until_that_is_taken_back() {
    let (server, mut connection) = start();
    let worker = Worker::start(&server);
    live(&mut connection, 1..103);
    let id = opened(&mut connection).remove(0).incident;
    let told = eddyline(&server, &["feedback", &id, "normal", "--by", "ann"]).unwrap();
    assert!(told.contains(&format!("incident {id} of checkout")) && told.contains("opens nothing any more"), "{told}");
    wait_for_look(&mut connection);
    live(&mut connection, 103..150);
    let last = incidents(&mut connection).pop().unwrap().1;
    assert_eq!((last.event, last.reason.as_deref()), (Event::Resolved, Some("marked as normal by ann")));
    assert_eq!(last.incident, id);
    worker.stop();

    // It survives the worker.
    let worker = Worker::start(&server);
    live(&mut connection, 150..250);
    assert_eq!(opened(&mut connection).len(), 1);
    assert_eq!(scores(&mut connection)[199].1["held"], "feedback");
    let listed = eddyline(&server, &["feedback", "--list"]).unwrap();
    assert!(
        listed.starts_with(&format!("checkout  {id}  normal  by ann at 20")) && listed.lines().count() == 1,
        "{listed}"
    );

    let told = eddyline(&server, &["feedback", &id, "undo", "--by", "bob", "--monitor", "checkout"]).unwrap();
    assert!(told.contains("'normal' was taken back"), "{told}");
    assert_eq!(eddyline(&server, &["feedback", "--list"]).unwrap(), "nothing is in force\n");
    wait_for_look(&mut connection);
    live(&mut connection, 250..350);
    assert_eq!(opened(&mut connection).len(), 2);
    worker.stop();

    let audit = stream(&mut connection, AUDIT.into());
    let lines: Vec<String> = audit
        .iter()
        .map(|(_, fields)| ["monitor", "incident", "what", "by"].map(|name| fields[name].as_str()).join(" "))
        .collect();
    assert_eq!(lines, [format!("checkout {id} normal ann"), format!("checkout {id} undo normal bob")]);
}

#[test]
fn feedback_that_cannot_be_given_is_refused_with_the_reason() {
    let (server, mut connection) = start();
    let refused = |args: &[&str]| eddyline(&server, args).unwrap_err();
    let none = "5b1f2c9a7e3d4860";
    assert!(refused(&["feedback", none, "normal"]).contains("no monitor of this database has an incident"));
    assert!(refused(&["feedback", none, "undo"]).contains("nothing is in force that was said"));
    set(&mut connection, &[("feedback", "[]")]);
    assert!(refused(&["feedback", none, "undo"]).contains("HDEL '{checkout}:settings' feedback removes it"));
}

#[test]
fn of_feedback_given_at_once_nothing_is_lost_and_64_pieces_are_the_most() {
    let (server, mut connection) = start();
    let golden = include_str!("../../crates/wire/fixtures/alert.json");
    let id = |i: u64| format!("{i:016x}");
    for i in 0..65 {
        let alert = golden.replace("5b1f2c9a7e3d4860", &id(i));
        let mut add = redis::cmd("XADD");
        add.arg(keys().incidents()).arg(format!("{}-0", i + 1)).arg("event").arg("opened");
        add.arg("incident").arg(id(i)).arg("alert").arg(alert).exec(&mut connection).unwrap();
    }
    let address = Address::parse(&server.url()).unwrap();
    let request = |i: u64| Request { incident: id(i), word: Word::Snooze(60_000), by: format!("p{i}"), monitor: None };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let people: Vec<_> = (0..6)
            .map(|i| {
                let (address, request) = (address.clone(), request(i));
                tokio::spawn(async move { give(&mut address.connect().await.unwrap().0, &request).await.unwrap() })
            })
            .collect();
        for person in people {
            assert_eq!(person.await.unwrap().monitor, "checkout");
        }
        let (mut connection, _pushes) = address.connect().await.unwrap();
        let all = list(&mut connection, Some(&Companions::of(b"checkout").unwrap())).await.unwrap();
        assert_eq!(all[0].1.len(), 6);
        for i in 6..64 {
            give(&mut connection, &request(i)).await.unwrap();
        }
        assert!(matches!(give(&mut connection, &request(64)).await, Err(FeedbackError::Full(_))));
    });
    assert_eq!(stream(&mut connection, AUDIT.into()).len(), 64);
}

#[test]
fn an_alert_shows_the_markers_before_it() {
    let (server, mut connection) = start();
    // The burst begins 100 s after 1,700,000,000.
    for (second, text) in [(1_699_990_000_u64, "long ago"), (1_700_000_060, "pay v1.2.3")] {
        let id = format!("{second}000-0");
        redis::cmd("XADD").arg(MARKERS).arg(id).arg("text").arg(text).exec(&mut connection).unwrap();
    }
    let told = eddyline(&server, &["mark", "cart v7", "--monitor", "checkout"]).unwrap();
    assert!(told.starts_with("marked as "), "{told}");
    let last = stream(&mut connection, MARKERS.into()).pop().unwrap().1;
    assert_eq!((last["text"].as_str(), last["monitor"].as_str()), ("cart v7", "checkout"));
    let worker = Worker::start(&server);
    live(&mut connection, 1..150);
    worker.stop();
    for (_, alert) in incidents(&mut connection) {
        let texts: Vec<&str> = alert.markers.iter().map(|marker| marker.text.as_str()).collect();
        assert_eq!(texts, ["pay v1.2.3"]);
        assert_eq!(alert.markers[0].at, "2023-11-14T22:14:20Z");
    }
    assert!(!incidents(&mut connection).is_empty());
}
