//! What a crowd of monitors costs one worker: processor time, lag from the end of a window to its score, memory.
//!
//! `cargo bench -p eddyline --bench crowd`: 1,000 monitors with windows of 1 s and 32 summary features (six measures, one
//! field of distinct values and the count), a minute of history and a minute of measuring; `-- MONITORS HISTORY SECONDS`
//! for another size. A sample of lag is the time from a window's end by the machine's clock until its score is seen in
//! Redis, looked for every 20 ms in every 25th monitor. Fails where the worker needs more than a core, the p99 is above 1 s
//! or the resident memory above 1 GiB.

use eddyline_testkit::Server;
use redis::Connection;
use std::fs;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

const WINDOW_MS: u64 = 1000;
const DEFINITION: &str = "MEASURES 6 a b c d e f UNIQUES 1 u";
const FEATURES: usize = 32;
/// Observations of a monitor in a window, in one command.
const OBSERVATIONS: usize = 5;
/// Monitors are fed in so many groups, one after the other in each window.
const GROUPS: u64 = 20;
/// As many windows as the module keeps until they are written.
const AT_ONCE: u64 = 40;
const LOOKED_AT: usize = 25;
const LOOKS: Duration = Duration::from_millis(20);

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [monitors, history, seconds] = std::array::from_fn(|i| numbers.get(i).copied().unwrap_or([1000, 60, 60][i]));
    let server = Server::with_module().start().expect("a server with the module");
    let empty = resident(&start(&server), "VmRSS");
    let mut connection = server.connection().expect("a connection");
    for i in 0..monitors {
        let create = format!("EDDY.CREATE m{i} CLOCK stream WINDOW {WINDOW_MS} {DEFINITION}");
        let words: Vec<&str> = create.split(' ').collect();
        redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection).expect("a monitor");
    }
    let schema: Vec<redis::Value> = redis::cmd("EDDY.SCHEMA").arg("m0").query(&mut connection).expect("a schema");
    let mut random = 1;
    feed_history(&mut connection, &mut random, monitors, history);

    let worker = start(&server);
    let began = Instant::now();
    let names: Vec<String> = (0..monitors).map(|i| format!("m{i}")).collect();
    let (feeder, url) = (names.clone(), server.url());
    let fed = std::thread::spawn(move || feed(&url, random, &feeder, seconds + 20));
    let mut learnt = None;
    while learnt.is_none() {
        sleep(Duration::from_millis(100));
        let last = last_scores(&mut connection, &names);
        let behind = last.iter().filter(|last| now_ms().saturating_sub(**last) > 3 * WINDOW_MS).count();
        learnt = (behind == 0).then(|| began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(300), "{behind} monitors are still behind");
    }
    let (mut lags, cpu, from) = (Vec::new(), processor(&worker), Instant::now());
    let looked_at: Vec<String> = names.iter().step_by(LOOKED_AT).cloned().collect();
    let mut known = last_scores(&mut connection, &looked_at);
    while from.elapsed() < Duration::from_secs(seconds) {
        for (known, last) in known.iter_mut().zip(last_scores(&mut connection, &looked_at)) {
            if last > *known {
                lags.push(now_ms().saturating_sub(last) as f64);
                *known = last;
            }
        }
        sleep(LOOKS);
    }
    let cores = (processor(&worker) - cpu) / from.elapsed().as_secs_f64();
    let (now, peak) = (resident(&worker, "VmRSS"), resident(&worker, "VmHWM"));
    fed.join().expect("the feeder ends");

    lags.sort_by(f64::total_cmp);
    let at = |q: f64| lags[((lags.len() - 1) as f64 * q).round() as usize];
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    println!(
        "{monitors} monitors, windows of {WINDOW_MS} ms, {FEATURES} summary features ({} in the reply)",
        schema.len()
    );
    println!("learnt {history} windows of each within {:.1} s", learnt.expect("waited for").as_secs_f64());
    println!("processor: {cores:.2} cores over {seconds} s");
    println!("lag of {} windows: p50 {:.0} ms, p99 {:.0} ms, most {:.0} ms", lags.len(), at(0.5), at(0.99), at(1.0));
    println!(
        "resident memory: {:.0} MiB, at most {:.0} MiB; {:.0} KiB a monitor",
        mib(now),
        mib(peak),
        (now - empty) / monitors as f64 / 1024.0
    );
    if cores <= 1.0 && at(0.99) <= 1000.0 && mib(peak) <= 1024.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn start(server: &Server) -> Worker {
    let worker = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["worker", "--redis", &server.url(), "--listen", "none"])
        .stderr(Stdio::null())
        .spawn();
    let worker = Worker(worker.expect("a worker"));
    sleep(Duration::from_secs(1));
    worker
}

