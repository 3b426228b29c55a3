//! Servers that are killed under load: what survives agrees, no window is written twice, and none is missing without a gap.
//!
//! Six kills in an ordinary run, 200 in a long one:
//! `EDDYLINE_KILLS=200 cargo test -p eddyline-redis-module --test chaos -- --nocapture`

mod support;

use eddyline_testkit::{Server, eventually};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::Connection;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use support::workload::{onlooker, state};
use support::{Entry, SOON, call, fingerprints, info, windows};

/// Name, length of a window, sources.
const MONITORS: [(&str, u64, &[&str]); 3] =
    [("read", 100, &["metrics"]), ("merged", 500, &["metrics", "more"]), ("pushed", 100, &[])];
const PERSISTENT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A client that adds and observes, on whatever server leads, until it is dropped.
struct Load {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    primary: Mutex<String>,
    sent: AtomicU64,
    acknowledged: AtomicU64,
    over: AtomicBool,
}

impl Load {
    fn on(primary: &Server) -> Self {
        let shared = Arc::new(Shared {
            primary: Mutex::new(primary.url()),
            sent: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        Self { shared, thread: Some(thread::spawn(move || of_thread.run())) }
    }

    fn turn_to(&self, primary: &Server) {
        *self.shared.primary.lock().unwrap() = primary.url();
    }

    fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = self.thread.take().expect("dropped once").join();
    }
}

impl Shared {
    fn run(&self) {
        while !self.over.load(Ordering::SeqCst) {
            let url = self.primary.lock().unwrap().clone();
            let connected = redis::Client::open(url.as_str()).and_then(|client| client.get_connection());
            let Ok(mut redis) = connected else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            let _ = redis.set_read_timeout(Some(Duration::from_secs(1)));
            while !self.over.load(Ordering::SeqCst) && *self.primary.lock().unwrap() == url {
                if self.step(&mut redis).is_err() {
                    break;
                }
            }
        }
    }

