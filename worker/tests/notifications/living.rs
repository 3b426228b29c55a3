//! A notifier on a real server, and what the next one makes of what it leaves.

use crate::stage::{Incidents, Notifying, SOON, plan, quick};
use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::{Event, Severity};
use eddyline_wire::keys::{Companions, service};
use eddyline_wire::notification::News;
use eddyline_worker::notify::settings::{NotifySettings, Openings};
use eddyline_worker::notify::state::State;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn server() -> Server {
    Server::plain().start().unwrap()
}

#[test]
fn an_incident_is_told_when_it_opens_and_when_it_has_been_over_for_a_while() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
    incidents.resolve("pay", 1);
    Incidents::until(&recorder, &["pay-1-0", "pay-1-1"]);
    assert_eq!(*recorder.got.lock().unwrap(), incidents.told());
    let last = recorder.got.lock().unwrap()[1].clone();
    assert_eq!((last.news, last.deployment.as_str(), last.open), (News::Resolved, "test", 0));
    notifying.stop();
    let lease: bool = redis::cmd("EXISTS").arg(service::NOTIFIER_LEASE).query(&mut incidents.connection).unwrap();
    assert!(!lease, "who stops gives the lease back");
}

#[test]
fn what_the_budget_holds_back_is_counted_when_it_opens() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let settings = NotifySettings { budget: Openings::AtMost(0.001), ..quick() };
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(settings, &[("hook", &recorder)]));
    incidents.open("pay", 1);
    eventually(SOON, || {
        let state: Option<Vec<u8>> = redis::cmd("GET").arg(service::NOTIFIER).query(&mut incidents.connection).unwrap();
        let untold = state.map(|state| State::decode(&state).unwrap().untold);
        untold.is_some_and(|untold| untold.incidents == 1 && untold.monitor == "pay")
    });
    assert_eq!(recorder.ids(), [""; 0]);
}

#[test]
fn a_message_that_nobody_heard_is_found_by_the_sweep() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    incidents.is_silent = true;
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    // The first sweep is over when the monitor is known.
    eventually(SOON, || {
        let state: Option<String> = redis::cmd("GET").arg(service::NOTIFIER).query(&mut incidents.connection).unwrap();
        state.is_some_and(|state| state.contains(r#""pay":"0-0""#))
    });
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
}

#[test]
fn the_first_notifier_ever_tells_what_is_open_and_no_old_news() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    for nth in 1..20 {
        incidents.open("old", nth);
        incidents.resolve("old", nth);
    }
    incidents.open("pay", 1);
    incidents.resolve("pay", 1);
    incidents.open("pay", 2);
    incidents.write("pay", 2, Event::Updated, Severity::Critical);
    let _notifying = Notifying::start(&server.url(), "a", &["old", "pay"], plan(quick(), &[("hook", &recorder)]));
    Incidents::until(&recorder, &["pay-2-0"]);
    incidents.open("old", 20);
    Incidents::until(&recorder, &["pay-2-0", "pay-2-1"]);
    let got = recorder.got.lock().unwrap();
    assert_eq!((got[0].news, got[0].severity, got[0].incidents), (News::Opened, Severity::Critical, 1));
    assert_eq!((got[1].news, got[1].incidents), (News::Joined, 2));
}

#[test]
fn a_dead_notifiers_work_goes_on_within_five_seconds_with_nothing_told_twice() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let names = ["pay", "mail"];
    let first = Notifying::start(&server.url(), "a", &names, plan(quick(), &[("hook", &recorder)]));
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
    let second = Notifying::start(&server.url(), "b", &names, plan(quick(), &[("hook", &recorder)]));
    sleep(Duration::from_millis(300));
    first.kill();
    let died = Instant::now();
    incidents.open("mail", 1);
    Incidents::until(&recorder, &["pay-1-0", "pay-1-1"]);
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    incidents.resolve("pay", 1);
    incidents.resolve("mail", 1);
    eventually(SOON, || recorder.got.lock().unwrap().last().unwrap().news == News::Resolved);
    second.stop();
    assert_eq!(recorder.ids(), incidents.told_ids());
    let last = recorder.got.lock().unwrap().last().unwrap().clone();
    assert_eq!((last.group.as_str(), last.incidents, last.open), ("pay-1", 2, 0));
}

