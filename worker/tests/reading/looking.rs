//! Monitors, windows, items and incidents, as they stand in Redis.

use crate::client::{Gateway, worker};
use crate::plain::{self, MONITOR, SOON, Worker, schema, wait_for_score, write_fingerprints, write_schema};
use eddyline_testkit::{Server, eventually, eventually_some};
use redis::Connection;
use serde_json::Value as Json;
use std::process::{Command, Stdio};

fn command(connection: &mut Connection, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).exec(connection).unwrap();
}

fn ids(answer: &Json, list: &str) -> Vec<String> {
    answer[list].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

/// Windows on a plain server, scored, with a monitor of vectors for a frame.
fn scored(windows: u64) -> (Server, Connection, Worker) {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    // Without the module, whoever writes fingerprints says how far they are apart.
    command(&mut connection, &format!("HSET {{{MONITOR}}}:settings period_ms 1000 quiet_after 8"));
    write_schema(&mut connection, &schema(1));
    let worker = Worker::with(&server, &["--monitor", MONITOR]);
    write_fingerprints(&mut connection, 0..windows, 1);
    wait_for_score(&mut connection, windows - 1);
    (server, connection, worker)
}

#[test]
fn a_monitor_is_seen_at_a_glance_and_in_detail() {
    let (server, _connection, _worker) = scored(240);
    let gateway = Gateway::start(&server);
    let (status, all) = gateway.get("/v1/monitors");
    assert_eq!((status, all["next"].is_null()), (200, true));
    let monitor = &all["monitors"][0];
    assert_eq!((monitor["name"].as_str(), monitor["state"].as_str()), (Some(MONITOR), Some("ready")));
    assert_eq!(monitor["last"]["id"], plain::id(239));
    let recent = monitor["recent"].as_array().unwrap();
    assert_eq!(recent.len(), 60);
    assert_eq!((recent[0][0].as_u64(), recent[59][0].as_u64()), (Some(1_700_000_180_000), Some(1_700_000_239_000)));
    let n: u64 = plain::fingerprint(239, 1).n;
    assert_eq!(recent[59][2], n);
    let rate = monitor["rate_per_s"].as_f64().unwrap();
    assert!((150.0..600.0).contains(&rate), "{rate}");
    let (_, one) = gateway.get(&format!("/v1/monitors/{MONITOR}"));
    assert_eq!((&one["recent"], &one["state"]), (&monitor["recent"], &monitor["state"]));
    assert_eq!(one["settings"], serde_json::json!({"period_ms": "1000", "quiet_after": "8"}));
}

/// What the command tells.
fn explained(server: &Server, window: &str, args: &[&str]) -> Json {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
    let command = command.args(["explain", "--redis", &server.url(), MONITOR, window, "--json"]).args(args);
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_window_is_explained_as_the_command_does_by_the_same_settings() {
    let (server, _connection, worker) = scored(240);
    // It would write checkpoints in between.
    worker.stop();
    let settings = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(settings.path(), "[monitor.\"check*\"]\nbudget = 0.5\n").unwrap();
    let chosen = ["--config", settings.path().to_str().unwrap()];
    let mut lines = Vec::new();
    for args in [&[][..], &chosen] {
        let gateway = Gateway::with(&server, args);
        for window in ["last", &plain::id(150), &plain::id(200)] {
            let (status, told) = gateway.get(&format!("/v1/monitors/{MONITOR}/explain?window={window}"));
            assert_eq!((status, &told), (200, &explained(&server, window, args)), "{window} {args:?}");
            lines.push(told["p_alert"].as_f64().unwrap());
        }
    }
    assert!(lines[..3].iter().zip(&lines[3..]).all(|(without, with)| without > with), "{lines:?}");
}

#[test]
fn windows_are_told_page_by_page_without_gap_or_double() {
    let (server, _connection, _worker) = scored(240);
    let gateway = Gateway::start(&server);
    let all: Vec<String> = (0..240).map(plain::id).collect();
    for what in ["scores", "fingerprints"] {
        let path = format!("/v1/monitors/{MONITOR}/{what}");
        assert_eq!(ids(&gateway.get(&path).1, what), all[140..]);
        assert_eq!(ids(&gateway.get(&format!("{path}?limit=1000")).1, what), all);
        let (mut forward, mut after) = (Vec::new(), "0-0".to_owned());
        loop {
            let page = ids(&gateway.get(&format!("{path}?after={after}&limit=70")).1, what);
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            forward.extend(page);
        }
        assert_eq!(forward, all);
        let page = ids(&gateway.get(&format!("{path}?before={}&limit=3", all[10])).1, what);
        assert_eq!(page, all[7..10]);
        let between = format!("{path}?after={}&before={}", all[3], all[6]);
        assert_eq!(ids(&gateway.get(&between).1, what), all[4..6]);
    }
    let path = format!("/v1/monitors/{MONITOR}/fingerprints?limit=1&features=service[3],count,nothing");
    let window = &gateway.get(&path).1["fingerprints"][0];
    let expected = plain::fingerprint(239, 1);
    assert_eq!(window["values"]["service[3]"], f64::from(expected.values[4]));
    assert_eq!(
        (&window["values"]["count"], window["n"].as_u64()),
        (&Json::from(f64::from(expected.values[0])), Some(expected.n))
    );
    assert!(window["values"]["nothing"].is_null());
}

#[test]
fn incidents_are_told_the_last_one_first_with_all_that_was_said_of_them() {
    let (server, mut connection, _worker) = scored(640);
    let gateway = Gateway::start(&server);
    let expected = plain::incidents(&mut connection);
    let mut opened: Vec<(u64, String)> = Vec::new();
    for (_, alert) in &expected {
        let first = (alert.since_ms + alert.window_ms, alert.incident.clone());
        if !opened.contains(&first) {
            opened.push(first);
        }
    }
    opened.sort();
    opened.reverse();
    assert!(opened.len() >= 4, "{opened:?}");
    let told = |path: &str| {
        let (status, answer) = gateway.get(path);
        assert_eq!(status, 200, "{answer}");
        let one = |incident: &Json| {
            (incident["opened_ms"].as_u64().unwrap(), incident["incident"].as_str().unwrap().to_owned())
        };
        answer["incidents"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(told("/v1/incidents"), opened);
    assert_eq!(told("/v1/incidents?limit=2"), opened[..2]);
    assert_eq!(told(&format!("/v1/incidents?monitor={MONITOR}&limit=2&before={}", opened[1].0)), opened[2..4]);
    let (open, resolved) = (told("/v1/incidents?state=open"), told("/v1/incidents?state=resolved"));
    assert_eq!(open.len() + resolved.len(), opened.len());
    // What is over by now is told so, though only what came before was asked for.
    let before = gateway.get(&format!("/v1/incidents?limit=1&before={}", opened[0].0 + 1)).1;
    let last = expected.iter().rev().find(|(_, alert)| alert.incident == opened[0].1).unwrap();
    assert_eq!(before["incidents"][0]["event"], last.1.event.as_str());

    let id = &opened[1].1;
    let (_, one) = gateway.get(&format!("/v1/incidents/{id}"));
    let messages: Vec<Json> = expected
        .iter()
        .filter(|(_, alert)| alert.incident == *id)
        .map(|(_, alert)| serde_json::to_value(alert).unwrap())
        .collect();
    assert_eq!(one["messages"], Json::from(messages.clone()));
    let latest = messages.last().unwrap();
    assert_eq!(
        (one["incident"]["state"].as_str(), &one["incident"]["summary"]),
        (Some("resolved"), &latest["summary"])
    );
    assert_eq!(one["incident"]["resolved_ms"], latest["window_end_ms"]);
    let (_, explained) =
        gateway.get(&format!("/v1/monitors/{MONITOR}/explain?window={}", messages[0]["entry"].as_str().unwrap()));
    assert_eq!(explained["alerts"][0]["incident"], id.as_str());
    assert!(explained["features"].as_array().is_some_and(|features| !features.is_empty()), "{explained}");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, "HSET {vectors}:settings period_ms 60000");
    command(&mut connection, "SET {text}:scores hello");
    let gateway = Gateway::start(&server);
    for (path, status, code) in [
        ("/v1/monitors?limit=0", 400, "invalid_parameter"),
        ("/v1/monitors?limit=x", 400, "invalid_parameter"),
        ("/v1/monitors?page=2", 400, "invalid_parameter"),
        ("/v1/monitors/nobody", 404, "unknown_monitor"),
        ("/v1/monitors/%7Bx%7D", 400, "invalid_parameter"),
        ("/v1/monitors/%ff", 400, "invalid_parameter"),
        ("/v1/monitors/nobody/scores", 404, "unknown_monitor"),
        ("/v1/monitors/nobody/scores?after=yesterday", 400, "invalid_parameter"),
        ("/v1/monitors/nobody/fingerprints?features=", 400, "invalid_parameter"),
        ("/v1/monitors/nobody/top?dimension=service", 404, "unknown_monitor"),
        ("/v1/monitors/vectors/top?dimension=service", 404, "not_found"),
        ("/v1/monitors/vectors/top?dimension=service&k=33", 400, "invalid_parameter"),
        ("/v1/monitors/nobody/count?dimension=service", 400, "invalid_parameter"),
        ("/v1/monitors/nobody/quantiles?measure=ms&q=99", 400, "invalid_parameter"),
        ("/v1/monitors/vectors/explain?window=last", 404, "not_found"),
        ("/v1/monitors/vectors/explain?window=soon", 400, "invalid_parameter"),
        ("/v1/incidents?state=closed", 400, "invalid_parameter"),
        ("/v1/incidents/5b1f", 400, "invalid_parameter"),
        ("/v1/incidents/5b1f2c9a7e3d4860", 404, "unknown_incident"),
        ("/v1/stream?after=now", 400, "invalid_parameter"),
        ("/v1/nothing", 404, "unknown_path"),
    ] {
        assert_eq!(gateway.refused("GET", path, None), (status, code.to_owned()), "{path}");
    }
    let (first, last) = ("0-0", "18446744073709551615-18446744073709551615");
    assert_eq!(gateway.get("/v1/incidents?before=0").1["incidents"], serde_json::json!([]));
    assert_eq!(gateway.get(&format!("/v1/monitors/vectors/scores?before={first}")).1["scores"], serde_json::json!([]));
    assert_eq!(gateway.get(&format!("/v1/monitors/vectors/scores?after={last}")).1["scores"], serde_json::json!([]));
    assert_eq!(gateway.refused("DELETE", "/v1/monitors", None).0, 405);
    assert_eq!(gateway.get("/v1/monitors/text").0, 404);
    let (_, vectors) = gateway.get("/v1/monitors/vectors");
    assert_eq!((vectors["kind"].as_str(), vectors["state"].as_str()), (Some("vectors"), Some("unscored")));
}

#[test]
fn items_and_measures_are_those_of_the_module() {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(
        &mut connection,
        "EDDY.CREATE shop SOURCES 1 s CLOCK stream WINDOW 1000 DIMENSIONS 1 service MEASURES 1 ms@1 UNIQUES 1 user \
         CROSSES 1 service*ms",
    );
    for (at, service, ms) in [(1000, "pay", 10), (1100, "pay", 20), (1200, "cart", 30), (2500, "pay", 40)] {
        command(&mut connection, &format!("XADD s {at}-0 service {service} ms {ms} user u{at}"));
    }
    let gateway = Gateway::start(&server);
    let (_, shop) = gateway.get("/v1/monitors/shop");
    let told = ["dimensions", "crosses", "measures", "uniques", "sources"].map(|list| shop[list].to_string());
    assert_eq!(told, [r#"["service"]"#, r#"["service*ms"]"#, r#"["ms"]"#, r#"["user"]"#, r#"["s"]"#]);
    assert_eq!((shop["kind"].as_str(), shop["state"].as_str()), (Some("module"), Some("unscored")));
    assert_eq!(shop["info"]["observations"], 4);
    assert_eq!(shop["features"][0], "count");
    let (_, top) = gateway.get("/v1/monitors/shop/top?dimension=service");
    let item = |at: usize| {
        let item = &top["items"][at];
        (item["item"].as_str().unwrap(), item["open"].as_u64().unwrap(), item["last"].as_u64().unwrap())
    };
    assert_eq!((item(0), item(1)), (("pay", 1, 2), ("cart", 0, 1)));
    command(&mut connection, "EDDY.CREATE secret WINDOW 60000 DIMENSIONS 1 user HASHED 1 user");
    command(&mut connection, "EDDY.MOBSERVE secret 1 user ann ann bob");
    let (_, hashed) = gateway.get("/v1/monitors/secret/top?dimension=user");
    let seen = |at: usize| hashed["items"][at]["open"].as_u64().max(hashed["items"][at]["last"].as_u64());
    assert_eq!((seen(0), seen(1)), (Some(2), Some(1)), "{hashed}");
    assert_eq!(hashed["items"][0]["usual"], serde_json::Value::Null, "{hashed}");
    let (_, count) = gateway.get("/v1/monitors/shop/count?dimension=service&item=cart&item=nothing");
    assert_eq!((count["items"][0]["last"].as_u64(), count["items"][1]["last"].as_u64()), (Some(1), Some(0)));
    let (_, quantiles) = gateway.get("/v1/monitors/shop/quantiles?measure=ms&q=1");
    let value = quantiles["quantiles"][0]["value"].as_f64().unwrap();
    assert!((29.0..31.0).contains(&value), "{value}");
    assert_eq!(gateway.refused("GET", "/v1/monitors/shop/top?dimension=nothing", None), (404, "not_found".to_owned()));
    command(&mut connection, "EDDY.ALTER shop PAUSED yes");
    assert_eq!(gateway.get("/v1/monitors/shop").1["state"], "paused");
    command(&mut connection, "EDDY.CREATE later CLOCK stream");
    let learning = eventually_some(SOON, || {
        let (_, all) = gateway.get("/v1/monitors");
        all["monitors"].as_array().unwrap().iter().find(|monitor| monitor["name"] == "later").cloned()
    });
    assert_eq!((learning["state"].as_str(), learning["needed"].as_u64()), (Some("learning"), Some(1000)));
}

#[test]
fn a_monitor_that_is_scored_with_less_than_the_best_says_why() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, &format!("HSET {{{MONITOR}}}:settings period_ms 1000"));
    write_schema(&mut connection, &schema(1));
    let fault = "panic 1700000080000 1700000090000";
    let _worker = Worker::spawn(&server.url(), &["--monitor", MONITOR], Stdio::null(), Some(fault));
    let gateway = Gateway::start(&server);
    write_fingerprints(&mut connection, 0..70, 1);
    wait_for_score(&mut connection, 69);
    assert_eq!(gateway.get(&format!("/v1/monitors/{MONITOR}")).1["state"], "ready");
    write_fingerprints(&mut connection, 70..90, 1);
    wait_for_score(&mut connection, 89);
    eventually(SOON, || gateway.get(&format!("/v1/monitors/{MONITOR}")).1["state"] == "degraded");
    let (_, monitor) = gateway.get(&format!("/v1/monitors/{MONITOR}"));
    assert!(monitor["reason"].as_str().unwrap().contains("broke the model"), "{monitor}");
}

#[test]
fn a_redis_that_is_gone_is_told_and_found_again() {
    let mut server = Server::plain().start().unwrap();
    let _worker = worker(&server);
    let gateway = Gateway::start(&server);
    assert_eq!(gateway.get("/v1/monitors").0, 200);
    eventually(SOON, || gateway.get("/v1/status").1["workers"] == 1);
    server.kill().unwrap();
    eventually(SOON, || gateway.get("/v1/monitors").1["code"] == "redis_unavailable");
    assert_eq!(gateway.refused("GET", "/v1/monitors", None).0, 503);
    let (status, told) = gateway.get("/v1/status");
    assert_eq!((status, told["troubles"][0]["code"].as_str()), (200, Some("redis_unavailable")));
    server.start().unwrap();
    eventually(SOON, || gateway.get("/v1/monitors").0 == 200);
}
