//! With the module: from an event to an alert, and the same through a server as without one.

mod plain;

use eddyline_testkit::{Server, eventually, eventually_some};
use eddyline_wire::alert::Alert;
use plain::{SOON, Worker, random};
use redis::{Connection, Value};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

fn command(connection: &mut Connection, words: &str) -> Value {
    let words: Vec<&str> = words.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).query(connection).unwrap()
}

/// Adds `n` calls within the second that begins at `ms`, of which `slow` take most of a second.
fn calls(connection: &mut Connection, ms: u64, n: u64, slow: u64) {
    let mut pipe = redis::pipe();
    for i in 0..n {
        let hash = random(ms + i);
        let service = ["pay", "stock", "mail"][(hash % 3) as usize];
        let latency = if i < slow { 812 } else { 5 + hash / 3 % 20 };
        let (service, status) = if i < slow { ("pay", 500) } else { (service, 200) };
        pipe.cmd("XADD").arg("metrics").arg(format!("{}-{i}", ms + i * 1000 / n));
        for (field, value) in [("service", service), ("endpoint", "/charge"), ("status", &status.to_string())] {
            pipe.arg(field).arg(value);
        }
        pipe.arg("latency_ms").arg(latency);
    }
    pipe.exec(connection).unwrap();
}

#[test]
fn an_unusual_pattern_in_a_stream_ends_in_a_message_that_says_what_since_when_and_how_rare() {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    let worker = Worker::with(&server, &[]);
    command(
        &mut connection,
        "EDDY.CREATE checkout SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 3 service endpoint status \
         CROSSES 2 service*status service*latency_ms@0.25",
    );
    let mut listening = server.connection().unwrap();
    listening.set_read_timeout(Some(SOON)).unwrap();
    let mut subscription = listening.as_pubsub();
    subscription.subscribe("eddyline:alerts").unwrap();
    subscription.subscribe("eddyline:alerts:checkout").unwrap();

    let start = 1_795_166_000_000;
    for second in 0..300 {
        calls(&mut connection, start + second * 1000, 60, 0);
    }
    for second in 300..310 {
        calls(&mut connection, start + second * 1000, 60, 40);
    }
    let mut next = || {
        let message = subscription.get_message().unwrap();
        (message.get_channel_name().to_owned(), message.get_payload::<String>().unwrap())
    };
    let (json, alert) = loop {
        let (all, one) = (next(), next());
        assert_eq!((all.0.as_str(), one.0.as_str()), ("eddyline:alerts", "eddyline:alerts:checkout"));
        assert_eq!(all.1, one.1);
        let alert: Alert = serde_json::from_str(&all.1).unwrap();
        // Three hundred windows are little to learn from: detection may be wrong about one of them.
        if alert.since_ms >= start + 299_000 {
            break (all.1, alert);
        }
    };
    assert_eq!((alert.event.as_str(), alert.monitor.as_str(), alert.since_ms), ("opened", "checkout", start + 300_000));
    assert_eq!(alert.since, "2026-11-20T09:18:20Z");
    assert!(alert.rarity.contains("once in "), "{}", alert.rarity);
    assert!(alert.summary.contains("pay") || alert.summary.contains("500"), "{}", alert.summary);
    let cause = &alert.causes[0];
    assert!(cause.observed > cause.high && cause.expected < cause.observed, "{cause:?}");
    let kept = eventually_some(SOON, || {
        let entries: Vec<(String, Vec<String>)> =
            redis::cmd("XRANGE").arg("{checkout}:incidents").arg(&alert.entry).arg("+").query(&mut connection).unwrap();
        entries.into_iter().next()
    });
    assert_eq!(kept.1, ["event", "opened", "incident", &alert.incident, "alert", &json]);
    worker.stop();
}

