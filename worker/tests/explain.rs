//! `eddyline explain`: the worker's own judgement of a window, told again with its reasons, and nothing changed.

mod plain;

use eddyline_testkit::Server;
use plain::{MONITOR, Worker, id, keys, schema, wait_for_score, write_fingerprints, write_schema};
use redis::Connection;
use serde_json::Value as Json;
use std::process::{Command, Output};

fn explain(server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
    command.args(["explain", "--redis", &server.url(), MONITOR]).args(args).output().unwrap()
}

fn answer(server: &Server, window: &str) -> Json {
    let output = explain(server, &[window, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn text(server: &Server, window: &str) -> String {
    let output = explain(server, &[window]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(server: &Server, window: &str) -> String {
    let output = explain(server, &[window]);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn codes(answer: &Json) -> Vec<&str> {
    answer["why"].as_array().unwrap().iter().map(|why| why["code"].as_str().unwrap()).collect()
}

/// 239 windows that a worker scored and left, with a checkpoint after the last; bursts from 100 and from 200.
fn scored() -> (Server, Connection) {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..240, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut connection, 239);
    worker.stop();
    (server, connection)
}

#[test]
fn a_window_is_judged_again_as_it_was_and_every_reason_is_told() {
    let (server, mut connection) = scored();
    let digest =
        |connection: &mut Connection| -> String { redis::cmd("DEBUG").arg("DIGEST").query(connection).unwrap() };
    let before = digest(&mut connection);
    for window in [30, 150, 200, 202, 239] {
        let answer = answer(&server, &id(window));
        assert_eq!(answer["recorded"], answer["judged"], "window {window}");
        assert_eq!(answer["window"]["id"], id(window));
    }
    assert_eq!(codes(&answer(&server, &id(30))), ["warming"]);
    let ordinary = answer(&server, &id(150));
    assert_eq!((codes(&ordinary), ordinary["basis"]["windows"].as_u64()), (vec!["below_line"], Some(149)));
    assert_eq!(ordinary["recent"].as_array().unwrap().len(), 60);
    assert!(ordinary["basis"]["without_checkpoint"].as_str().unwrap().contains("after the window"), "{ordinary}");

    let burst = answer(&server, &id(200));
    assert_eq!(codes(&burst), ["alerted"]);
    assert_eq!(burst["alerts"][0]["event"], "opened");
    assert_eq!(burst["judged"]["incident"], burst["alerts"][0]["incident"]);
    assert!(burst["judged"]["p"].as_f64().unwrap() <= burst["p_alert"].as_f64().unwrap());
    let features = burst["features"].as_array().unwrap();
    assert!(features.len() > 1, "{features:?}");
    let shares: Vec<f64> = features.iter().map(|feature| feature["share"].as_f64().unwrap()).collect();
    assert!(shares.iter().sum::<f64>() < 1.001, "{shares:?}");
    let service = features.iter().find(|feature| feature["feature"] == "service").unwrap();
    assert!(service["observed"].as_f64().unwrap() > 5.0 * service["expected"].as_f64().unwrap(), "{service}");
    assert_eq!((&service["direction"], &service["items"][0]["item"]), (&"up".into(), &"pay".into()));
    assert_eq!(digest(&mut connection), before);
}

#[test]
fn a_window_after_the_checkpoint_is_judged_from_there_whether_it_was_scored_or_not() {
    let (server, mut connection) = scored();
    write_fingerprints(&mut connection, 240..250, 1);
    let answer = answer(&server, "last");
    assert_eq!(answer["window"]["id"], id(249));
    assert_eq!((codes(&answer), &answer["recorded"]), (vec!["not_scored", "below_line"], &Json::Null));
    assert_eq!(answer["basis"]["checkpoint"], id(239));
    assert_eq!(answer["basis"]["windows"], 9);
    // Of what a worker learnt here only its checkpoint is left.
    redis::cmd("XTRIM").arg(keys().fingerprints()).arg("MINID").arg(id(240)).exec(&mut connection).unwrap();
    let trimmed = self::answer(&server, "last");
    assert_eq!((&trimmed["judged"], &trimmed["features"]), (&answer["judged"], &answer["features"]));
    redis::cmd("DEL").arg(keys().model()).exec(&mut connection).unwrap();
    assert_eq!(codes(&self::answer(&server, "last")), ["not_scored", "warming"]);
}

#[test]
fn a_person_reads_the_scores_as_a_picture_and_the_features_as_a_table() {
    let (server, _connection) = scored();
    let told = text(&server, &id(200));
    let picture = told.lines().find(|line| line.contains('▁')).unwrap_or_else(|| panic!("{told}"));
    assert!(picture.trim().chars().count() == 60 && picture.ends_with(['▅', '▆', '▇', '█']), "{told}");
    for words in
        ["alerted: incident", "the alert line is at p", "share  feature", "service pay", "[pay ", "checkout: window"]
    {
        assert!(told.contains(words), "{words:?} isn't in\n{told}");
    }
    // The history of 200 windows can't say that a window is rarer than once in ten times as much.
    assert!(told.contains("such windows come less than once in 33 minutes"), "{told}");
    assert!(text(&server, &id(30)).contains("no alerts before it knows all"));
}

#[test]
fn a_window_is_found_by_a_time_in_it_and_one_that_is_not_there_is_refused_with_its_neighbours() {
    let (server, mut connection) = scored();
    let at = |window: u64, ms: i64| {
        let end: i64 = id(window).split('-').next().unwrap().parse().unwrap();
        eddyline_wire::alert::rfc3339(u64::try_from(end + ms).unwrap())
    };
    assert_eq!(answer(&server, &at(150, -1000))["window"]["id"], id(150));
    assert_eq!(answer(&server, &at(150, -1))["window"]["id"], id(150));
    redis::cmd("XDEL").arg(keys().fingerprints()).arg(id(149)).exec(&mut connection).unwrap();
    let next = refused(&server, &at(149, -500));
    assert!(next.contains("no window holds") && next.contains(&id(150)), "{next}");
    let nearest = refused(&server, &id(149));
    assert!(nearest.contains(&id(148)) && nearest.contains(&id(150)), "{nearest}");
    assert!(refused(&server, &at(300, 0)).contains("no window ends after"));
    assert!(refused(&server, "yesterday").contains("a time (2026-11-20T09:30:02Z)"));
    redis::cmd("DEL").arg(keys().fingerprints()).exec(&mut connection).unwrap();
    assert!(refused(&server, "last").contains("has no fingerprints"));
}

#[test]
fn the_settings_file_decides_what_is_chosen_where_it_is_given() {
    let (server, _connection) = scored();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[monitor.\"check*\"]\nmin_history = 1000\n").unwrap();
    let output = explain(&server, &[&id(200), "--json", "--config", file.path().to_str().unwrap()]);
    let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(codes(&answer), ["alerted", "warming"]);
    std::fs::write(file.path(), "min_history = true\n").unwrap();
    let output = explain(&server, &[&id(200), "--config", file.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("min_history"), "{told}");
}

#[test]
fn a_window_that_cannot_be_read_says_why() {
    let (server, mut connection) = scored();
    redis::cmd("XADD").arg(keys().fingerprints()).arg(id(240)).arg("v").arg("x").exec(&mut connection).unwrap();
    let answer = answer(&server, "last");
    assert_eq!(codes(&answer), ["not_scored", "unreadable"]);
    assert!(answer["features"].as_array().unwrap().is_empty());
}
