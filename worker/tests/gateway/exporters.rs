//! The real exporters: OpenTelemetry's SDKs for Python and JavaScript, and Prometheus. What they are made of is fetched once,
//! into target/exporters; `cargo xtask setup` names the programs.

use crate::stage::{Gateway, SOON, observations};
use eddyline_testkit::{Server, eventually};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/exporters")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/exporters").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Made once for what `wanted` says; tests of several processes wait for each other.
fn made(folder: &Path, wanted: &Path, make: impl FnOnce()) {
    let lock = std::fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (stamp, wanted) = (folder.join("made"), std::fs::read(wanted).unwrap());
    if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        make();
        std::fs::write(stamp, wanted).unwrap();
    }
}

fn python() -> PathBuf {
    let (folder, wanted) = (folder("python"), scripts().join("requirements.txt"));
    let program = folder.join("venv/bin/python");
    made(&folder, &wanted, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")));
        run(Command::new(&program).args(["-m", "pip", "install", "-q", "-r"]).arg(&wanted));
    });
    program
}

fn node(script: &str) -> Command {
    let folder = folder("js");
    made(&folder, &scripts().join("package.json"), || {
        std::fs::copy(scripts().join("package.json"), folder.join("package.json")).unwrap();
        run(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder));
    });
    // Beside its packages, where node looks for them.
    std::fs::copy(scripts().join(script), folder.join(script)).unwrap();
    let mut node = Command::new("node");
    node.arg(folder.join(script));
    node
}

fn period_of_a_second(server: &Server, monitor: &str) {
    let key = format!("{{{monitor}}}:settings");
    redis::cmd("HSET").arg(key).arg("period_ms").arg(1000).exec(&mut server.connection().unwrap()).unwrap();
}

fn vectors(server: &Server, monitor: &str) -> Vec<BTreeMap<String, f64>> {
    let key = format!("{{{monitor}}}:fingerprints");
    let entries: Vec<(String, BTreeMap<String, f64>)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut server.connection().unwrap()).unwrap();
    entries.into_iter().map(|(_, vector)| vector).collect()
}

/// Ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_python_sdk_feeds_it_unchanged() {
    let server = Server::with_module().start().unwrap();
    let gateway = Gateway::before(&server);
    period_of_a_second(&server, "pay/python");
    let mut python = Command::new(python());
    python.arg(scripts().join("send.py")).arg(format!("http://{}", gateway.address));
    let mut python = Running(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(python.0.stdout.take().unwrap()).lines();
    let mut stdin = python.0.stdin.take().unwrap();
    for _ in 0..6 {
        writeln!(stdin, "7").unwrap();
        assert_eq!(said.next().unwrap().unwrap(), "sent");
        // Its clock tells the windows apart.
        thread::sleep(Duration::from_millis(1000));
    }
    drop(stdin);
    assert!(python.0.wait().unwrap().success());
    assert_eq!(
        observations(&server, "traces"),
        200,
        "a hundred requests and as many queries; what is inside isn't seen"
    );
    let vectors = vectors(&server, "pay/python");
    let total: f64 = vectors.iter().filter_map(|vector| vector.get("requests")).sum();
    assert!(vectors.len() >= 3 && total >= 14.0 && total % 7.0 == 0.0, "{vectors:?}");
    assert!(vectors.iter().all(|vector| vector.get("queue").is_none_or(|queue| *queue == 7.0)), "{vectors:?}");
    assert!(vectors.iter().any(|vector| vector.get("latency:mean") == Some(&0.25)), "{vectors:?}");
}

#[test]
fn the_sdk_for_javascript_feeds_it_unchanged() {
    let server = Server::with_module().start().unwrap();
    let gateway = Gateway::before(&server);
    period_of_a_second(&server, "cart/js");
    run(node("send.mjs").arg(format!("http://{}", gateway.address)));
    assert_eq!(observations(&server, "traces"), 100, "as JSON and as protobuf");
    let total: f64 = vectors(&server, "cart/js").iter().filter_map(|vector| vector.get("requests")).sum();
    assert!(total >= 7.0 && total % 7.0 == 0.0, "{total}");
}

#[test]
fn prometheus_writes_to_it_unchanged() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let monitor = format!("itself/{free}");
    period_of_a_second(&server, &monitor);
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 500ms\n  scrape_timeout: 500ms\nscrape_configs:\n  - job_name: itself\n    \
         static_configs: [{{targets: ['{free}']}}]\nremote_write:\n  - url: http://{}/api/v1/write\n    \
         write_relabel_configs:\n      - {{source_labels: [__name__], action: keep, regex: \
         'up|prometheus_http_requests_total|prometheus_http_request_duration_seconds_(sum|count|bucket)'}}\n",
        gateway.address
    );
    std::fs::write(&config, text).unwrap();
    let log = std::fs::File::create(data.path().join("log")).unwrap();
    let _prometheus = Running(
        Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stderr(log)
            .spawn()
            .expect("apt-get install prometheus"),
    );
    // Each scrape of itself is a request that it counts.
    let is_whole = |vector: &BTreeMap<String, f64>| {
        let of = |feature: &str| vector.get(feature).copied().unwrap_or_default();
        of("up") == 1.0
            && of("prometheus_http_requests_total") >= 1.0
            && of("prometheus_http_request_duration_seconds:count") >= 1.0
            && of("prometheus_http_request_duration_seconds:mean") > 0.0
    };
    eventually(SOON, || vectors(&server, &monitor).iter().filter(|vector| is_whole(vector)).count() >= 3);
}
