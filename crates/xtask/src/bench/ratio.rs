//! Rows that are a ratio: what one thing costs the server, by what another one costs it.

use anyhow::Result;
use eddyline_testkit::Server;
use indicatif::ProgressBar;

use super::load::{Load, RANDOM, check_random};
use super::row::{Measured, Row, median};
use super::stage::{Stage, command};

/// Names of the rows.
pub(super) const ROWS: [&str; 4] = ["observe", "mobserve", "source", "cms"];

/// Things done in one measurement.
const COUNT: u64 = 320_000;
/// Observations in one `EDDY.MOBSERVE`.
const BATCH: u64 = 32;
/// An observation has these; every value is a random number out of 10⁶.
pub(super) const FIELDS: [&str; 5] = ["service", "endpoint", "status", "latency_ms", "user"];
/// 3 dimensions, 1 measure, 1 unique, 1 cross.
pub(super) const DEFINITION: &str =
    "DIMENSIONS 3 service endpoint status CROSSES 1 service*latency_ms MEASURES 1 latency_ms UNIQUES 1 user";

/// Where a command is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Plain,
    Module,
}

/// One side of a ratio.
struct Side {
    on: On,
    /// A short name for a person.
    name: &'static str,
    line: String,
    per_call: u64,
    /// Sent before every measurement, so that nothing grows.
    before: Option<&'static str>,
}

/// One row: two sides, and the bar.
struct Ratio {
    row: &'static str,
    work: &'static str,
    sides: [Side; 2],
    at_most: f64,
}

fn ratio(row: &str) -> Ratio {
    let pairs = FIELDS.map(|field| format!("{field} {RANDOM}")).join(" ");
    let side = |on, name, line, before| Side { on, name, line, per_call: 1, before };
    let plain_add = || side(On::Plain, "XADD", format!("XADD plain * {pairs}"), Some("DEL plain"));
    match row {
        "observe" => Ratio {
            row: "observe",
            work: "`EDDY.OBSERVE`, 3 dimensions, 1 measure, 1 unique, 1 cross, by plain `XADD`",
            sides: [side(On::Module, "EDDY.OBSERVE", format!("EDDY.OBSERVE observed {pairs}"), None), plain_add()],
            at_most: 1.0,
        },
        "mobserve" => {
            let columns = FIELDS.join(" ");
            let values = vec![RANDOM; FIELDS.len() * BATCH as usize].join(" ");
            let line = format!("EDDY.MOBSERVE batched {} {columns} {values}", FIELDS.len());
            Ratio {
                row: "mobserve",
                work: "`EDDY.MOBSERVE`, 32 a call, each observation, by plain `XADD`",
                sides: [Side { per_call: BATCH, ..side(On::Module, "EDDY.MOBSERVE", line, None) }, plain_add()],
                at_most: 0.45,
            }
        }
        "source" => {
            let line = || format!("XADD events MAXLEN ~ 100000 * {pairs}");
            Ratio {
                row: "source",
                work: "`XADD MAXLEN ~` to a source of one monitor, by the same without the module",
                sides: [side(On::Module, "counted", line(), None), side(On::Plain, "not counted", line(), None)],
                at_most: 2.5,
            }
        }
        _ => Ratio {
            row: "cms",
            work: "`CMS.INCRBY` one item, sketch 2000 × 5, by `INCR`",
            sides: [
                side(On::Module, "CMS.INCRBY", format!("CMS.INCRBY sketch {RANDOM} 1"), None),
                side(On::Plain, "INCR", format!("INCR counter:{RANDOM}"), None),
            ],
            at_most: 1.8,
        },
    }
}

/// Measures the rows `names`: a warm-up, then every side once a round, in turn.
pub(super) fn measure(stage: &Stage, bar: &ProgressBar, names: &[&str], rounds: u32) -> Result<Vec<Row>> {
    let (plain, module) = (stage.plain()?, stage.with_module()?);
    let mut there = Vec::new();
    let mut rows = Vec::new();
    for ratio in names.iter().map(|name| ratio(name)) {
        if prepare(&module, ratio.row)? {
            there.push(ratio);
        } else {
            rows.push(ratio.into_row(None));
        }
    }
    // one command by two rows is measured once
    let mut sides: Vec<&Side> = Vec::new();
    for side in there.iter().flat_map(|ratio| &ratio.sides) {
        if !sides.iter().any(|known| known.is(side)) {
            sides.push(side);
        }
    }
    let mut costs: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    for round in 0..=rounds {
        for (side, costs) in sides.iter().zip(&mut costs) {
            let what = if round == 0 { "warming up".to_owned() } else { format!("round {round} of {rounds}") };
            bar.set_message(format!("{what}: {}", side.name));
            let server = if side.on == On::Plain { &plain } else { &module };
            if let Some(before) = side.before {
                command(before).exec(&mut server.connection()?)?;
            }
            let load = Load { line: &side.line, per_call: side.per_call };
            if round == 0 {
                load.run(server, side.warm_up())?;
            } else {
                costs.push(load.run(server, COUNT / side.per_call)?);
            }
        }
        if round == 0 && sides.iter().any(|side| side.name == "XADD") {
            check_random(&mut plain.connection()?, "plain")?;
        }
    }
    let cost_of = |wanted: &Side| sides.iter().position(|side| side.is(wanted)).map_or(&[][..], |at| &costs[at]);
    let measured: Vec<Measured> =
        there.iter().map(|ratio| ratio.measured(ratio.sides.each_ref().map(cost_of))).collect();
    rows.splice(0..0, there.into_iter().zip(measured).map(|(ratio, measured)| ratio.into_row(Some(measured))));
    Ok(rows)
}

/// Makes what a row writes to; false where the module doesn't have the command.
fn prepare(server: &Server, row: &str) -> Result<bool> {
    let create = match row {
        "observe" => format!("EDDY.CREATE observed {DEFINITION}"),
        "mobserve" => format!("EDDY.CREATE batched {DEFINITION}"),
        "source" => format!("EDDY.CREATE reader SOURCES 1 events {DEFINITION}"),
        _ => "CMS.INITBYDIM sketch 2000 5".to_owned(),
    };
    let created = command(&create).exec(&mut server.connection()?);
    match created {
        Err(error) if error.detail().is_some_and(|detail| detail.starts_with("unknown command")) => Ok(false),
        created => Ok(created.map(|()| true)?),
    }
}

impl Side {
    fn is(&self, other: &Self) -> bool {
        self.on == other.on && self.line == other.line
    }

    /// Commands before the first measurement: `INCR` first makes its million keys.
    fn warm_up(&self) -> u64 {
        if self.name == "INCR" { 3_000_000 } else { COUNT / self.per_call }
    }
}

impl Ratio {
    fn measured(&self, costs: [&[f64]; 2]) -> Measured {
        let [ours, theirs] = costs;
        let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let middle = median(&mut ratios);
        let [our_cost, their_cost] = costs.map(|costs| median(&mut costs.to_vec()));
        let (least, greatest) = (ratios[0], ratios[ratios.len() - 1]);
        Measured {
            text: format!("{middle:.2} ({least:.2}–{greatest:.2}): {our_cost:.2} µs, {their_cost:.2} µs"),
            holds: middle <= self.at_most,
        }
    }

    fn into_row(self, measured: Option<Measured>) -> Row {
        Row { work: self.work.to_owned(), measured, bar: format!("≤ {}", self.at_most) }
    }
}
