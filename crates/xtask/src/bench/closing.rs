//! What closing a window costs the server's main thread: the closing itself, its place in the log, the fingerprint, the
//! wake-up of workers.
//!
//! Part of that is a command, part is the timer's, so no statistic of commands has it all. The kernel has: the thread's
//! processor time from just before `EDDY.CLOSE` until the fingerprint was told and the thread waits again, less what a
//! `PING` takes the same way.

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use eddyline_testkit::Server;
use indicatif::ProgressBar;
use redis::Connection;

use super::cost::main_thread_ns;
use super::items::Items;
use super::row::{Measured, Row, median, quantile};
use super::stage::{Stage, command};
use crate::stop;

/// The row's name.
pub(super) const ROW: &str = "close";

/// Closings one at a time in a round, closings of many at once, and how many those are.
const CLOSINGS: usize = 200;
const CLOSINGS_TOGETHER: usize = 10;
const TOGETHER: usize = 50;
const FIELDS: &str = "service endpoint status user";
/// Observations in a window, their items random ones out of 10⁶.
const OBSERVATIONS: usize = 5000;
const WINDOW_MS: u64 = 5000;
/// A window's end.
const FIRST_MS: u64 = 1_700_000_000_000;
/// Longer than the timer takes to send.
const SETTLED: Duration = Duration::from_millis(4);
const AT_MOST_US: f64 = 60.0;

pub(super) fn measure(stage: &Stage, bar: &ProgressBar, _: &[&str], rounds: u32) -> Result<Vec<Row>> {
    let server = stage.with_module()?;
    let mut connection = server.connection()?;
    // the server's own housekeeping isn't the closing's
    command("CONFIG SET hz 1 dynamic-hz no").exec(&mut connection)?;
    let mut ends = FIRST_MS;
    let names: Vec<String> = (0..TOGETHER).map(|i| format!("closed{i}")).collect();
    for name in &names {
        command(&format!("EDDY.CREATE {name} CLOCK stream BUCKETS 32 DIMENSIONS 4 {FIELDS}")).exec(&mut connection)?;
        command(&format!("EDDY.CLOSE {name} {FIRST_MS}")).exec(&mut connection)?;
    }
    let mut items = Items::new();
    let (mut alone, mut together, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        bar.set_message(format!("round {round} of {rounds}: closing windows one at a time"));
        for _ in 0..CLOSINGS {
            ends += WINDOW_MS;
            fill(&mut connection, &mut items, &names[0])?;
            pings.push(spent_us(&server, SETTLED, || Ok(redis::cmd("PING").exec(&mut connection)?))?);
            alone.push(spent_us(&server, SETTLED, || close(&mut connection, &names[..1], ends))?);
        }
        bar.set_message(format!("round {round} of {rounds}: closing {TOGETHER} windows at once"));
        for _ in 0..CLOSINGS_TOGETHER {
            ends += WINDOW_MS;
            names.iter().try_for_each(|name| fill(&mut connection, &mut items, name))?;
            let spent = spent_us(&server, SETTLED * TOGETHER as u32, || close(&mut connection, &names, ends))?;
            together.push(spent / TOGETHER as f64);
        }
    }
    let written: usize = command("XLEN {closed0}:fingerprints").query(&mut connection)?;
    if written != alone.len() + together.len() {
        bail!("{} windows were closed, but {written} fingerprints written", alone.len() + together.len());
    }
    let ping = median(&mut pings);
    alone.iter_mut().for_each(|closing| *closing -= ping);
    let row = |work: &str, spent: &mut [f64]| {
        let [p50, p99] = [0.5, 0.99].map(|q| quantile(spent, q));
        Row {
            work: format!("closing a window of 4 dimensions × 32 buckets, its fingerprint written: {work}"),
            measured: Some(Measured { text: format!("p99 {p99:.0} µs, p50 {p50:.0} µs"), holds: p99 <= AT_MOST_US }),
            bar: format!("p99 ≤ {AT_MOST_US} µs"),
        }
    };
    let each = format!("each of {TOGETHER} at once");
    Ok(vec![row("one, after the server has slept", &mut alone), row(&each, &mut together)])
}

/// Closes the open windows of `names`, which end at `end`.
fn close(connection: &mut Connection, names: &[String], end: u64) -> Result<()> {
    let mut closings = redis::pipe();
    for name in names {
        closings.add_command(command(&format!("EDDY.CLOSE {name} {end}")));
    }
    Ok(closings.exec(connection)?)
}

/// A window of observations.
fn fill(connection: &mut Connection, items: &mut Items, name: &str) -> Result<()> {
    stop::check()?;
    const BATCH: usize = 20;
    let mut observe = redis::pipe();
    for _ in 0..OBSERVATIONS / BATCH {
        let batch = observe.add_command(command(&format!("EDDY.MOBSERVE {name} 4 {FIELDS}")));
        for _ in 0..4 * BATCH {
            batch.arg(items.draw());
        }
    }
    Ok(observe.exec(connection)?)
}

/// Microseconds of the main thread that `f` leads to, until all is done and the thread waits again.
fn spent_us(server: &Server, settled: Duration, f: impl FnOnce() -> Result<()>) -> Result<f64> {
    thread::sleep(SETTLED);
    let before = main_thread_ns(server)?;
    f()?;
    thread::sleep(settled);
    Ok((main_thread_ns(server)? - before) as f64 / 1e3)
}
