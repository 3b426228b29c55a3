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

/// Closings in one round.
const CLOSINGS: u64 = 200;
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
    command("EDDY.CREATE closed CLOCK stream BUCKETS 32 DIMENSIONS 4 service endpoint status user")
        .exec(&mut connection)?;
    command(&format!("EDDY.CLOSE closed {FIRST_MS}")).exec(&mut connection)?;
    let mut items = Items::new();
    let all = u64::from(rounds) * CLOSINGS;
    let (mut closings, mut pings) = (Vec::new(), Vec::new());
    for closing in 1..=all {
        bar.set_message(format!("closing {closing} of {all}"));
        stop::check()?;
        fill(&mut connection, &mut items)?;
        pings.push(spent_us(&server, || Ok(redis::cmd("PING").exec(&mut connection)?))?);
        let close = command(&format!("EDDY.CLOSE closed {}", FIRST_MS + closing * WINDOW_MS));
        closings.push(spent_us(&server, || Ok(close.exec(&mut connection)?))?);
    }
    let written: u64 = command("XLEN {closed}:fingerprints").query(&mut connection)?;
    if written != all {
        bail!("{all} windows were closed, but {written} fingerprints written");
    }
    let ping = median(&mut pings);
    closings.iter_mut().for_each(|closing| *closing -= ping);
    let [p50, p99] = [0.5, 0.99].map(|q| quantile(&mut closings, q));
    let measured = Measured {
        text: format!("p99 {p99:.0} µs, p50 {p50:.0} µs, of {all} windows of {OBSERVATIONS}"),
        holds: p99 <= AT_MOST_US,
    };
    Ok(vec![Row {
        work: "closing a window of 4 dimensions × 32 buckets, its fingerprint written".to_owned(),
        measured: Some(measured),
        bar: format!("p99 ≤ {AT_MOST_US} µs"),
    }])
}

/// A window of observations.
fn fill(connection: &mut Connection, items: &mut Items) -> Result<()> {
    const BATCH: usize = 20;
    let mut observe = redis::pipe();
    for _ in 0..OBSERVATIONS / BATCH {
        let batch = observe.add_command(command("EDDY.MOBSERVE closed 4 service endpoint status user"));
        for _ in 0..4 * BATCH {
            batch.arg(items.draw());
        }
    }
    Ok(observe.exec(connection)?)
}

/// Microseconds of the main thread that `f` leads to, until all is done and the thread waits again.
fn spent_us(server: &Server, f: impl FnOnce() -> Result<()>) -> Result<f64> {
    thread::sleep(SETTLED);
    let before = main_thread_ns(server)?;
    f()?;
    thread::sleep(SETTLED);
    Ok((main_thread_ns(server)? - before) as f64 / 1e3)
}
