//! Producers: a small shop's calls for every monitor, and what goes wrong in them, which is known beforehand.

use crate::stage::{Stage, Url};
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::Connection;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, SystemTime};

pub(crate) const MONITORS: usize = 20;
pub(crate) const WINDOW_MS: u64 = 200;
const PRODUCERS: usize = 4;
/// 2,000 observations a second: about five for every monitor, twenty times a second.
const BEAT: Duration = Duration::from_millis(50);
const A_BEAT: RangeInclusive<usize> = 3..=7;
const A_WINDOW: RangeInclusive<usize> = 12..=28;
/// Few, so that 200 ms hold enough calls of each to be sure of something.
const SERVICES: [&str; 2] = ["web", "pay"];
const LASTS_MS: u64 = 3_000;
/// From the end of a fault to the next.
const CALM_MS: Range<u64> = 15_000..25_000;

/// The monitor's name.
pub(crate) fn name(monitor: usize) -> String {
    format!("m{monitor}")
}

/// ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Calm windows before everything else: a worker that knows next to nothing can't be sure of much.
const HISTORY: u64 = 1_500;
/// As many as the module keeps until they are written.
const AT_ONCE: u64 = 40;

/// Gives every monitor its history, which ends now, and sets its clock to the server's.
pub(crate) fn history(connection: &mut Connection, seed: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let end = now_ms() / WINDOW_MS + 1;
    for first in (end - HISTORY..end).step_by(AT_ONCE as usize) {
        let mut pipe = redis::pipe();
        for monitor in 0..MONITORS {
            let key = name(monitor);
            for window in first..(first + AT_ONCE).min(end) {
                // Where nothing was observed yet, this only says what time it is.
                pipe.cmd("EDDY.CLOSE").arg(&key).arg(window * WINDOW_MS).ignore();
                let calls = pipe.cmd("EDDY.MOBSERVE").arg(&key).arg(&["3", "service", "status", "latency_ms"]);
                for _ in 0..random.random_range(A_WINDOW) {
                    let (service, status, latency) = call(&mut random, None);
                    calls.arg(service).arg(status).arg(latency);
                }
                calls.ignore();
            }
        }
        pipe.exec(connection)?;
        let waiting = |connection: &mut Connection| -> Result<bool> {
            let info: String = redis::cmd("INFO").arg("eddyline").query(connection)?;
            Ok(!info.lines().any(|line| line.trim_end() == "eddyline_fingerprints_waiting:0"))
        };
        while waiting(connection)? {
            sleep(Duration::from_millis(2));
        }
    }
    for monitor in 0..MONITORS {
        redis::cmd("EDDY.ALTER").arg(name(monitor)).arg(&["CLOCK", "server"]).exec(connection)?;
    }
    Ok(())
}

/// Service, status and latency of one call.
fn call(random: &mut StdRng, fault: Option<Fault>) -> (&'static str, &'static str, f64) {
    let service = SERVICES[random.random_range(0..SERVICES.len())];
    let latency = 10.0 * random.random_range(0.5..2.0_f64);
    let fails = random.random_range(0..10) < 8;
    let (status, latency) = match fault {
        Some(Fault::Errors) if fails => ("500", latency),
        Some(Fault::Slow) => ("200", 40.0 * latency),
        Some(Fault::Refused) => ("429", 1.0),
        _ => ("200", latency),
    };
    (service, status, latency.round())
}

/// What goes wrong. Not that calls are missing: blows do that to all monitors, every ten seconds or so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Most calls fail.
    Errors,
    /// All take longer.
    Slow,
    /// All are turned away at once.
    Refused,
    /// There are eight times as many.
    Surge,
}

const FAULT_KINDS: [Fault; 4] = [Fault::Errors, Fault::Slow, Fault::Refused, Fault::Surge];

/// When something goes wrong, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Injection {
    pub(crate) monitor: usize,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) fault: Fault,
}

/// Producers at work, until they are dropped.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    producers: Vec<JoinHandle<()>>,
}

