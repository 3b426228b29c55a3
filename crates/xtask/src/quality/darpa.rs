//! Single items: how surprising a monitor finds each network flow of darpa at the moment it comes.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use eddyline_monitor::{Clock, Definition, EntryId, Measure, Monitor};
use eddyline_testkit::data_dir;
use flate2::read::GzDecoder;

use eddyline_measures::ranking::areas;

/// The clock of the data steps in minutes.
const WINDOW_MS: u64 = 60_000;
/// What is counted: who calls, who is called, and who calls whom.
const WATCHED: [&str; 3] = ["src", "dst", "src*dst"];

const HEADER: &str = "\
| surprise of | AUROC | AUROC on even and odd days | bake-off |
|---|---|---|---|";

/// Measures where the data is. None where it isn't.
pub(super) fn table() -> Result<Option<String>> {
    let Some(folder) = data_dir("darpa") else { return Ok(None) };
    let flows = judge(&folder.join("events.csv.gz"))?;
    let mut table = HEADER.to_owned();
    let names = WATCHED.map(|name| format!("`{name}`")).into_iter().chain(["the most surprising of them".to_owned()]);
    let bake_off = ["–", "–", "–", "R .948, F .983"];
    for (at, (name, bake_off)) in names.zip(bake_off).enumerate() {
        let of = |keep: &dyn Fn(&Flow) -> bool| {
            let kept = || flows.iter().filter(|flow| keep(flow));
            let labels: Vec<bool> = kept().map(|flow| flow.attack).collect();
            let score = |flow: &Flow| flow.surprises.get(at).copied().unwrap_or_else(|| flow.most());
            areas(&labels, &kept().map(score).collect::<Vec<f64>>()).auroc
        };
        let (all, even, odd) = (of(&|_| true), of(&|flow| !flow.odd_day), of(&|flow| flow.odd_day));
        table.push_str(&format!("\n| {name} | {all:.3} | {even:.3} / {odd:.3} | {bake_off} |"));
    }
    table.push_str(&format!("\n\n{} flows, {:.1} % of them attacks.", flows.len(), 100.0 * share_of_attacks(&flows)));
    Ok(Some(table))
}

/// A flow as it was judged.
struct Flow {
    attack: bool,
    odd_day: bool,
    surprises: [f64; WATCHED.len()],
}

impl Flow {
    fn most(&self) -> f64 {
        self.surprises.iter().copied().fold(0.0, f64::max)
    }
}

fn share_of_attacks(flows: &[Flow]) -> f64 {
    flows.iter().filter(|flow| flow.attack).count() as f64 / flows.len() as f64
}

/// Every flow through one monitor: counted, then asked about, before anything that comes later.
fn judge(file: &Path) -> Result<Vec<Flow>> {
    let open = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(open));
    let mut monitor = monitor()?;
    let (mut flows, mut first) = (Vec::new(), None);
    for row in table.records() {
        let row = row?;
        let [time, src, dst, attack] = [0, 1, 2, 3].map(|column| row.get(column).unwrap_or_default());
        let ms = 1000 * time.parse::<u64>().with_context(|| format!("no time: {time}"))?;
        let entry = EntryId { ms, seq: flows.len() as u64 };
        monitor.read(
            0,
            entry,
            [("src", src), ("dst", dst)].map(|(name, item)| (name.as_bytes(), item.as_bytes())).into_iter(),
        );
        while let Some(end_ms) = monitor.outbox().map(|closed| closed.end_ms) {
            monitor.sent(end_ms);
        }
        let pair = format!("{src}*{dst}");
        let mut surprises = [0.0; WATCHED.len()];
        for ((surprise, name), item) in surprises.iter_mut().zip(WATCHED).zip([src, dst, &pair]) {
            *surprise = monitor.surprise(name, item.as_bytes())?;
        }
        let day = (ms - *first.get_or_insert(ms)) / 86_400_000;
        flows.push(Flow { attack: attack != "-", odd_day: day % 2 == 1, surprises });
    }
    Ok(flows)
}

fn monitor() -> Result<Monitor> {
    let part = |field: &str| Measure { field: field.to_owned(), first_edge: None };
    let definition = Definition {
        window_ms: WINDOW_MS,
        clock: Clock::Stream,
        sources: vec![b"flows".to_vec()],
        dimensions: vec!["src".to_owned(), "dst".to_owned()],
        crosses: vec![vec![part("src"), part("dst")]],
        ..Definition::default()
    };
    Ok(Monitor::new(definition)?)
}