#[test]
fn a_monitor_that_is_deleted_or_made_while_the_worker_runs_is_noticed() {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    let worker = Worker::with(&server, &[]);
    for name in ["one", "two"] {
        command(
            &mut connection,
            &format!("EDDY.CREATE {name} SOURCES 1 {{{name}}}:s CLOCK stream WINDOW 1000 DIMENSIONS 1 service"),
        );
        for second in 1..4 {
            command(&mut connection, &format!("XADD {{{name}}}:s {second}000-0 service web"));
        }
        eventually(SOON, || command(&mut connection, &format!("XLEN {{{name}}}:scores")) == Value::Int(2));
    }
    command(&mut connection, "DEL one");
    // Its lease is given back; the other's is kept.
    eventually(SOON, || command(&mut connection, "EXISTS {one}:lease") == Value::Int(0));
    assert_eq!(command(&mut connection, "EXISTS {two}:lease"), Value::Int(1));
    worker.stop();
}

/// Twenty minutes of calls with a silence of five minutes in which nobody watched.
fn events() -> String {
    let mut rows = "ts_ms,service,peer,latency_ms\n".to_owned();
    for i in (0..12_000_u64).chain(18_000..24_000) {
        let hash = random(i);
        let peer = ["pay", "stock", "mail", "-"][(hash % 4) as usize];
        let slow = peer == "pay" && (20_000..20_600).contains(&i);
        let latency = (hash / 4) % 12 + 2 + if slow { 700 } else { 0 };
        let service = ["web", "app"][(hash / 64 % 2) as usize];
        let _ = writeln!(rows, "{},{service},{peer},{latency}", 1_700_000_000_000 + i * 50);
    }
    rows
}

#[test]
fn a_file_through_a_server_leaves_the_same_fingerprints_scores_and_incidents_as_offline() {
    let server = Server::with_module().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.csv"), events()).unwrap();
    let fields: [&[&str]; 2] = [
        &["--dimension", "service", "--cross", "service*peer", "--cross", "peer*latency_ms@0.25", "--unique", "peer"],
        &[],
    ];
    let url = server.url();
    for (i, fields) in fields.iter().enumerate() {
        let run = |name: &str, via: &[&str]| {
            let scores = format!("{name}.scores");
            let fingerprints = format!("{name}.fingerprints");
            let monitor = format!("replay{i}");
            let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
                .current_dir(folder.path())
                .args(["replay", "events.csv", "--gap", "30s", "--window", "2s", "--monitor", &monitor])
                .args(["--budget", "100"])
                .args(["--scores", &scores, "--fingerprints", &fingerprints])
                .args(*fields)
                .args(via)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let report = String::from_utf8(output.stdout).unwrap();
            let found = report.lines().skip(2).collect::<Vec<_>>().join("\n");
            let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
            (read(fingerprints), read(scores), found)
        };
        let offline = run("offline", &["--offline"]);
        let through = run("server", &["--redis", &url]);
        assert!(offline.0.lines().count() > 440, "{}", offline.2);
        assert!(offline.2.contains("incidents"), "{}", offline.2);
        assert_eq!(offline, through);
    }
}

#[test]
fn a_replay_does_not_mix_with_what_is_there_and_says_what_to_do() {
    let server = Server::with_module().start().unwrap();
    let mut connection = server.connection().unwrap();
    command(&mut connection, "XADD {replay}:scores 5-0 score 0");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.csv"), events()).unwrap();
    let replay = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
        let output =
            command.current_dir(folder.path()).args(["replay", "events.csv", "--redis", url]).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let refusal = replay(&server.url());
    assert!(refusal.contains("already has '{replay}:scores'") && refusal.contains("redis-cli DEL"), "{refusal}");
    let plain = Server::plain().start().unwrap();
    let refusal = replay(&plain.url());
    assert!(refusal.contains("doesn't have the eddyline module"), "{refusal}");
}

#[test]
fn a_running_worker_does_not_interfere_with_a_replay_on_its_server() {
    let server = Server::with_module().start().unwrap();
    let _worker = Worker::with(&server, &[]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.csv"), events()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .current_dir(folder.path())
        .args(["replay", "events.csv", "--redis", &server.url(), "--dimension", "service"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