/// One command with what a window of monitor `name` observes.
fn observe(pipe: &mut redis::Pipeline, random: &mut u64, name: &str) {
    let command = pipe.cmd("EDDY.MOBSERVE").arg(name).arg(&["7", "a", "b", "c", "d", "e", "f", "u"]);
    for _ in 0..OBSERVATIONS {
        for _ in 0..7 {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            command.arg(1 + (*random >> 33) % 1000);
        }
    }
    command.ignore();
}

/// Windows up to now, then time is the server's.
fn feed_history(connection: &mut Connection, random: &mut u64, monitors: u64, history: u64) {
    let end = now_ms() / WINDOW_MS;
    for first in (end - history..end).step_by(AT_ONCE as usize) {
        for group in 0..GROUPS {
            let mut pipe = redis::pipe();
            for i in (group..monitors).step_by(GROUPS as usize) {
                for window in first..(first + AT_ONCE).min(end) {
                    pipe.cmd("EDDY.CLOSE").arg(format!("m{i}")).arg(window * WINDOW_MS).ignore();
                    observe(&mut pipe, random, &format!("m{i}"));
                }
            }
            pipe.exec(connection).expect("history is taken");
        }
        loop {
            let info: String = redis::cmd("INFO").arg("eddyline").query(connection).expect("INFO");
            if info.lines().any(|line| line.trim_end() == "eddyline_fingerprints_waiting:0") {
                break;
            }
            sleep(Duration::from_millis(5));
        }
    }
    for i in 0..monitors {
        redis::cmd("EDDY.ALTER")
            .arg(format!("m{i}"))
            .arg(&["CLOCK", "server"])
            .exec(connection)
            .expect("an alteration");
    }
}

/// Observations for every monitor in every window, evenly over it.
fn feed(url: &str, mut random: u64, names: &[String], seconds: u64) {
    let mut connection = redis::Client::open(url).and_then(|client| client.get_connection()).expect("a connection");
    let pause = Duration::from_millis(WINDOW_MS / GROUPS);
    let began = Instant::now();
    for beat in 0..seconds * GROUPS {
        let mut pipe = redis::pipe();
        for name in names.iter().skip((beat % GROUPS) as usize).step_by(GROUPS as usize) {
            observe(&mut pipe, &mut random, name);
        }
        pipe.exec(&mut connection).expect("observations are taken");
        sleep((pause * (beat as u32 + 1)).saturating_sub(began.elapsed()));
    }
}

/// End of the last window that has a score, ms since the epoch, of each monitor.
fn last_scores(connection: &mut Connection, names: &[String]) -> Vec<u64> {
    let mut pipe = redis::pipe();
    for name in names {
        pipe.cmd("XREVRANGE").arg(format!("{{{name}}}:scores")).arg("+").arg("-").arg("COUNT").arg(1);
    }
    let replies: Vec<Vec<(String, redis::Value)>> = pipe.query(connection).expect("scores");
    let end = |reply: &Vec<(String, redis::Value)>| reply.first()?.0.split('-').next()?.parse().ok();
    replies.iter().map(|reply| end(reply).unwrap_or(0)).collect()
}

/// Seconds of processor time so far.
fn processor(worker: &Worker) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", worker.0.id())).expect("the worker's times");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks = |i: usize| fields[i].parse::<f64>().expect("a number");
    // Clock ticks are 1/100 s on every Linux that Rust runs on.
    (ticks(11) + ticks(12)) / 100.0
}

/// Bytes of memory, by the field's name.
fn resident(worker: &Worker, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", worker.0.id())).expect("the worker's memory");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect("the field");
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1024.0
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
