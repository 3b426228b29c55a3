//! Memory of a default monitor after few and after many distinct items, beside what `DRYRUN` promised.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use eddyline_testkit::Server;
use indicatif::ProgressBar;

use super::ratio::{DEFINITION, FIELDS};
use super::row::{Measured, Row};
use super::stage::{Stage, command};
use crate::stop;

/// The row's name.
pub(super) const ROW: &str = "memory";

/// Distinct items of each field.
const DISTINCT: [u64; 3] = [1_000, 100_000, 10_000_000];
/// Observations in one command, and commands sent at once.
const BATCH: u64 = 100;
const PIPELINE: u64 = 100;
const AT_MOST: f64 = (1 << 20) as f64;
/// Part by which figures may differ from each other and from the promise.
const TOLERANCE: f64 = 0.05;

pub(super) fn measure(stage: &Stage, bar: &ProgressBar, _: &[&str], _: u32) -> Result<Vec<Row>> {
    let (mut promised, mut used, mut told) = (0.0, Vec::new(), Vec::new());
    for distinct in DISTINCT {
        let server = stage.with_module()?;
        promised = promise(&server)?;
        // the server keeps a histogram of every command that it has run once
        command("CONFIG SET latency-tracking no").exec(&mut server.connection()?)?;
        let before = used_memory(&server)?;
        command(&format!("EDDY.CREATE m CLOCK stream {DEFINITION}")).exec(&mut server.connection()?)?;
        observe(&server, distinct, bar)?;
        used.push(used_memory(&server)? - before);
        told.push(command("MEMORY USAGE m").query::<f64>(&mut server.connection()?)?);
    }
    let kib = |bytes: &[f64]| bytes.iter().map(|bytes| format!("{:.0}", bytes / 1024.0)).collect::<Vec<_>>().join(", ");
    let near = |bytes: f64, other: f64| (bytes / other - 1.0).abs() <= TOLERANCE;
    let measured = Measured {
        text: format!("{} KiB used, {} KiB told, {} KiB promised", kib(&used), kib(&told), kib(&[promised])),
        holds: used.iter().all(|&bytes| bytes <= AT_MOST && near(bytes, used[0]) && near(bytes, promised)),
    };
    Ok(vec![Row {
        work: "memory of a monitor after 10³, 10⁵, 10⁷ distinct items: `used_memory`, `MEMORY USAGE`, `DRYRUN`"
            .to_owned(),
        measured: Some(measured),
        bar: "the same ± 5 %, ≤ 1024 KiB".to_owned(),
    }])
}

/// What `DRYRUN` says that the monitor takes.
fn promise(server: &Server) -> Result<f64> {
    let line = format!("EDDY.CREATE m {DEFINITION} DRYRUN");
    let reply: BTreeMap<String, f64> = command(&line).query(&mut server.connection()?)?;
    reply.get("monitor_bytes").copied().context("DRYRUN doesn't tell monitor_bytes")
}

/// What the server has allocated, without what it keeps for connections.
fn used_memory(server: &Server) -> Result<f64> {
    let mut connection = server.connection()?;
    // a connection that was closed a moment ago still has its buffers
    while command("CLIENT LIST").query::<String>(&mut connection)?.lines().count() > 1 {
        stop::sleep(Duration::from_millis(20))?;
    }
    command("MEMORY PURGE").exec(&mut connection)?;
    let info: String = command("INFO memory").query(&mut connection)?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).context("INFO has no used_memory")?;
    Ok(used.trim().parse()?)
}

/// One window with this many distinct items in every field.
fn observe(server: &Server, distinct: u64, bar: &ProgressBar) -> Result<()> {
    let mut connection = server.connection()?;
    command("EDDY.CLOSE m 1700000000000").exec(&mut connection)?;
    let columns = format!("EDDY.MOBSERVE m {} {}", FIELDS.len(), FIELDS.join(" "));
    let mut next = 0;
    while next < distinct {
        stop::check()?;
        bar.set_message(format!("{next} of {distinct} distinct items"));
        let mut pipe = redis::pipe();
        for _ in 0..PIPELINE.min((distinct - next).div_ceil(BATCH)) {
            let batch = pipe.add_command(command(&columns));
            for item in next..next + BATCH {
                FIELDS.iter().for_each(|_| {
                    batch.arg(item);
                });
            }
            next += BATCH;
        }
        pipe.exec(&mut connection)?;
    }
    Ok(())
}