struct Shared {
    url: Url,
    injections: Vec<Injection>,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    over: AtomicBool,
    began_ms: u64,
    calm_ms: u64,
}

impl Feed {
    /// Starts producing; faults come from `calm` on, the last one ends before `ends`.
    pub(crate) fn start(stage: &Stage, seed: u64, calm: Duration, ends: Duration) -> Self {
        let began = now_ms();
        let (from, to) = (began + calm.as_millis() as u64, began + ends.as_millis() as u64);
        let mut random = StdRng::seed_from_u64(seed);
        let mut injections = Vec::new();
        for monitor in 0..MONITORS {
            let mut at = from + random.random_range(0..12_000);
            while at + LASTS_MS < to {
                let fault = FAULT_KINDS[random.random_range(0..FAULT_KINDS.len())];
                injections.push(Injection { monitor, from_ms: at, to_ms: at + LASTS_MS, fault });
                at += LASTS_MS + random.random_range(CALM_MS);
            }
        }
        let shared = Arc::new(Shared {
            url: stage.url(),
            injections,
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            over: AtomicBool::new(false),
            began_ms: began,
            calm_ms: from,
        });
        let producer = |i: usize| {
            let (shared, random) = (Arc::clone(&shared), StdRng::seed_from_u64(seed ^ ((i as u64 + 1) << 32)));
            thread::spawn(move || shared.produce(i, random))
        };
        Self { producers: (0..PRODUCERS).map(producer).collect(), shared }
    }

    /// What went wrong, and when.
    pub(crate) fn injections(&self) -> &[Injection] {
        &self.shared.injections
    }

    /// Observations that the server took, and commands that it didn't answer well.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.shared.acknowledged.load(Ordering::Relaxed), self.shared.refused.load(Ordering::Relaxed))
    }

    /// When the first fault could come, ms since the epoch.
    pub(crate) fn calm_ms(&self) -> u64 {
        self.shared.calm_ms
    }

    /// When the producers began, ms since the epoch.
    pub(crate) fn began_ms(&self) -> u64 {
        self.shared.began_ms
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for producer in self.producers.drain(..) {
            let _ = producer.join();
        }
    }
}

impl Shared {
    fn produce(&self, producer: usize, mut random: StdRng) {
        while !self.over.load(Ordering::Relaxed) {
            let url = self.url.lock().expect("no panic").clone();
            let connected = redis::Client::open(url.as_str()).and_then(|client| client.get_connection());
            let Ok(mut connection) = connected else {
                sleep(Duration::from_millis(20));
                continue;
            };
            let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
            while !self.over.load(Ordering::Relaxed) && *self.url.lock().expect("no panic") == url {
                let began = std::time::Instant::now();
                let (pipe, count) = self.beat(producer, &mut random);
                if pipe.exec(&mut connection).is_err() {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                self.acknowledged.fetch_add(count, Ordering::Relaxed);
                sleep(BEAT.saturating_sub(began.elapsed()));
            }
        }
    }

    fn beat(&self, producer: usize, random: &mut StdRng) -> (redis::Pipeline, u64) {
        let (mut pipe, mut count, now) = (redis::pipe(), 0, now_ms());
        for monitor in (producer..MONITORS).step_by(PRODUCERS) {
            let fault = self.fault(monitor, now);
            let calls = random.random_range(A_BEAT) * if fault == Some(Fault::Surge) { 8 } else { 1 };
            for _ in 0..calls {
                let (service, status, latency) = call(random, fault);
                pipe.cmd("EDDY.OBSERVE").arg(name(monitor)).arg(&["service", service, "status", status]);
                pipe.arg("latency_ms").arg(latency).ignore();
                count += 1;
            }
        }
        (pipe, count)
    }

    fn fault(&self, monitor: usize, now: u64) -> Option<Fault> {
        let at = |injection: &&Injection| {
            injection.monitor == monitor && (injection.from_ms..injection.to_ms).contains(&now)
        };
        self.injections.iter().find(at).map(|injection| injection.fault)
    }
}
