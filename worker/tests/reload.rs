//! SIGHUP: a worker reads its settings again while it works.

mod plain;

use eddyline_testkit::{Server, eventually, eventually_some};
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::judge::Judge;
use eddyline_worker::judging::results::results;
use plain::{SOON, fingerprint, id, identity, schema, scores, wait_for_look, wait_for_score, write_fingerprints};
use redis::Connection;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

const DONE: &str = "settings read again";

/// A worker process with a file of settings, whose log can be read while it runs; killed on drop.
struct Worker {
    process: Child,
    folder: tempfile::TempDir,
    /// First lines of the file.
    head: String,
}

impl Worker {
    fn start(server: &Server, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("eddyline.toml");
        let head =
            format!("redis = '{}'\ndeployment = '{}'\nlisten = '127.0.0.1:0'\n", server.url(), plain::DEPLOYMENT);
        std::fs::write(&config, format!("{head}{settings}")).unwrap();
        Self { process: spawn(&["--config", config.to_str().unwrap()], &folder), folder, head }
    }

    fn without_file(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { process: spawn(&["--redis", &server.url(), "--listen", "none"], &folder), folder, head: String::new() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("eddyline.toml")
    }

    fn write(&self, settings: &str) {
        std::fs::write(self.file(), format!("{}{settings}", self.head)).unwrap();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The lines of its metrics that begin with `name`.
    fn metrics(&self, name: &str) -> Vec<String> {
        let address = eventually_some(SOON, || {
            self.log().split("http://").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned)
        });
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Writes the file anew, and waits until the worker said `expected` about it.
    fn reload(&self, settings: &str, expected: &str) {
        self.write(settings);
        self.wait_for(expected);
    }

    /// Has the file read, and waits until the worker said `expected` about it.
    fn wait_for(&self, expected: &str) {
        let before = self.log().matches(expected).count();
        self.signal("-HUP");
        eventually(SOON, || self.log().matches(expected).count() > before);
    }

    fn stop(mut self) -> String {
        self.signal("-TERM");
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{}", self.log());
        self.log()
    }
}

fn spawn(args: &[&str], folder: &tempfile::TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .arg("worker")
        .args(args)
        .stderr(File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap()
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn server() -> (Server, Connection) {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    plain::write_schema(&mut connection, &schema(1));
    (server, connection)
}

#[test]
fn reloads_under_load_lose_and_double_no_window() {
    let (server, mut connection) = server();
    write_fingerprints(&mut connection, 1..100, 1);
    let settings = |log: &str| format!("log = '{log}'\nmonitors = ['checkout']\n[defaults]\nbudget = 100\n");
    let worker = Worker::start(&server, &settings("info"));
    wait_for_score(&mut connection, 50);
    for i in 100..520 {
        write_fingerprints(&mut connection, i..i + 1, 1);
        if i % 20 == 0 {
            worker.write(&settings(if i % 40 == 0 { "info" } else { "debug" }));
            worker.signal("-HUP");
        }
        sleep(Duration::from_millis(3));
    }
    wait_for_score(&mut connection, 519);
    worker.reload(&settings("info"), DONE);
    let log = worker.stop();
    assert!(log.matches(DONE).count() > 2, "{log}");
    assert_eq!(log.matches("working on this monitor").count(), 1, "{log}");
    plain::assert_undisturbed(&mut connection, 1..520);
}

#[test]
fn a_changed_budget_counts_from_the_next_window_on() {
    let (server, mut connection) = server();
    write_fingerprints(&mut connection, 1..150, 1);
    let settings = |budget: u32| {
        format!("monitors = ['checkout']\n[monitor.'other']\nbudget = 3\n[monitor.'check*']\nbudget = {budget}\n")
    };
    let worker = Worker::start(&server, &settings(100));
    wait_for_score(&mut connection, 149);
    let before = scores(&mut connection);
    worker.reload(&settings(1000), DONE);
    wait_for_look(&mut connection);
    write_fingerprints(&mut connection, 150..220, 1);
    wait_for_score(&mut connection, 219);
    worker.stop();

    let after = scores(&mut connection);
    assert_eq!(after[..before.len()], before, "nothing is scored anew");
    let schema = Arc::new(schema(1));
    let chosen = |budget_per_day| Choices { budget_per_day, ..Choices::default() };
    let mut judge = Judge::new(chosen(100.0));
    for i in 1..220 {
        if i == 150 {
            judge.choose(&chosen(1000.0)).unwrap();
        }
        let (score, _) = results(&mut judge, None, &identity(), &fingerprint(i, 1), &schema).unwrap();
        let expected = score.to_fields().into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        let (entry, fields) = &after[i as usize - 1];
        assert_eq!(entry, &id(i));
        assert_eq!(fields, &expected, "window {i}");
    }
}

#[test]
fn a_monitor_that_the_file_names_anew_is_worked_on() {
    let (server, mut connection) = server();
    // Not told of by PUBLISH, as the worker would then find it by itself.
    let worker = Worker::start(&server, "monitors = []");
    eventually(SOON, || worker.log().contains("connected"));
    worker.reload("monitors = ['checkout']", DONE);
    eventually(SOON, || worker.log().contains("working on this monitor"));
    write_fingerprints(&mut connection, 1..20, 1);
    wait_for_score(&mut connection, 19);
    worker.stop();
}

#[test]
fn a_bad_file_is_refused_and_the_worker_goes_on() {
    let (server, mut connection) = server();
    let worker = Worker::start(&server, "monitors = ['checkout']\n[defaults]\nbudget = 100\n");
    write_fingerprints(&mut connection, 1..150, 1);
    wait_for_score(&mut connection, 149);
    assert_eq!(worker.metrics("eddyline_config_last_reload_successful"), ["eddyline_config_last_reload_successful 1"]);
    worker.reload("monitors = []\n[defaults]\nbugdet = 1\n", "the settings stay as they were");
    std::fs::remove_file(worker.file()).unwrap();
    worker.wait_for("the settings stay as they were");
    write_fingerprints(&mut connection, 150..310, 1);
    wait_for_score(&mut connection, 309);
    assert_eq!(worker.metrics("eddyline_config_last_reload_successful"), ["eddyline_config_last_reload_successful 0"]);
    assert_eq!(
        worker.metrics("eddyline_config_reloads_total{outcome=\"refused\"}"),
        ["eddyline_config_reloads_total{outcome=\"refused\"} 2"]
    );
    let log = worker.stop();
    assert!(log.contains("eddyline.toml:6: defaults.bugdet: there is no such key, did you mean budget?"), "{log}");
    assert!(log.contains("can't be read"), "{log}");
    plain::assert_undisturbed(&mut connection, 1..310);
}

#[test]
fn what_needs_a_restart_is_said_and_levels_change_at_once() {
    let (server, mut connection) = server();
    let mut worker = Worker::start(&server, "monitors = ['checkout']");
    write_fingerprints(&mut connection, 1..20, 1);
    wait_for_score(&mut connection, 19);
    worker.head = "redis = 'redis://:hunter2@elsewhere'\ndeployment = 'other'\n".to_owned();
    worker.reload("monitors = ['checkout']", DONE);
    write_fingerprints(&mut connection, 20..40, 1);
    wait_for_score(&mut connection, 39);
    worker.reload("monitors = ['checkout']\nlog = 'warn'", "\"deployment\"");
    let log = worker.stop();
    for key in ["redis", "deployment", "listen"] {
        let said = log.lines().any(|line| line.contains("needs a restart") && line.contains(&format!("\"{key}\"")));
        assert!(said, "{key}: {log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
    assert!(log.contains("connected") && !log.contains("\"stopped\""), "its level is too low: {log}");
}

#[test]
fn a_worker_without_a_file_has_nothing_to_read_again() {
    let (server, _) = server();
    let worker = Worker::without_file(&server);
    eventually(SOON, || worker.log().contains("connected"));
    worker.wait_for("there is nothing to read again");
    worker.stop();
}
