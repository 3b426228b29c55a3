//! What is new, as it comes: nothing is missing and nothing out of order, however often a connection is cut.

use crate::client::{Event, Gateway, Listener, worker};
use crate::plain::{
    self, MONITOR, SOON, Worker, fingerprint, schema, wait_for_score, write_fingerprints, write_schema,
};
use eddyline_testkit::{Server, eventually};
use eddyline_wire::keys::Companions;
use eddyline_worker::gateway::reading::live::stream::LISTENERS;
use redis::Connection;
use std::collections::BTreeMap;
use std::ops::Range;

/// Vectors of a monitor of this name, `period_ms` apart.
fn vectors(connection: &mut Connection, name: &str, windows: Range<u64>, period_ms: u64) {
    let keys = Companions::of(name.as_bytes()).unwrap();
    let mut pipe = redis::pipe();
    for i in windows {
        let id = format!("{}-0", 1_700_000_000_000 + i * period_ms);
        pipe.cmd("XADD").arg(keys.fingerprints()).arg(id).arg("load").arg(plain::random(i) % 100);
    }
    pipe.cmd("PUBLISH").arg(eddyline_wire::keys::CLOSED).arg(name);
    pipe.exec(connection).unwrap();
}

/// Ids of all scores of a monitor.
fn scores(connection: &mut Connection, name: &str) -> Vec<String> {
    let keys = Companions::of(name.as_bytes()).unwrap();
    let entries: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg(keys.scores()).arg("-").arg("+").query(connection).unwrap();
    entries.into_iter().map(|(id, _)| id).collect()
}

/// What was heard of each monitor, in the order in which it was heard, repetitions left out.
#[derive(Default)]
struct Heard(BTreeMap<(String, String), Vec<String>>);

impl Heard {
    /// Says whether it is new.
    fn hear(&mut self, event: &Event) -> bool {
        let (kind, monitor, id) = event.what();
        let known = self.0.entry((kind, monitor)).or_default();
        let is_new = !known.contains(&id);
        if is_new {
            known.push(id);
        }
        is_new
    }

