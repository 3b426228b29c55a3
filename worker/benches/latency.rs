//! How long after a window's end an alert about it is heard, with the real module, worker and a subscriber on loopback.
//!
//! `cargo bench -p eddyline --bench latency`. Two dozen monitors with windows of 100 ms get a burst of errors every 6 s. A
//! sample is the time from the boundary at the end of a window, by the machine's clock, to the arrival of the alert that
//! the window led to. Fails when p99 is above 100 ms.

use eddyline_testkit::Server;
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::ALERTS;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

const MONITORS: usize = 24;
const WINDOW_MS: u64 = 100;
/// Windows to learn from.
const HISTORY: u64 = 80;
/// A burst of so many windows begins every so many windows.
const BURST: u64 = 3;
const CYCLE: u64 = 60;
const SAMPLES: usize = 300;
const PATIENCE: Duration = Duration::from_secs(120);
const LIMIT_MS: f64 = 100.0;

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn main() -> ExitCode {
    let server = Server::with_module().start().expect("a server with the module");
    let mut connection = server.connection().expect("a connection");
    for i in 0..MONITORS {
        let create = format!("EDDY.CREATE m{i} SOURCES 1 s{i} WINDOW {WINDOW_MS} DIMENSIONS 2 service status");
        let words: Vec<&str> = create.split(' ').collect();
        redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection).expect("a monitor");
    }
    let _worker = Worker(
        Command::new(env!("CARGO_BIN_EXE_eddyline"))
            .args(["worker", "--redis", &server.url(), "--budget", "1000", "--quiet-after", "4"])
            .stderr(Stdio::null())
            .spawn()
            .expect("a worker"),
    );
    let mut samples = Vec::new();
    let listener = {
        let mut connection = server.connection().expect("a connection");
        std::thread::spawn(move || {
            let mut subscription = connection.as_pubsub();
            subscription.subscribe(ALERTS).expect("a subscription");
            let deadline = Instant::now() + PATIENCE;
            while samples.len() < SAMPLES && Instant::now() < deadline {
                let Ok(message) = subscription.get_message() else { continue };
                let heard = now_ms();
                let alert: Alert = serde_json::from_slice(message.get_payload_bytes()).expect("an alert");
                samples.push(heard - alert.window_end_ms as f64);
            }
            samples
        })
    };
    let first = now_ms() as u64 / WINDOW_MS;
    let mut random = 1_u64;
    while !listener.is_finished() {
        let window = now_ms() as u64 / WINDOW_MS - first;
        let mut pipe = redis::pipe();
        for i in 0..MONITORS as u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let service = ["web", "pay", "stock"][(random >> 33) as usize % 3];
            pipe.cmd("XADD").arg(format!("s{i}")).arg(&["MAXLEN", "~", "10000", "*"]);
            pipe.arg(&["service", service, "status", "200"]);
            // The monitors' bursts are staggered, as unrelated incidents are.
            if window > HISTORY && (window + 5 * i) % CYCLE < BURST {
                for _ in 0..10 {
                    pipe.cmd("XADD").arg(format!("s{i}")).arg(&["MAXLEN", "~", "10000", "*"]);
                    pipe.arg(&["service", "pay", "status", "500"]);
                }
            }
        }
        pipe.exec(&mut connection).expect("events are taken");
        sleep(Duration::from_millis(3));
    }
    report(listener.join().expect("the listener ends"))
}

fn report(mut samples: Vec<f64>) -> ExitCode {
    samples.sort_by(f64::total_cmp);
    if samples.len() < SAMPLES {
        eprintln!("only {} alerts in {PATIENCE:?}, {SAMPLES} were wanted", samples.len());
        return ExitCode::FAILURE;
    }
    let at = |q: f64| samples[((samples.len() - 1) as f64 * q).round() as usize];
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    println!(
        "window's end to alert heard, {SAMPLES} alerts of {MONITORS} monitors: p50 {p50:.1} ms  p99 {p99:.1} ms  max {max:.1} ms"
    );
    if p99 <= LIMIT_MS { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