    fn step(&self, redis: &mut Connection) -> redis::RedisResult<()> {
        let n = self.sent.fetch_add(1, Ordering::SeqCst);
        let service = format!("s{}", n % 7);
        for stream in ["metrics", "more"] {
            redis::cmd("XADD").arg(&[stream, "*", "service", &service]).exec(redis)?;
        }
        redis::cmd("EDDY.OBSERVE").arg(&["pushed", "service", &service]).exec(redis)?;
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Fields of a fingerprint.
type Fields = Vec<(String, Vec<u8>)>;

/// What the servers were seen to hold.
#[derive(Default)]
struct Seen {
    fingerprints: BTreeMap<(&'static str, String), Fields>,
    /// Acknowledged observations that a promoted replica had not heard of.
    left_behind: u64,
}

impl Seen {
    /// A replica was promoted: what it hadn't heard of is not its own.
    fn forget(&mut self, redis: &mut Connection, acknowledged: u64) {
        self.fingerprints.clear();
        self.left_behind = acknowledged.saturating_sub(observed(redis, "pushed"));
    }

    /// Holds a primary that nobody writes to against itself and what it was seen to hold before.
    fn check(&mut self, redis: &mut Connection, acknowledged: u64, sent: u64) {
        for (monitor, window_ms, sources) in MONITORS {
            let closed = windows(redis, monitor);
            let hole =
                closed.windows(2).find(|pair| pair[1].0 != pair[0].0 + window_ms + pair[1].2 / window_ms * window_ms);
            assert_eq!(hole, None, "{monitor}: no id twice, no hole without gap");
            let now: Vec<Entry> = fingerprints(redis, monitor);
            for (id, fields) in now {
                let before = self.fingerprints.insert((monitor, id.clone()), fields.clone());
                assert!(before.is_none_or(|before| before == fields), "{monitor} {id} was written twice");
            }
            let there: usize = self.fingerprints.keys().filter(|(of, _)| *of == monitor).count();
            assert_eq!(there, closed.len(), "{monitor}: what stood in the stream stands there");
            if !sources.is_empty() {
                let entries: u64 = sources.iter().map(|source| call::<u64>(redis, &format!("XLEN {source}"))).sum();
                let late = info(redis, monitor, "left_out");
                let late: u64 =
                    late.strip_prefix("late ").map_or(0, |late| late.parse().expect("nothing but late entries"));
                assert_eq!(observed(redis, monitor) + late, entries, "{monitor}: every entry is counted once");
            }
        }
        let pushed = observed(redis, "pushed");
        assert!(pushed + self.left_behind >= acknowledged, "{pushed} of {acknowledged} acknowledged observations");
        assert!(pushed <= sent, "{pushed} of {sent} observations");
    }
}

fn observed(redis: &mut Connection, monitor: &str) -> u64 {
    info(redis, monitor, "observations").parse().expect("a number")
}

fn create(redis: &mut Connection) {
    for (monitor, window_ms, sources) in MONITORS {
        let mut create = format!("EDDY.CREATE {monitor}");
        if !sources.is_empty() {
            create += &format!(" SOURCES {} {}", sources.len(), sources.join(" "));
        }
        call::<()>(redis, &format!("{create} WINDOW {window_ms} DIMENSIONS 1 service"));
    }
}

/// Waits until a killed server could come back to all that it has: after a synchronisation it rewrites its file first.
fn on_disk(server: &Server) {
    let done = |field: &str| server.info("persistence", field).is_ok_and(|value| value.as_deref() == Some("0"));
    eventually(SOON, || done("aof_rewrite_in_progress") && done("aof_rewrite_scheduled"));
}

/// Stops the primary, and holds it, its replica and its append-only file against each other.
fn survivors_agree(primary: &Server, replica: &Server, load: &Load, seen: &mut Seen) {
    let mut redis = primary.connection().unwrap();
    let acknowledged = load.acknowledged();
    call::<()>(&mut redis, "CLIENT PAUSE 100000 WRITE");
    let sent = load.shared.sent.load(Ordering::SeqCst);
    seen.check(&mut redis, acknowledged, sent);
    let expected = state(&mut redis);
    assert_eq!(expected.len(), MONITORS.len());
    replica.catch_up_with(primary).unwrap();
    assert_eq!(state(&mut replica.connection().unwrap()), expected, "replica");
    let from_file = onlooker(primary, &PERSISTENT);
    assert_eq!(state(&mut from_file.connection().unwrap()), expected, "append-only file");
    call::<()>(&mut redis, "CLIENT UNPAUSE");
}

#[test]
fn what_survives_kills_under_load_agrees() {
    let kills: u32 = std::env::var("EDDYLINE_KILLS").map_or(6, |n| n.parse().expect("EDDYLINE_KILLS must be a number"));
    let mut rng = StdRng::seed_from_u64(u64::from(kills));
    let server = |preamble| {
        let preamble = ["--aof-use-rdb-preamble", preamble];
        Server::with_module().tcp().args(PERSISTENT).args(preamble).start().unwrap()
    };
    let (mut primary, mut replica) = (server("yes"), server("no"));
    create(&mut primary.connection().unwrap());
    replica.follow(&primary).unwrap();
    let load = Load::on(&primary);
    let mut seen = Seen::default();
    for kill in 1..=kills {
        replica.catch_up_with(&primary).unwrap();
        on_disk(&replica);
        if rng.random_bool(0.2) {
            call::<()>(&mut primary.connection().unwrap(), "BGREWRITEAOF");
        }
        thread::sleep(Duration::from_millis(rng.random_range(0..400)));
        let what = match rng.random_range(0..4) {
            0 => {
                replica.kill().unwrap();
                thread::sleep(Duration::from_millis(rng.random_range(0..300)));
                replica.start().unwrap();
                "replica"
            }
            1 => {
                primary.kill().unwrap();
                primary.start().unwrap();
                "primary"
            }
            2 => {
                primary.kill().unwrap();
                replica.promote().unwrap();
                seen.forget(&mut replica.connection().unwrap(), load.acknowledged());
                std::mem::swap(&mut primary, &mut replica);
                load.turn_to(&primary);
                replica.start().unwrap();
                "primary, for good"
            }
            _ => {
                primary.kill().unwrap();
                replica.kill().unwrap();
                primary.start().unwrap();
                replica.start().unwrap();
                "both"
            }
        };
        replica.follow(&primary).unwrap();
        let before = observed(&mut primary.connection().unwrap(), "pushed");
        eventually(SOON, || observed(&mut primary.connection().unwrap(), "pushed") > before);
        println!("kill {kill} of {kills}: {what}");
        survivors_agree(&primary, &replica, &load, &mut seen);
    }
    let written = seen.fingerprints.len();
    println!("{kills} kills, {} observations, {written} fingerprints on the last primary", load.acknowledged());
    assert!(written > 0);
}
