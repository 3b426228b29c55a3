//! What a worker tells about itself over HTTP, and that documents and Grafana's files speak of nothing else.

mod plain;
mod promql;

use eddyline_testkit::{Server, eventually, eventually_some};
use eddyline_worker::observe::table::{Kind, METRICS};
use plain::{SOON, Worker, schema, wait_for_score, write_fingerprints, write_schema};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Status and body of the answer to these bytes.
fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request:?}: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

fn json(address: SocketAddr, path: &str) -> (u16, Json) {
    let (status, body) = get(address, path);
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}")))
}

fn codes(ready: &Json) -> Vec<&str> {
    ready["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

/// The value of a series in Prometheus' text.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// A worker that listens, and where.
fn listening(server: &Server) -> (Worker, SocketAddr) {
    let mut worker = Worker::with(server, &["--monitor", plain::MONITOR, "--listen", "127.0.0.1:0"]);
    let address = worker.listens();
    (worker, address)
}

#[test]
fn a_worker_tells_metrics_and_health() {
    let server = Server::plain().start().unwrap();
    let (worker, address) = listening(&server);
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200);
    for metric in METRICS {
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.as_str());
        // A gauge, and a series with a label that nobody knows beforehand, stand there once there is something to tell.
        let is_known = metric.kind != Kind::Gauge && !metric.series(None).is_empty();
        assert!(!is_known || text.contains(&kind), "{kind} isn't in\n{text}");
        assert!(!text.contains(metric.name) || text.contains(&format!("# HELP {} {}", metric.name, metric.help)));
    }
    let told: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for name in told {
        assert!(METRICS.iter().any(|metric| metric.name == name), "{name} isn't in the table");
    }
    assert_eq!(value(&text, "eddyline_alerts_total{event=\"opened\",severity=\"warning\"}"), Some(0.0));
    let build = format!("eddyline_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&text, &build), Some(1.0));
    assert!(value(&text, "process_resident_memory_bytes").unwrap() > 1e6, "{text}");
    let (status, alive) = json(address, "/livez");
    assert_eq!((status, &alive["alive"]), (200, &Json::Bool(true)), "{alive}");
    worker.stop();
}

#[test]
fn a_worker_at_work_counts_what_it_does_and_says_that_it_is_ready() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..120, 1);
    let (worker, address) = listening(&server);
    wait_for_score(&mut connection, 119);
    eventually(SOON, || value(&get(address, "/metrics").1, "eddyline_fingerprints_scored_total") == Some(119.0));
    eventually(SOON, || {
        let (status, ready) = json(address, "/readyz");
        status == 200 && ready["ready"] == true && ready["monitors"]["ready"] == 1 && codes(&ready).is_empty()
    });
    let text = get(address, "/metrics").1;
    let opened = ["warning", "critical"]
        .map(|severity| value(&text, &format!("eddyline_alerts_total{{event=\"opened\",severity=\"{severity}\"}}")));
    assert!(opened.iter().flatten().sum::<f64>() >= 1.0, "{text}");
    eventually(SOON, || value(&get(address, "/metrics").1, "eddyline_monitors{state=\"ready\"}") == Some(1.0));
    worker.stop();
}

#[test]
fn a_worker_says_why_it_is_not_ready() {
    let mut server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    let mut worker = Worker::with(&server, &["--listen", "127.0.0.1:0"]);
    let address = worker.listens();
    eventually(SOON, || {
        let (status, ready) = json(address, "/readyz");
        status == 503 && codes(&ready) == ["no_module"]
    });
    redis::cmd("HSET").arg("{checkout}:settings").arg("period_ms").arg(1000).exec(&mut connection).unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..41, 1);
    let ready = eventually_some(SOON, || {
        let (status, ready) = json(address, "/readyz");
        (status == 200 && codes(&ready) == ["warming"] && ready["reasons"][0]["what"].to_string().contains("40/60"))
            .then_some(ready)
    });
    assert_eq!(ready["reasons"][0]["monitor"], "checkout");
    server.kill().unwrap();
    eventually(SOON, || {
        let (status, ready) = json(address, "/readyz");
        status == 503 && codes(&ready) == ["no_redis"]
    });
    assert_eq!(get(address, "/livez").0, 200);
    worker.stop();
}

#[test]
fn a_sink_that_fails_is_told_while_the_worker_is_ready() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eddyline.toml");
    // Nobody listens there.
    let sink = "[notify]\nbudget = \"none\"\n[sinks.ops]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\nallow_private = true\n";
    std::fs::write(&file, sink).unwrap();
    let args = ["--config", file.to_str().unwrap(), "--monitor", plain::MONITOR, "--listen", "127.0.0.1:0"];
    let mut worker = Worker::with(&server, &args);
    let address = worker.listens();
    write_fingerprints(&mut connection, 1..103, 1);
    wait_for_score(&mut connection, 102);
    eventually(SOON, || {
        let (status, ready) = json(address, "/readyz");
        status == 200 && codes(&ready).contains(&"sink_failing")
    });
    let dead = "eddyline_deliveries_total{sink=\"ops\",outcome=\"dead\"}";
    assert_eq!(value(&get(address, "/metrics").1, dead), Some(0.0));
    worker.stop();
}

