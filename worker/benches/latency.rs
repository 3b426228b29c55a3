//! How long after a window's close an alert about it is heard, with the real module, worker and a subscriber on loopback.
//!
//! `cargo bench -p eddyline --bench latency` (with `--profile dev` nothing is built twice). Two dozen monitors with windows
//! of 100 ms get bursts of errors. A sample is the time from a window's close to the arrival of the alert that the window
//! led to. With `CLOCK server` the close is the boundary at the window's end by the machine's clock; with `CLOCK stream` it
//! is the moment at which the entry that closes the window is sent. Fails when a p99 is above 100 ms.

use eddyline_testkit::Server;
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::ALERTS;
use redis::Connection;
use std::collections::BTreeMap;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

const MONITORS: u64 = 24;
const WINDOW_MS: u64 = 100;
/// Windows to learn from.
const HISTORY: u64 = 120;
/// A burst of so many windows begins every so many windows.
const BURST: u64 = 3;
const CYCLE: u64 = 60;
const SAMPLES: usize = 300;
const PATIENCE: Duration = Duration::from_secs(180);
const LIMIT_MS: f64 = 100.0;

/// When windows were closed: their end → ms since the epoch.
type Closes = Arc<Mutex<BTreeMap<u64, f64>>>;

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> ExitCode {
    let by_clock = samples("server", |connection, random, listener, closes| {
        let first = now_ms() as u64 / WINDOW_MS;
        while !listener.is_finished() {
            let window = now_ms() as u64 / WINDOW_MS;
            closes.lock().expect("no panic").insert((window + 1) * WINDOW_MS, ((window + 1) * WINDOW_MS) as f64);
            events(connection, random, window - first, "*", 1);
            sleep(Duration::from_millis(3));
        }
    });
    let by_entry = samples("stream", |connection, random, listener, closes| {
        let mut window = 0;
        while !listener.is_finished() {
            let start = window * WINDOW_MS + 1_700_000_000_000;
            closes.lock().expect("no panic").insert(start, now_ms());
            events(connection, random, window, &format!("{start}-*"), 20);
            window += 1;
            sleep(Duration::from_millis(30));
        }
    });
    let both = [report("window's end by the clock", by_clock), report("entry that closes the window", by_entry)];
    if both.iter().all(|good| *good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs `drive` until enough alerts were heard of monitors whose time `clock` moves; ms from close to alert.
fn samples(clock: &str, drive: impl FnOnce(&mut Connection, &mut u64, &JoinHandle<Vec<f64>>, &Closes)) -> Vec<f64> {
    let server = Server::with_module().start().expect("a server with the module");
    let mut connection = server.connection().expect("a connection");
    for i in 0..MONITORS {
        let create =
            format!("EDDY.CREATE m{i} SOURCES 1 s{i} CLOCK {clock} WINDOW {WINDOW_MS} DIMENSIONS 2 service status");
        let words: Vec<&str> = create.split(' ').collect();
        redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection).expect("a monitor");
    }
    let worker = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["worker", "--redis", &server.url(), "--budget", "1000", "--quiet-after", "4"])
        .stderr(Stdio::null())
        .spawn();
    let _worker = Worker(worker.expect("a worker"));
    let closes = Closes::default();
    let listener = listen(server.connection().expect("a connection"), Arc::clone(&closes));
    drive(&mut connection, &mut 1, &listener, &closes);
    listener.join().expect("the listener ends")
}

fn listen(mut connection: Connection, closes: Closes) -> JoinHandle<Vec<f64>> {
    std::thread::spawn(move || {
        let mut samples = Vec::new();
        let mut subscription = connection.as_pubsub();
        subscription.subscribe(ALERTS).expect("a subscription");
        let deadline = Instant::now() + PATIENCE;
        while samples.len() < SAMPLES && Instant::now() < deadline {
            let Ok(message) = subscription.get_message() else { continue };
            let heard = now_ms();
            let alert: Alert = serde_json::from_slice(message.get_payload_bytes()).expect("an alert");
            let closes = closes.lock().expect("no panic");
            samples.push(heard - closes.get(&alert.window_end_ms).expect("it was closed by us"));
        }
        samples
    })
}

/// `n` events for each monitor, and a burst where it is time for one. Bursts are staggered, as unrelated incidents are.
fn events(connection: &mut Connection, random: &mut u64, window: u64, id: &str, n: u64) {
    let mut pipe = redis::pipe();
    for i in 0..MONITORS {
        let mut add = |service: &str, status: &str| {
            pipe.cmd("XADD").arg(format!("s{i}")).arg(&["MAXLEN", "~", "10000", id]);
            pipe.arg(&["service", service, "status", status]);
        };
        for _ in 0..n {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            add(["web", "pay", "stock"][(*random >> 33) as usize % 3], "200");
        }
        if window > HISTORY && (window + 5 * i) % CYCLE < BURST {
            for _ in 0..10 * n {
                add("pay", "500");
            }
        }
    }
    pipe.exec(connection).expect("events are taken");
}

fn report(what: &str, mut samples: Vec<f64>) -> bool {
    if samples.len() < SAMPLES {
        eprintln!("{what}: only {} alerts in {PATIENCE:?}, {SAMPLES} were wanted", samples.len());
        return false;
    }
    samples.sort_by(f64::total_cmp);
    let at = |q: f64| samples[((samples.len() - 1) as f64 * q).round() as usize];
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    println!(
        "{what} to alert heard, {SAMPLES} alerts of {MONITORS} monitors: p50 {p50:.1} ms  p99 {p99:.1} ms  max {max:.1} ms"
    );
    p99 <= LIMIT_MS
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}
