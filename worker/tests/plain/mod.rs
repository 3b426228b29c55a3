//! A plain server on which the test writes fingerprints as the module would, and what a worker must make of them.

// Every test file compiles this for itself and uses a part.
#![allow(dead_code)]

use eddyline_testkit::{Server, eventually};
use eddyline_wire::alert::Alert;
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::{self, Block, Schema};
use eddyline_worker::judging::choices::Choices;
use eddyline_worker::judging::identity::Identity;
use eddyline_worker::judging::judge::{Judge, NamedSchema};
use eddyline_worker::judging::results::results;
use redis::Connection;
use std::collections::BTreeMap;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const MONITOR: &str = "checkout";
pub(crate) const DEPLOYMENT: &str = "test";
/// Generous, so that the bursts are incidents whatever detection is tuned to.
const BUDGET: f64 = 100.0;
pub(crate) const WINDOW_MS: u64 = 1000;
const EPOCH_MS: u64 = 1_700_000_000_000;
/// Long enough for the slowest machine; no test takes it.
pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) fn keys() -> Companions {
    Companions::of(MONITOR.as_bytes()).unwrap()
}

pub(crate) fn schema(id: u64) -> NamedSchema {
    let blocks =
        vec![Block::Numeric { features: vec!["count".into()] }, Block::Counts { name: "service".into(), buckets: 8 }];
    NamedSchema { id, record: Schema { v: schema::VERSION, window_ms: WINDOW_MS, blocks } }
}