#[test]
fn whoever_has_the_lease_each_incident_is_told_once() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let monitors: Vec<String> = (0..40).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = monitors.iter().map(String::as_str).collect();
    let mut settings = quick();
    // Each incident is a group of its own.
    settings.group_window = Duration::ZERO;
    let workers = ["a", "b", "c"]
        .map(|worker| Notifying::start(&server.url(), worker, &names, plan(settings.clone(), &[("hook", &recorder)])));
    for (i, name) in names.iter().enumerate() {
        incidents.open(name, 1);
        if i % 4 == 3 {
            // Nobody knows that the lease is gone.
            redis::cmd("DEL").arg(service::NOTIFIER_LEASE).exec(&mut incidents.connection).unwrap();
        }
        sleep(Duration::from_millis(20));
    }
    names.iter().for_each(|name| incidents.resolve(name, 1));
    let resolved = |incidents: &mut Incidents| {
        incidents.told().iter().filter(|told| told.news == News::Resolved).map(|told| told.incidents).sum::<u64>()
    };
    eventually(SOON, || resolved(&mut incidents) >= 40);
    let told = incidents.told_ids();
    eventually(SOON, || recorder.ids().iter().collect::<BTreeSet<_>>().len() == told.len());
    workers.into_iter().for_each(Notifying::stop);
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len(), "{told:?}");
    assert_eq!(resolved(&mut incidents), 40);
    assert_eq!(incidents.told().iter().filter(|told| told.news == News::Opened).count() * 2, told.len());
}

#[test]
fn a_storm_of_two_hundred_monitors_is_three_messages() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let monitors: Vec<String> = (0..200).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = monitors.iter().map(String::as_str).collect();
    let _notifying = Notifying::start(&server.url(), "a", &names, plan(quick(), &[("hook", &recorder)]));
    names.iter().for_each(|name| incidents.open(name, 1));
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.open == 200));
    names.iter().for_each(|name| incidents.resolve(name, 1));
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.news == News::Resolved));
    let news: Vec<News> = recorder.got.lock().unwrap().iter().map(|told| told.news).collect();
    assert!(news.iter().filter(|news| **news != News::Changed).count() <= 3, "{news:?}");
    assert_eq!(recorder.got.lock().unwrap().last().unwrap().incidents, 200);
}

#[test]
fn a_lost_connection_loses_no_notification() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let _notifying = Notifying::start(&server.url(), "a", &["pay", "mail"], plan(quick(), &[("hook", &recorder)]));
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("SKIPME").arg("yes").exec(&mut incidents.connection).unwrap();
    incidents.open("mail", 1);
    Incidents::until(&recorder, &["pay-1-0", "pay-1-1"]);
}

#[test]
fn what_redis_refuses_is_told_when_it_does_no_more() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    eventually(SOON, || redis::cmd("EXISTS").arg(service::NOTIFIER).query::<bool>(&mut incidents.connection).unwrap());
    let mut wrong = redis::cmd("SET");
    wrong.arg(service::NOTIFICATIONS).arg("no stream").exec(&mut incidents.connection).unwrap();
    incidents.open("pay", 1);
    sleep(Duration::from_millis(500));
    assert!(recorder.ids().is_empty());
    redis::cmd("DEL").arg(service::NOTIFICATIONS).exec(&mut incidents.connection).unwrap();
    Incidents::until(&recorder, &["pay-1-0"]);
}

#[test]
fn a_monitor_that_was_deleted_or_renamed_meanwhile_holds_no_group_open() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let start = |names: &[&str]| Notifying::start(&server.url(), "a", names, plan(quick(), &[("hook", &recorder)]));
    let first = start(&["pay", "mail", "z"]);
    for name in ["pay", "mail", "z"] {
        incidents.open(name, 1);
    }
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.open == 3));
    first.stop();
    let key = |name: &str| Companions::of(name.as_bytes()).unwrap().incidents();
    redis::cmd("DEL").arg(key("pay")).exec(&mut incidents.connection).unwrap();
    redis::cmd("RENAME").arg(key("z")).arg(key("a")).exec(&mut incidents.connection).unwrap();
    let _second = start(&["a", "mail"]);
    eventually(SOON, || recorder.got.lock().unwrap().last().is_some_and(|told| told.open == 2));
    let last = recorder.got.lock().unwrap().last().unwrap().clone();
    let gone = last.alerts.iter().find(|alert| alert.monitor == "pay").unwrap();
    assert_eq!((gone.event, gone.reason.as_deref()), (Event::Resolved, Some("its incidents are no longer in Redis")));
    assert_eq!(last.incidents, 3, "a new name makes no new incident");
}

#[test]
fn a_state_that_cannot_be_read_is_made_anew() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    incidents.open("pay", 1);
    redis::cmd("SET").arg(service::NOTIFIER).arg("{\"v\":1").exec(&mut incidents.connection).unwrap();
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    Incidents::until(&recorder, &["pay-1-0"]);
}

#[test]
fn an_entry_that_is_no_alert_is_left_out_and_the_next_is_told() {
    let server = server();
    let (mut incidents, recorder) = (Incidents::on(&server), Arc::default());
    let key = Companions::of(b"pay").unwrap().incidents();
    redis::cmd("XADD").arg(key).arg("1-0").arg("alert").arg("nonsense").exec(&mut incidents.connection).unwrap();
    let _notifying = Notifying::start(&server.url(), "a", &["pay"], plan(quick(), &[("hook", &recorder)]));
    incidents.open("pay", 1);
    Incidents::until(&recorder, &["pay-1-0"]);
}
