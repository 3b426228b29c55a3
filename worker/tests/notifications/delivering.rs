//! What sinks get, whatever they answer.

use crate::stage::{Incidents, Notifying, Recorder, SOON, plan, quick};
use eddyline_testkit::{Server, eventually, eventually_some};
use eddyline_wire::keys::service;
use eddyline_wire::notification::{News, Notification};
use eddyline_worker::sinks::SinkError;
use redis::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn later(why: &str) -> SinkError {
    SinkError::Later { why: why.to_owned(), after: None }
}

fn delivered(connection: &mut Connection, sink: &str) -> Option<String> {
    redis::cmd("HGET").arg(service::DELIVERED).arg(sink).query(connection).unwrap()
}

#[test]
fn a_sink_that_fails_gets_it_in_order_when_it_works_and_holds_up_no_other() {
    let server = Server::plain().start().unwrap();
    let mut incidents = Incidents::on(&server);
    let (good, bad): (Arc<Recorder>, Arc<Recorder>) = Default::default();
    // Full jitter makes eight tries within 30 s unlikely.
    bad.fails((0..3).map(|i| later(&format!("try {i}"))));
    let sinks = [("good", &good), ("bad", &bad)];
    let _notifying = Notifying::start(&server.url(), "a", &["pay", "mail"], plan(quick(), &sinks));
    incidents.open("pay", 1);
    incidents.open("mail", 1);
    eventually(SOON, || good.got.lock().unwrap().last().is_some_and(|told| told.incidents == 2));
    eventually(SOON, || bad.got.lock().unwrap().last().is_some_and(|told| told.incidents == 2));
    assert_eq!(bad.ids(), incidents.told_ids());
    assert!(incidents.dead_letters().is_empty());
}

#[test]
fn a_sink_that_panics_has_failed_and_is_tried_again_while_everything_else_goes_on() {
    let server = Server::plain().start().unwrap();
    let mut incidents = Incidents::on(&server);
    let (good, bad): (Arc<Recorder>, Arc<Recorder>) = Default::default();
    *bad.panics.lock().unwrap() = 2;
    let sinks = [("good", &good), ("bad", &bad)];
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &sinks));
    eventually(SOON, || delivered(&mut incidents.connection, "bad").is_some());
    let lease = |connection: &mut Connection| -> Option<String> {
        redis::cmd("GET").arg(service::NOTIFIER_LEASE).query(connection).unwrap()
    };
    let before = lease(&mut incidents.connection);
    incidents.open("pay", 1);
    Incidents::until(&good, &["pay-1-0"]);
    Incidents::until(&bad, &["pay-1-0"]);
    assert_eq!((*bad.asked.lock().unwrap(), *good.asked.lock().unwrap()), (3, 1));
    assert_eq!(lease(&mut incidents.connection), before, "nobody had to begin anew");
}

#[test]
fn a_change_of_one_sink_leaves_what_is_under_way_at_another_alone() {
    let server = Server::plain().start().unwrap();
    let mut incidents = Incidents::on(&server);
    let (slow, other): (Arc<Recorder>, Arc<Recorder>) = Default::default();
    let notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("slow", &slow)]));
    eventually(SOON, || delivered(&mut incidents.connection, "slow").is_some());
    // Longer than is waited for who has to stop.
    *slow.takes.lock().unwrap() = Duration::from_secs(4);
    incidents.open("pay", 1);
    eventually(SOON, || *slow.asked.lock().unwrap() == 1);
    notifying.plan.send_replace(Arc::new(plan(quick(), &[("other", &other), ("slow", &slow)])));
    Incidents::until(&other, &["pay-1-0"]);
    Incidents::until(&slow, &["pay-1-0"]);
    assert_eq!(*slow.asked.lock().unwrap(), 1, "it was sent once");
}

#[test]
fn what_a_receiver_asks_to_wait_is_waited() {
    let server = Server::plain().start().unwrap();
    let (mut incidents, recorder): (_, Arc<Recorder>) = (Incidents::on(&server), Arc::default());
    recorder.fails([SinkError::Later { why: "429".to_owned(), after: Some(Duration::from_millis(2500)) }]);
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    let began = Instant::now();
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
    assert!(began.elapsed() >= Duration::from_millis(2500), "{:?}", began.elapsed());
}

#[test]
fn what_is_refused_for_good_is_a_dead_letter_at_once() {
    let server = Server::plain().start().unwrap();
    let (mut incidents, recorder): (_, Arc<Recorder>) = (Incidents::on(&server), Arc::default());
    recorder.fails([SinkError::Never("400 no such channel".to_owned())]);
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    incidents.open("pay", 1);
    let letter = eventually_some(SOON, || incidents.dead_letters().pop());
    assert_eq!((letter["sink"].as_str(), letter["attempts"].as_str()), ("hook", "1"));
    assert_eq!((letter["id"].as_str(), letter["error"].as_str()), ("pay-1-0", "400 no such channel"));
    let notification: Notification = serde_json::from_str(&letter["notification"]).unwrap();
    assert_eq!(notification, incidents.told()[0]);
    incidents.resolve("pay", 1);
    Incidents::until(&recorder, &["pay-1-1"]);
    assert_eq!(incidents.dead_letters().len(), 1);
}