/// The same number for the same `x`, and no pattern (splitmix64).
pub(crate) fn random(x: u64) -> u64 {
    let x = x.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Window `i` of a small shop, in which a service has a burst every 100 windows, for 6 windows.
pub(crate) fn fingerprint(i: u64, schema: u64) -> Fingerprint {
    let mut counts: Vec<u64> = (0..8).map(|lane| 20 + random(i * 8 + lane) % 11).collect();
    if i >= 100 && i % 100 < 6 {
        counts[3] += 1500;
    }
    let n: u64 = counts.iter().sum();
    let top = Top::of([("service", &b"pay"[..], counts[3], 3)]);
    let values = std::iter::once(n).chain(counts).map(|count| count as f32).collect();
    Fingerprint { end_ms: EPOCH_MS + i * WINDOW_MS, n, schema, values, top, gap_ms: 0, partial: false }
}

pub(crate) fn id(i: u64) -> String {
    eddyline_wire::fingerprint::id(EPOCH_MS + i * WINDOW_MS)
}

pub(crate) fn write_schema(connection: &mut Connection, schema: &NamedSchema) {
    redis::cmd("HSET")
        .arg(keys().schemas())
        .arg(eddyline_wire::fingerprint::schema_id(schema.id))
        .arg(schema.record.to_json())
        .exec(connection)
        .unwrap();
}

/// Writes fingerprints and wakes workers.
pub(crate) fn write_fingerprints(connection: &mut Connection, windows: Range<u64>, schema: u64) {
    let mut pipe = redis::pipe();
    for i in windows {
        let fingerprint = fingerprint(i, schema);
        let add = pipe.cmd("XADD").arg(keys().fingerprints()).arg(fingerprint.id());
        for (field, value) in fingerprint.to_fields() {
            add.arg(field).arg(value);
        }
    }
    pipe.cmd("PUBLISH").arg(eddyline_wire::keys::CLOSED).arg(MONITOR);
    pipe.exec(connection).unwrap();
}

/// A worker process; killed on drop.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn start(server: &Server) -> Self {
        Self::with(server, &["--monitor", MONITOR])
    }

    pub(crate) fn with(server: &Server, args: &[&str]) -> Self {
        Self::spawn(&server.url(), args, Stdio::piped(), None)
    }

    /// At this address, logging there, with this fault (`service/fault.rs`).
    pub(crate) fn spawn(url: &str, args: &[&str], log: Stdio, fault: Option<&str>) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_eddyline"))
            .args(["worker", "--redis", url, "--deployment", DEPLOYMENT])
            .args(["--budget", &BUDGET.to_string()])
            .args(args)
            .env("EDDYLINE_LISTEN", "none")
            .envs(fault.map(|fault| ("EDDYLINE_FAULT", fault)))
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Nobody reads what it logs any more.
    pub(crate) fn stop_listening(&mut self) {
        drop(self.0.stderr.take());
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Where it tells metrics and health; of a worker that was started with `--listen`.
    pub(crate) fn listens(&mut self) -> std::net::SocketAddr {
        let log = self.0.stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            std::io::Read::read_exact(log, &mut byte).expect("it says where it listens");
            line.push(byte[0]);
            if byte == *b"\n" {
                let said: serde_json::Value = serde_json::from_slice(&line).unwrap();
                if let Some(address) = said["address"].as_str() {
                    return address.parse().unwrap();
                }
                line.clear();
            }
        }
    }

    /// SIGTERM; returns what it logged after that.
    pub(crate) fn stop(mut self) -> String {
        self.signal("-TERM");
        let mut log = String::new();
        if let Some(mut stderr) = self.0.stderr.take() {
            std::io::Read::read_to_string(&mut stderr, &mut log).unwrap();
        }
        assert!(self.0.wait().unwrap().success(), "{log}");
        log
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Entries = Vec<(String, BTreeMap<String, String>)>;

pub(crate) fn stream(connection: &mut Connection, key: Vec<u8>) -> Entries {
    redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(connection).unwrap()
}

pub(crate) fn scores(connection: &mut Connection) -> Entries {
    stream(connection, keys().scores())
}

/// Entry ids and messages.
pub(crate) fn incidents(connection: &mut Connection) -> Vec<(String, Alert)> {
    let parse =
        |(id, fields): (String, BTreeMap<String, String>)| (id, serde_json::from_str(&fields["alert"]).unwrap());
    stream(connection, keys().incidents()).into_iter().map(parse).collect()
}

pub(crate) fn wait_for_score(connection: &mut Connection, i: u64) {
    eventually(SOON, || {
        let last: Entries = redis::cmd("XREVRANGE")
            .arg(keys().scores())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query(connection)
            .unwrap();
        last.first().is_some_and(|(last, _)| *last >= id(i))
    });
}

/// Waits until the worker has read the monitor's settings and acted on them.
pub(crate) fn wait_for_look(connection: &mut Connection) {
    let mut looks = || {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(connection).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_hlen:calls=")).unwrap_or("0,");
        line.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    let before = looks();
    // What it does about one look is done by the next.
    eventually(SOON, || looks() >= before + 2);
}

/// A killed worker's lease and its word that it is alive, without the wait until they expire.
pub(crate) fn expire_lease(connection: &mut Connection) {
    redis::cmd("DEL").arg(keys().lease()).exec(connection).unwrap();
    redis::cmd("DEL").arg(eddyline_wire::keys::service::WORKERS).exec(connection).unwrap();
}

pub(crate) fn identity() -> Identity {
    Identity { deployment: DEPLOYMENT.into(), monitor: MONITOR.as_bytes().to_vec(), db: 0 }
}

/// What a worker that was never disturbed makes of the windows.
pub(crate) fn undisturbed(windows: Range<u64>) -> (Entries, Vec<(String, Alert)>) {
    let schema = Arc::new(schema(1));
    let (mut judge, mut announced) = (Judge::new(Choices { budget_per_day: BUDGET, ..Choices::default() }), Vec::new());
    let (mut scores, mut incidents) = (Vec::new(), Vec::new());
    for i in windows {
        let fingerprint = fingerprint(i, 1);
        let (score, alerts) = results(&mut judge, Some(&mut announced), &identity(), &fingerprint, &schema).unwrap();
        incidents.extend(alerts.into_iter().map(|alert| (alert.entry.clone(), alert)));
        let fields = score.to_fields().into_iter().map(|(field, value)| (field.to_owned(), value));
        scores.push((id(i), fields.collect()));
    }
    (scores, incidents)
}

/// The streams hold exactly what an undisturbed worker would have written.
pub(crate) fn assert_undisturbed(connection: &mut Connection, windows: Range<u64>) {
    let (expected_scores, expected_incidents) = undisturbed(windows);
    let (scores, incidents) = (scores(connection), incidents(connection));
    let ids = |entries: &Entries| entries.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&scores), ids(&expected_scores));
    assert_eq!(scores, expected_scores);
    assert_eq!(incidents, expected_incidents);
    assert!(incidents.len() >= 4, "the windows must have incidents: {incidents:?}");
}