    fn of(&self, kind: &str, monitor: &str) -> &[String] {
        self.0.get(&(kind.to_owned(), monitor.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// Listens until this window of the monitor was heard of.
fn until(listener: &mut Listener, heard: &mut Heard, monitor: &str, id: &str) {
    loop {
        let event = listener.next();
        heard.hear(&event);
        if event.what() == ("score".to_owned(), monitor.to_owned(), id.to_owned()) {
            return;
        }
    }
}

#[test]
fn scores_and_alerts_come_as_they_are_written() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    let _worker = Worker::start(&server);
    write_fingerprints(&mut connection, 0..90, 1);
    wait_for_score(&mut connection, 89);
    let gateway = Gateway::start(&server);
    let mut listener = gateway.listen("/v1/stream", None);
    assert_eq!(listener.last_id, Some(fingerprint(89, 1).end_ms + 1), "where it begins");
    write_fingerprints(&mut connection, 90..120, 1);
    let mut heard = Heard::default();
    until(&mut listener, &mut heard, MONITOR, &plain::id(119));
    let expected: Vec<String> = (90..120).map(plain::id).collect();
    assert_eq!(heard.of("score", MONITOR), expected);
    let alerts: Vec<String> = plain::incidents(&mut connection).into_iter().map(|(id, _)| id).collect();
    let alerts: Vec<String> = alerts.into_iter().filter(|id| *id > plain::id(89)).collect();
    eventually(SOON, || {
        let more = heard.of("alert", MONITOR).len() < alerts.len();
        if more {
            heard.hear(&listener.next());
        }
        !more
    });
    assert_eq!(heard.of("alert", MONITOR), alerts);
    assert!(!alerts.is_empty());
}

/// Messages about incidents of the monitor `loud`, of 30 kB each.
fn alerts(connection: &mut Connection, numbers: Range<u64>) {
    let keys = Companions::of(b"loud").unwrap();
    let mut alert: serde_json::Value =
        serde_json::from_str(include_str!("../../../crates/wire/fixtures/alert.json")).unwrap();
    (alert["monitor"], alert["summary"]) = ("loud".into(), "loud ".repeat(6000).into());
    for i in numbers {
        let id = format!("{}-0", 1_700_000_000_000 + i * 1000);
        alert["entry"] = id.as_str().into();
        let fields = [("incident", "5b1f2c9a7e3d4860"), ("alert", &alert.to_string())];
        redis::cmd("XADD").arg(keys.incidents()).arg(id).arg(&fields).exec(connection).unwrap();
    }
    redis::cmd("PUBLISH").arg(eddyline_wire::keys::CLOSED).arg("loud").exec(connection).unwrap();
}

#[test]
fn a_listener_that_takes_nothing_keeps_no_other_waiting() {
    // More than the kernel and the gateway keep for one listener.
    const MANY: u64 = 800;
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    vectors(&mut connection, "loud", 0..1, 1000);
    let gateway = Gateway::start(&server);
    let _idle = gateway.listen("/v1/stream", None);
    let mut listener = gateway.listen("/v1/stream", None);
    for from in (0..MANY).step_by(100) {
        alerts(&mut connection, from + 1..from + 101);
        for i in from + 1..from + 101 {
            let event = listener.next();
            assert_eq!(event.what().2, format!("{}-0", 1_700_000_000_000 + i * 1000));
        }
    }
}

#[test]
fn more_listeners_than_there_may_be_are_refused_until_one_is_gone() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::start(&server);
    let mut listeners: Vec<Listener> = (0..LISTENERS).map(|_| gateway.listen("/v1/stream", None)).collect();
    let (status, problem) = gateway.ask("GET", "/v1/stream", None);
    assert_eq!((status, problem["code"].as_str()), (429, Some("busy")), "{problem}");
    assert_eq!(problem["message"], "200 others listen already; try again");
    assert_eq!(gateway.get("/v1/monitors").0, 200, "others are served");
    drop(listeners.pop());
    eventually(SOON, || gateway.status("/v1/stream") == 200);
}

#[test]
fn connections_that_are_cut_again_and_again_miss_nothing() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let names = ["fast", "slow", "late"];
    for (name, period_ms) in [("fast", 1000), ("slow", 7000), ("late", 1000)] {
        let keys = Companions::of(name.as_bytes()).unwrap();
        redis::cmd("HSET").arg(keys.settings()).arg("period_ms").arg(period_ms).exec(&mut connection).unwrap();
        vectors(&mut connection, name, 1..2, period_ms);
    }
    let _worker = worker(&server);
    for name in names {
        eventually(SOON, || scores(&mut connection, name).len() == 1);
    }
    let gateway = Gateway::start(&server);
    let (mut heard, mut repeated, mut ids) = (Heard::default(), 0, Vec::new());
    let mut listener = gateway.listen("/v1/stream", None);
    for round in 0..12_u64 {
        vectors(&mut connection, "fast", 2 + round * 7..9 + round * 7, 1000);
        vectors(&mut connection, "slow", 2 + round..3 + round, 7000);
        // Half a minute behind the others.
        if round >= 4 {
            vectors(&mut connection, "late", 2 + (round - 4) * 7..9 + (round - 4) * 7, 1000);
        }
        // Cut somewhere in the middle of what comes, and taken up again.
        for _ in 0..=plain::random(round) % 7 {
            let event = listener.next();
            repeated += u64::from(!heard.hear(&event));
            ids.push(event.id);
        }
        let last = listener.last_id;
        drop(listener);
        listener = gateway.listen("/v1/stream", last);
    }
    let count = |heard: &Heard| names.iter().map(|name| heard.of("score", name).len()).sum::<usize>();
    // All but the first of each, which were there before.
    while count(&heard) < 12 * 7 + 12 + 8 * 7 {
        let event = listener.next();
        repeated += u64::from(!heard.hear(&event));
        ids.push(event.id);
    }
    for name in names {
        assert_eq!(heard.of("score", name), &scores(&mut connection, name)[1..], "{name}");
    }
    assert!(ids.is_sorted(), "who comes back says where it was: {ids:?}");
    assert!(repeated < 12 * 20, "{repeated} events came twice");
}

#[test]
fn after_a_restart_of_the_gateway_what_was_missed_is_read_from_the_streams() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    let _worker = Worker::start(&server);
    write_fingerprints(&mut connection, 0..100, 1);
    wait_for_score(&mut connection, 99);
    let gateway = Gateway::start(&server);
    let path = format!("/v1/stream?monitor={MONITOR}");
    let mut listener = gateway.listen(&path, None);
    let mut heard = Heard::default();
    write_fingerprints(&mut connection, 100..110, 1);
    until(&mut listener, &mut heard, MONITOR, &plain::id(104));
    let last = listener.last_id;
    drop(gateway);
    write_fingerprints(&mut connection, 110..130, 1);
    wait_for_score(&mut connection, 129);
    let gateway = Gateway::start(&server);
    let mut listener = gateway.listen(&path, last);
    // Some of it a second time, since windows of others may have come late.
    let mut again = Heard::default();
    until(&mut listener, &mut again, MONITOR, &plain::id(129));
    let expected: Vec<String> = (94..130).map(plain::id).collect();
    assert_eq!(again.of("score", MONITOR), expected);
    write_fingerprints(&mut connection, 130..132, 1);
    until(&mut listener, &mut again, MONITOR, &plain::id(131));
    let alerts: Vec<String> = plain::incidents(&mut connection).into_iter().map(|(id, _)| id).collect();
    let known: Vec<&String> = alerts.iter().filter(|id| again.of("alert", MONITOR).contains(id)).collect();
    assert!(known.len() >= alerts.iter().filter(|id| **id >= plain::id(94)).count(), "{known:?} of {alerts:?}");
}

#[test]
fn a_monitor_that_is_made_while_somebody_listens_is_heard_of() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let _worker = worker(&server);
    let gateway = Gateway::start(&server);
    let mut listener = gateway.listen("/v1/stream", None);
    let keys = Companions::of(b"new").unwrap();
    redis::cmd("HSET").arg(keys.settings()).arg("period_ms").arg(1000).exec(&mut connection).unwrap();
    vectors(&mut connection, "new", 1..6, 1000);
    let mut heard = Heard::default();
    until(&mut listener, &mut heard, "new", "1700000005000-0");
    assert_eq!(heard.of("score", "new"), scores(&mut connection, "new"));
}
