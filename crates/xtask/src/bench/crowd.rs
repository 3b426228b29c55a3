//! A thousand monitors whose windows close at the same moment, and what a `PING` waits.

use std::time::Duration;

use anyhow::Result;
use eddyline_testkit::Server;
use indicatif::ProgressBar;

use super::ping::longest_ms_within;
use super::row::{Measured, Row, median};
use super::stage::{Stage, command};

/// The row's name.
pub(super) const ROW: &str = "ping-monitors";

const MONITORS: usize = 1000;
/// Observations in each window of each monitor.
const OBSERVATIONS: usize = 8;
/// How long one round pings: a few windows' ends.
const ROUND: Duration = Duration::from_secs(5);
/// More than the longest of an idle server.
const AT_MOST_MS: f64 = 5.0;

pub(super) fn measure(stage: &Stage, bar: &ProgressBar, _: &[&str], rounds: u32) -> Result<Vec<Row>> {
    let (idle, busy) = (stage.with_module()?, stage.with_module()?);
    bar.set_message(format!("making {MONITORS} monitors"));
    let mut connection = busy.connection()?;
    let mut create = redis::pipe();
    for i in 0..MONITORS {
        create.add_command(command(&format!(
            "EDDY.CREATE m{i} WINDOW 1000 DIMENSIONS 2 service status MEASURES 1 latency_ms"
        )));
    }
    create.exec(&mut connection)?;
    let (mut longest_idle, mut longest_busy) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        bar.set_message(format!("round {round} of {rounds}: PING beside {MONITORS} monitors"));
        longest_idle.push(longest_ms_within(&idle, ROUND)?);
        observe(&busy)?;
        longest_busy.push(longest_ms_within(&busy, ROUND)?);
    }
    let closed: u64 = command("XLEN {m0}:fingerprints").query(&mut connection)?;
    let (idle, busy) = (median(&mut longest_idle), median(&mut longest_busy));
    let measured = Measured {
        text: format!("{:+.1} ms: {busy:.1} ms, idle {idle:.1} ms ({closed} windows each)", busy - idle),
        holds: busy - idle <= AT_MOST_MS,
    };
    Ok(vec![Row {
        work: format!(
            "{MONITORS} monitors with 1 s windows closing together, longest `PING` by that of an idle server"
        ),
        measured: Some(measured),
        bar: format!("≤ +{AT_MOST_MS} ms"),
    }])
}

/// Something for every monitor to count.
fn observe(server: &Server) -> Result<()> {
    let mut observe = redis::pipe();
    for i in 0..MONITORS {
        for j in 0..OBSERVATIONS {
            let line = format!("EDDY.OBSERVE m{i} service s{j} status {} latency_ms {}", 200 + 100 * (j % 4), i + j);
            observe.add_command(command(&line));
        }
    }
    Ok(observe.exec(&mut server.connection()?)?)
}
