//! The user that `docs/operations.md` proposes for workers: a worker can do all of its work as that user, who can do
//! nothing else.

mod plain;

use eddyline_testkit::{Server, eventually, role_template};
use eddyline_wire::keys::service;
use plain::{SOON, assert_undisturbed, keys, schema, wait_for_score, write_fingerprints, write_schema};
use redis::{Connection, Value};
use std::process::{Child, Command, Stdio};
use tempfile::NamedTempFile;

/// A worker that notifies as well.
struct Worker {
    child: Child,
    _settings: NamedTempFile,
}

impl Worker {
    fn start(server: &Server) -> Self {
        let path = server.url().replace("redis+unix://", "");
        let settings = NamedTempFile::new().unwrap();
        std::fs::write(settings.path(), "[sinks.out]\ntype = \"stdout\"\n").unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_eddyline"))
            .args(["worker", "--redis", &format!("redis+unix://{path}?user=worker&pass=secret")])
            .args(["--deployment", plain::DEPLOYMENT, "--budget", "100"])
            .arg("--config")
            .arg(settings.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, _settings: settings }
    }

    /// SIGTERM, so that it gives its leases back; returns what it logged.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut log).unwrap();
        self.child.wait().unwrap();
        log
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(redis: &mut Connection, line: &str) -> redis::RedisResult<Value> {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).query(redis)
}

/// What the server refused to anybody so far, by user, command and reason.
fn refusals(redis: &mut Connection) -> Vec<String> {
    let log: Vec<Value> = redis::cmd("ACL").arg("LOG").query(redis).unwrap();
    let asked = |entry: &Value| format!("{entry:?}");
    // clients introduce themselves, and go on where they may not
    log.iter().map(asked).filter(|entry| !entry.contains("client|setinfo")).collect()
}

#[test]
fn a_worker_can_do_all_of_its_work_and_nothing_else() {
    let server = Server::with_module().start().unwrap();
    let mut redis = server.connection().unwrap();
    for words in role_template("worker").unwrap() {
        redis::cmd(&words[0]).arg(&words[1..]).exec(&mut redis).unwrap();
    }
    command(&mut redis, "EDDY.CREATE checkout CLOCK stream WINDOW 1000 DIMENSIONS 1 service").unwrap();
    command(&mut redis, "EDDY.CREATE other CLOCK stream DIMENSIONS 1 service").unwrap();
    // what the monitor would have written
    write_schema(&mut redis, &schema(1));
    write_fingerprints(&mut redis, 0..300, 1);
    command(&mut redis, "DEL other").unwrap();

    let worker = Worker::start(&server);
    wait_for_score(&mut redis, 299);
    let mut left: i64 = 0;
    eventually(SOON, || {
        let before = left;
        left = redis::cmd("PTTL").arg(keys().lease()).query(&mut redis).unwrap();
        before > 0 && left > before // renewed
    });
    let delivered = |redis: &mut Connection| -> bool {
        redis::cmd("HEXISTS").arg(service::DELIVERED).arg("out").query(redis).unwrap()
    };
    eventually(SOON, || delivered(&mut redis));
    let log = worker.stop();
    // a second one goes on from the checkpoint
    write_fingerprints(&mut redis, 300..400, 1);
    let worker = Worker::start(&server);
    wait_for_score(&mut redis, 399);
    let log = log + &worker.stop();
    assert_undisturbed(&mut redis, 0..400);
    assert!(!log.to_uppercase().contains("NOPERM") && !log.contains("permissions"), "{log}");
    assert_eq!(refusals(&mut redis), [""; 0], "{log}");
    let groups: Vec<Value> = redis::cmd("XINFO").arg("GROUPS").arg(keys().fingerprints()).query(&mut redis).unwrap();
    assert_eq!(groups.len(), 1);

    command(&mut redis, "AUTH worker secret").unwrap();
    for line in [
        "EDDY.CREATE new",
        "EDDY.ALTER checkout PAUSED yes",
        "EDDY.RESET checkout",
        "EDDY.OBSERVE checkout service pay",
        "EDDY.CLOSE checkout 9000",
        "EDDY.SENT checkout 9000",
        "EDDY.INFO other",
        "XADD metrics * service pay",
        "XADD {other}:scores * score 1",
        "DEL checkout",
        "SET checkout x",
        "PUBLISH news hoax",
        "SUBSCRIBE news",
        "SCRIPT FLUSH",
        "XGROUP DESTROY {checkout}:fingerprints eddyline",
        "CONFIG GET *",
        "FLUSHALL",
        "KEYS *",
    ] {
        let refusal = command(&mut redis, line).expect_err(line).to_string();
        assert!(refusal.contains("NOPERM") || refusal.contains("permission"), "{line}: {refusal}");
    }
}
