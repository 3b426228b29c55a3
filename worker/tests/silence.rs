//! Vectors that stop coming: told once, by whichever worker is there, and over with the next vector.

mod plain;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::keys::{Companions, service};
use plain::{SOON, Worker, random};
use redis::Connection;
use std::collections::BTreeMap;

const NAME: &str = "web-1";
const PERIOD_MS: u64 = 1000;

fn keys() -> Companions {
    Companions::of(NAME.as_bytes()).unwrap()
}

fn now_ms(redis: &mut Connection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(redis).unwrap();
    seconds * 1000 + micros / 1000
}

/// Vector `i`: one of ten, in every run the same.
fn add(redis: &mut Connection, i: u64, end_ms: u64) {
    let noise = |x: u64| (random(x) % 1000) as f32 / 1000.0;
    redis::cmd("XADD")
        .arg(keys().fingerprints())
        .arg(format!("{end_ms}-0"))
        .arg(&["cpu", &noise(i % 10).to_string(), "mem", &noise(i % 10 + 10).to_string()])
        .exec(redis)
        .unwrap();
}

/// So many vectors, a period apart, the last of them now.
fn add_until_now(redis: &mut Connection, vectors: u64) {
    redis::cmd("HSET").arg(keys().settings()).arg(&["period_ms", &PERIOD_MS.to_string()]).exec(redis).unwrap();
    let now_ms = now_ms(redis);
    (0..vectors).rev().for_each(|ago| add(redis, ago, now_ms - ago * PERIOD_MS));
}

fn alerts(redis: &mut Connection) -> Vec<Alert> {
    let entries: Vec<(String, BTreeMap<String, String>)> = plain::stream(redis, keys().incidents());
    entries.iter().map(|(_, fields)| serde_json::from_str(&fields["alert"]).unwrap()).collect()
}

fn wait_for(redis: &mut Connection, messages: usize) -> Vec<Alert> {
    eventually(SOON, || alerts(redis).len() >= messages);
    alerts(redis)
}

fn events(alerts: &[Alert]) -> Vec<Event> {
    alerts.iter().map(|alert| alert.event).collect()
}

#[test]
fn vectors_that_stop_are_one_incident_until_they_arrive_again_also_for_the_next_worker() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    add_until_now(&mut redis, 120);
    let last_ms = now_ms(&mut redis);
    let worker = Worker::with(&server, &["--monitor", NAME]);
    let told = wait_for(&mut redis, 1);
    let silence = &told[0];
    assert!(now_ms(&mut redis) >= silence.since_ms + 3 * PERIOD_MS);
    assert!(silence.since_ms <= last_ms && silence.entry == format!("{}-1000", silence.since_ms), "{silence:?}");
    assert_eq!((silence.event, silence.causes[0].kind.as_str()), (Event::Opened, "silence"));
    assert_eq!(silence.summary, "silence: no vector for 3 s, usually one in 1 s");

    // Killed; the next one is at work before the vectors are back.
    drop(worker);
    redis::cmd("DEL").arg(keys().lease()).arg(service::WORKERS).exec(&mut redis).unwrap();
    let worker = Worker::with(&server, &["--monitor", NAME]);
    eventually(SOON, || redis::cmd("EXISTS").arg(keys().lease()).query(&mut redis).unwrap());
    let resolves = |redis: &mut Connection, messages: usize| {
        let end_ms = now_ms(redis);
        add(redis, 0, end_ms);
        let told = wait_for(redis, messages);
        let resolved = told.last().unwrap();
        assert_eq!((resolved.event, resolved.reason.as_deref()), (Event::Resolved, Some("vectors arrive again")));
        told
    };
    let told = resolves(&mut redis, 2);
    assert_eq!(events(&told), [Event::Opened, Event::Resolved]);
    assert_eq!(told[1].incident, told[0].incident);

    // The second time is found as fast.
    let told = wait_for(&mut redis, 3);
    assert_eq!(events(&told), [Event::Opened, Event::Resolved, Event::Opened]);
    assert_eq!(told[2].window_end_ms - told[2].since_ms, 3 * PERIOD_MS);
    assert_ne!(told[2].incident, told[0].incident);
    let told = resolves(&mut redis, 4);
    assert_eq!(told.len(), 4, "{told:?}");
    drop(worker);
}

#[test]
fn history_that_somebody_adds_is_not_silent() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    add_until_now(&mut redis, 0);
    let now_ms = now_ms(&mut redis);
    (0..120).rev().for_each(|ago| add(&mut redis, ago, now_ms - 3_600_000 - ago * PERIOD_MS));
    let _worker = Worker::with(&server, &["--monitor", NAME]);
    eventually(SOON, || {
        let scores: Vec<(String, BTreeMap<String, String>)> = plain::stream(&mut redis, keys().scores());
        scores.len() == 120
    });
    // Two sweeps later it has looked.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(alerts(&mut redis), []);
}

fn feedback(server: &Server, incident: &str, words: &[&str]) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eddyline"));
    command.args(["feedback", "--redis", &server.url(), "--by", "ann", incident]).args(words);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn silence_that_is_snoozed_ends_at_once_and_is_told_again_after_it_and_one_that_is_normal_is_not() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    add_until_now(&mut redis, 120);
    let _worker = Worker::with(&server, &["--monitor", NAME]);
    let told = wait_for(&mut redis, 1);
    feedback(&server, &told[0].incident, &["snooze", "6s"]);
    let told = wait_for(&mut redis, 2);
    assert_eq!((told[1].event, told[1].reason.as_deref()), (Event::Resolved, Some("snoozed by ann")));
    assert_eq!(told[1].incident, told[0].incident);
    let told = wait_for(&mut redis, 3);
    assert_eq!(events(&told), [Event::Opened, Event::Resolved, Event::Opened]);
    let snoozed_ms = told[1].window_end_ms;
    assert!(now_ms(&mut redis) >= snoozed_ms + 3_000, "not before it was over");

    feedback(&server, &told[2].incident, &["normal"]);
    let told = wait_for(&mut redis, 4);
    assert_eq!((told[3].event, told[3].reason.as_deref()), (Event::Resolved, Some("marked as normal by ann")));
    // The next silence is the like of it.
    let end_ms = now_ms(&mut redis);
    add(&mut redis, 0, end_ms);
    eventually(SOON, || now_ms(&mut redis) > end_ms + 6 * PERIOD_MS);
    assert_eq!(alerts(&mut redis).len(), 4);
}

#[test]
fn a_monitor_that_is_taken_out_of_service_resolves_its_incident_and_says_why() {
    let server = Server::plain().start().unwrap();
    let mut redis = server.connection().unwrap();
    add_until_now(&mut redis, 120);
    let _worker = Worker::with(&server, &[]);
    wait_for(&mut redis, 1);
    redis::cmd("DEL").arg(keys().settings()).exec(&mut redis).unwrap();
    let told = wait_for(&mut redis, 2);
    let reason = told[1].reason.clone().unwrap();
    assert_eq!((told[1].event, &told[1].incident), (Event::Resolved, &told[0].incident));
    assert!(reason.contains("period_ms"), "{reason}");
}