#[test]
fn what_is_not_taken_in_time_is_given_up_after_some_attempts() {
    let server = Server::plain().start().unwrap();
    let (mut incidents, recorder): (_, Arc<Recorder>) = (Incidents::on(&server), Arc::default());
    recorder.fails((0..100).map(|_| later("connection refused")));
    let mut settings = quick();
    settings.give_up_after = Duration::from_millis(1);
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(settings, &[("hook", &recorder)]));
    incidents.open("pay", 1);
    let letter = eventually_some(SOON, || incidents.dead_letters().pop());
    assert_eq!((letter["attempts"].as_str(), letter["error"].as_str()), ("3", "connection refused"));
}

#[test]
fn a_new_sink_hears_of_what_is_open_and_one_that_is_gone_is_forgotten() {
    let server = Server::plain().start().unwrap();
    let mut incidents = Incidents::on(&server);
    let (first, second): (Arc<Recorder>, Arc<Recorder>) = Default::default();
    let notifying = Notifying::start(&server.url(), "a", &["pay", "mail"], plan(quick(), &[("first", &first)]));
    incidents.open("pay", 1);
    Incidents::until(&first, &["pay-1-0"]);
    incidents.resolve("pay", 1);
    Incidents::until(&first, &["pay-1-0", "pay-1-1"]);
    incidents.open("mail", 1);
    Incidents::until(&first, &["pay-1-0", "pay-1-1", "mail-1-0"]);

    notifying.plan.send_replace(Arc::new(plan(quick(), &[("second", &second)])));
    Incidents::until(&second, &["mail-1-0"]);
    eventually(SOON, || delivered(&mut incidents.connection, "second").is_some());
    assert_eq!(delivered(&mut incidents.connection, "first"), None);
    incidents.resolve("mail", 1);
    Incidents::until(&second, &["mail-1-0", "mail-1-1"]);

    // Back again, it isn't told what it missed.
    notifying.plan.send_replace(Arc::new(plan(quick(), &[("first", &first), ("second", &second)])));
    eventually(SOON, || delivered(&mut incidents.connection, "first").is_some());
    incidents.open("pay", 2);
    Incidents::until(&first, &["pay-1-0", "pay-1-1", "mail-1-0", "pay-2-0"]);
}

#[test]
fn what_waits_for_a_sink_waits_through_restarts() {
    let server = Server::plain().start().unwrap();
    let (mut incidents, recorder): (_, Arc<Recorder>) = (Incidents::on(&server), Arc::default());
    recorder.fails((0..1000).map(|_| later("connection refused")));
    let start = || Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    let first = start();
    incidents.open("pay", 1);
    eventually(SOON, || recorder.errors.lock().unwrap().len() < 1000);
    let stopping = Instant::now();
    first.stop();
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    incidents.resolve("pay", 1);
    recorder.errors.lock().unwrap().clear();
    let _second = start();
    Incidents::until(&recorder, &["pay-1-0", "pay-1-1"]);
}

#[test]
fn a_receiver_that_forgets_is_told_again_until_the_end() {
    let server = Server::plain().start().unwrap();
    let mut incidents = Incidents::on(&server);
    let recorder = Arc::new(Recorder { repeats: Some(Duration::from_millis(100)), ..Recorder::default() });
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("alerts", &recorder)]));
    incidents.open("pay", 1);
    eventually(SOON, || recorder.ids().iter().filter(|id| *id == "pay-1-0").count() >= 4);
    incidents.resolve("pay", 1);
    let ended = |recorder: &Recorder| recorder.got.lock().unwrap().last().unwrap().news == News::Resolved;
    eventually(SOON, || ended(&recorder));
    std::thread::sleep(Duration::from_millis(500));
    assert!(ended(&recorder), "what is over isn't told again: {:?}", recorder.ids());
}

#[test]
fn an_entry_that_is_no_notification_is_a_dead_letter() {
    let server = Server::plain().start().unwrap();
    let (mut incidents, recorder): (_, Arc<Recorder>) = (Incidents::on(&server), Arc::default());
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    eventually(SOON, || delivered(&mut incidents.connection, "hook").is_some());
    let mut add = redis::cmd("XADD");
    add.arg(service::NOTIFICATIONS).arg("*").arg("notification").arg("{}").exec(&mut incidents.connection).unwrap();
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
    let letters = incidents.dead_letters();
    assert_eq!((letters.len(), letters[0]["notification"].as_str()), (1, "{}"));
    assert!(letters[0]["error"].contains("missing field"), "{letters:?}");
}
