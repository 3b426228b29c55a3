//! A monitor that attaches to a long stream, and what a `PING` waits meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use redis::{Connection, Value};

use super::items::Items;
use super::ping::{longest_ms, longest_ms_within};
use super::ratio::{DEFINITION, FIELDS};
use super::row::{Measured, Row, median};
use super::stage::{Stage, command};
use crate::stop;

/// The row's name.
pub(super) const ROW: &str = "ping-attach";

const MONITOR: &str = "attached";
const ENTRIES: usize = 1_000_000;
/// Entries sent at once.
const BATCH: usize = 10_000;
/// How long an idle server is pinged.
const IDLE: Duration = Duration::from_secs(3);
/// How often the monitor is asked whether it has read all.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(120);
/// More than the longest of an idle server.
const AT_MOST_MS: f64 = 10.0;

pub(super) fn measure(stage: &Stage, bar: &ProgressBar, _: &[&str], rounds: u32) -> Result<Vec<Row>> {
    let server = stage.with_module()?;
    bar.set_message(format!("a stream of {ENTRIES} entries"));
    let mut connection = server.connection()?;
    fill(&mut connection)?;
    let (mut idle, mut busy, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        bar.set_message(format!("round {round} of {rounds}: PING beside a monitor that reads {ENTRIES} entries"));
        idle.push(longest_ms_within(&server, IDLE)?);
        let start = Instant::now();
        command(&format!("EDDY.CREATE {MONITOR} SOURCES 1 events FROM 0 {DEFINITION}")).exec(&mut connection)?;
        let mut asked = start;
        busy.push(longest_ms(&server, || {
            if start.elapsed() > PATIENCE {
                bail!("{ENTRIES} entries weren't read in {PATIENCE:?}");
            }
            // asked seldom: the question takes the server's time too
            if asked.elapsed() < BETWEEN_QUESTIONS {
                return Ok(true);
            }
            asked = Instant::now();
            reads(&mut connection)
        })?);
        took.push(start.elapsed().as_secs_f64());
        command("DEL attached {attached}:fingerprints {attached}:schemas").exec(&mut connection)?;
    }
    let (idle, busy, took) = (median(&mut idle), median(&mut busy), median(&mut took));
    let measured = Measured {
        text: format!("{:+.1} ms: {busy:.1} ms, idle {idle:.1} ms (read in {took:.1} s)", busy - idle),
        holds: busy - idle <= AT_MOST_MS,
    };
    Ok(vec![Row {
        work: "a monitor attaches to a stream of 1 M entries, longest `PING` by that of the idle server".to_owned(),
        measured: Some(measured),
        bar: format!("≤ +{AT_MOST_MS} ms"),
    }])
}

/// Whether the monitor still has entries to read.
fn reads(connection: &mut Connection) -> Result<bool> {
    let info: BTreeMap<String, Value> = redis::cmd("EDDY.INFO").arg(MONITOR).query(connection)?;
    Ok(!matches!(info.get("following"), Some(Value::BulkString(text)) if text == b"yes"))
}

/// Entries of the last hour.
fn fill(connection: &mut Connection) -> Result<()> {
    const HOUR_MS: usize = 3_600_000;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis() as usize;
    let mut items = Items::new();
    for first in (0..ENTRIES).step_by(BATCH) {
        stop::check()?;
        let mut add = redis::pipe();
        for i in first..first + BATCH {
            let id = now - HOUR_MS + i * HOUR_MS / ENTRIES;
            let add = add.cmd("XADD").arg("events").arg(format!("{id}-*")).ignore();
            FIELDS.iter().for_each(|field| {
                add.arg(field).arg(items.draw());
            });
        }
        add.exec(connection)?;
    }
    Ok(())
}