#[test]
fn a_taken_address_is_said_and_keeps_nobody_from_work() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    write_fingerprints(&mut connection, 1..5, 1);
    let address = taken.local_addr().unwrap().to_string();
    let worker = Worker::with(&server, &["--monitor", plain::MONITOR, "--listen", &address]);
    wait_for_score(&mut connection, 4);
    assert!(worker.stop().contains("metrics and health can't be told there"));
}

#[test]
fn hostile_requests_are_refused_and_hold_up_nobody_for_long() {
    let server = Server::plain().start().unwrap();
    let (worker, address) = listening(&server);
    assert_eq!(ask(address, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").0, 405);
    assert_eq!(get(address, "/../../etc/passwd").0, 404);
    assert_eq!(ask(address, "rubbish\r\n\r\n").0, 400);
    let huge = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(huge.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    // As many as there may be, and some more, that say nothing.
    let idle: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).unwrap()).collect();
    let began = Instant::now();
    assert_eq!(get(address, "/livez").0, 200);
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    drop(idle);
    worker.stop();
}

#[test]
fn the_documents_have_the_table() {
    let rows: String = METRICS
        .iter()
        .map(|metric| {
            let label = |(label, values): &(&str, &[&str])| match values {
                [] => format!("`{label}`"),
                values => format!("`{label}` ({})", values.join(", ")),
            };
            let labels: Vec<String> = metric.labels.iter().map(label).collect();
            format!("| `{}` | {} | {} | {} |\n", metric.name, metric.kind.as_str(), labels.join(", "), metric.help)
        })
        .collect();
    let document = include_str!("../../docs/metrics.md");
    assert!(document.contains(&rows), "docs/metrics.md must have\n{rows}");
}

#[test]
fn the_dashboard_asks_for_metrics_that_there_are() {
    let board: Json = serde_json::from_str(include_str!("../../docs/grafana/dashboard.json")).unwrap();
    assert_eq!(board["uid"], "eddyline");
    let variables = board["templating"]["list"].as_array().unwrap();
    let ds = variables.iter().find(|variable| variable["name"] == "ds").unwrap();
    assert_eq!((&ds["type"], &ds["query"]), (&"datasource".into(), &"prometheus".into()));
    let panels = board["panels"].as_array().unwrap();
    let (mut ids, mut places, mut asked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        let cells = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
        assert!(x + w <= 24 && cells.into_iter().all(|cell| places.insert(cell)), "it lies over another: {panel}");
        for target in panel["targets"].as_array().unwrap_or(&Vec::new()) {
            assert_eq!((&panel["datasource"]["uid"], &target["datasource"]["uid"]), (&"${ds}".into(), &"${ds}".into()));
            let expr = target["expr"].as_str().unwrap();
            asked.extend(promql::metrics(expr));
            let legend = target["legendFormat"].as_str().unwrap();
            for label in legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()) {
                let known = promql::labels(expr);
                assert!(known.contains(label), "{label} of {legend:?} isn't a label of {expr}");
            }
        }
    }
    for annotation in board["annotations"]["list"].as_array().unwrap() {
        promql::metrics(annotation["expr"].as_str().unwrap());
    }
    let all: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(asked, all, "the dashboard shows every metric");
}

#[test]
fn the_alert_rules_ask_for_metrics_that_there_are() {
    /// A value of the file: a JSON string, or a plain word.
    fn value(text: &str) -> String {
        if text.starts_with('"') {
            return serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
        }
        assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text:?} needs quotes");
        text.to_owned()
    }
    let file = include_str!("../../docs/grafana/alerts.yml");
    let lines = file.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let mut lines = lines.skip_while(|line| *line != "    rules:").skip(1).peekable();
    let mut names = BTreeSet::new();
    while let Some(line) = lines.next() {
        let name = value(line.strip_prefix("      - alert: ").unwrap_or_else(|| panic!("{line:?}")));
        assert!(name.starts_with("Eddyline") && names.insert(name.clone()), "{name}");
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let mut section = "";
        while let Some(line) = lines.next_if(|line| !line.starts_with("      - ")) {
            let (key, text) = line.trim().split_once(':').unwrap();
            match (line.len() - line.trim_start().len(), text.trim()) {
                (8, "") => section = key,
                (8, text) => drop(fields.insert(key.to_owned(), value(text))),
                (10, text) => drop(fields.insert(format!("{section}.{key}"), value(text))),
                _ => panic!("{line:?}"),
            }
        }
        let field = |name: &str| fields.get(name).unwrap_or_else(|| panic!("{fields:?} has no {name}"));
        assert!(["warning", "critical"].contains(&field("labels.severity").as_str()), "{fields:?}");
        assert!(field("annotations.summary").len() > 10 && field("annotations.description").len() > 10, "{fields:?}");
        let expr = field("expr");
        promql::metrics(expr);
        let known = promql::labels(expr);
        for label in field("annotations.summary").split("$labels.").skip(1) {
            let label = label.split([' ', '}']).next().unwrap();
            assert!(known.contains(label), "{name}: {label} isn't a label of {expr}");
        }
    }
    assert!(names.len() >= 10, "{names:?}");
}
