//! Ready vectors: every series through a pipeline of its own, as the worker would, from a cold start.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use eddyline_detect::{Block, Change, Layout, Pipeline, Settings, Window};
use eddyline_testkit::data_dir;
use flate2::read::GzDecoder;

use super::event_f1;
use super::labels::stretches;
use super::volume;

/// A set of labelled series.
struct Set {
    folder: &'static str,
    period_ms: u64,
    /// What the bake-off's best single default reached, VUS-PR and event F1.
    bake_off: &'static str,
    /// From this row on, with the bake-off's figures: without the incidents of the first hours, which nothing preceded.
    late: Option<(usize, &'static str)>,
}

const SETS: [Set; 2] = [
    Set { folder: "smd", period_ms: 60_000, bake_off: "0.472 / 0.670", late: None },
    Set { folder: "asd", period_ms: 300_000, bake_off: "0.504 / 0.779", late: Some((1_000, "0.316 / 0.682")) },
];

/// Openings so near an incident aren't false.
const MARGIN: usize = 15;

const HEADER: &str = "\
| data | series | VUS-PR | event F1 | bake-off's best default³ | incidents found | false openings a day |
|---|---|---|---|---|---|---|";

/// Measures the sets that are there; prints a line for each series. None where there is none.
pub(super) fn table() -> Result<Option<String>> {
    let mut table = HEADER.to_owned();
    let mut any = false;
    for set in &SETS {
        let Some(folder) = data_dir(set.folder) else { continue };
        any = true;
        let results = measure_all(set, &folder)?;
        table.push('\n');
        table.push_str(&row(set.folder, set.bake_off, results.iter().map(|result| &result.whole), &results));
        if let Some((from, bake_off)) = set.late {
            let name = format!("{} after row {from}", set.folder);
            table.push('\n');
            table.push_str(&row(&name, bake_off, results.iter().filter_map(|result| result.late.as_ref()), &[]));
        }
    }
    table.push_str("\n\n³ `M+V+D`, on 19 servers of smd and 12 of asd, which these are a part of.");
    Ok(any.then_some(table))
}

/// How scores of a series rank.
struct Ranking {
    vus_pr: f64,
    event_f1: f64,
}

impl Ranking {
    /// None without an incident.
    fn of(labels: &[bool], scores: &[f64], widest: usize) -> Option<Self> {
        labels
            .contains(&true)
            .then(|| Self { vus_pr: volume::vus_pr(labels, scores, widest), event_f1: event_f1::best(labels, scores) })
    }
}

/// What was found in a series.
struct Measured {
    whole: Ranking,
    late: Option<Ranking>,
    incidents: usize,
    found: usize,
    false_openings: usize,
    quiet_days: f64,
}

fn row<'a>(name: &str, bake_off: &str, rankings: impl Iterator<Item = &'a Ranking>, all: &[Measured]) -> String {
    let rankings: Vec<&Ranking> = rankings.collect();
    let mean =
        |of: fn(&Ranking) -> f64| rankings.iter().map(|ranking| of(ranking)).sum::<f64>() / rankings.len() as f64;
    let (vus_pr, event_f1) = (mean(|ranking| ranking.vus_pr), mean(|ranking| ranking.event_f1));
    let alerts = if all.is_empty() {
        "– | –".to_owned()
    } else {
        let total = |of: fn(&Measured) -> f64| all.iter().map(of).sum::<f64>();
        let a_day = total(|one| one.false_openings as f64) / total(|one| one.quiet_days);
        let (found, incidents) = (total(|one| one.found as f64), total(|one| one.incidents as f64));
        format!("{found} of {incidents} | {a_day:.2}")
    };
    format!("| {name} | {} | {vus_pr:.3} | {event_f1:.3} | {bake_off} | {alerts} |", rankings.len())
}

/// All series of a set, as many at once as there are cores.
fn measure_all(set: &Set, folder: &Path) -> Result<Vec<Measured>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with("_test.csv.gz") {
            files.push(path);
        }
    }
    files.sort();
    let waiting: Mutex<VecDeque<(usize, PathBuf)>> = Mutex::new(files.into_iter().enumerate().collect());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((index, file)) = next else { return Ok::<_, anyhow::Error>(done) };
            done.push((index, measure(set, &file)?));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut done = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            done.extend(worker.join().expect("no panic while measuring")?);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, measured)| measured).collect())
}

fn measure(set: &Set, file: &Path) -> Result<Measured> {
    let (names, rows) = read(file)?;
    let (_, flags) = read(Path::new(&file.to_string_lossy().replace("_test.csv", "_labels.csv")))?;
    let labels: Vec<bool> = flags.iter().map(|row| row.first().is_some_and(|flag| *flag > 0.5)).collect();
    let mut pipeline = Pipeline::new(Layout { blocks: vec![Block::Numeric { names }] }, Settings::new(set.period_ms))?;
    let (mut scores, mut openings) = (Vec::with_capacity(rows.len()), Vec::new());
    for (index, values) in rows.iter().enumerate() {
        let end_ms = (index as u64 + 1) * set.period_ms;
        let verdict = pipeline.push(&Window { end_ms, n: 1, values, gap_ms: 0, items: &[], slots: &[] })?;
        scores.push(verdict.score);
        if matches!(verdict.change, Some(Change::Opened(_))) {
            openings.push(index);
        }
    }
    let first: Vec<f64> = rows.iter().map(|row| f64::from(row[0])).collect();
    let widest = volume::period(&first);
    let incidents = stretches(&labels);
    let mut near = vec![false; labels.len()];
    incidents.iter().for_each(|incident| near[incident.widened(MARGIN, labels.len())].fill(true));
    let quiet = near.iter().filter(|near| !**near).count() as f64;
    let found =
        |incident: &&super::labels::Stretch| scores[incident.first..=incident.last].iter().any(|score| *score >= 0.5);
    let whole = Ranking::of(&labels, &scores, widest).context("a series without an incident")?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().replace("_test.csv.gz", "");
    println!("{} {name}: VUS-PR {:.3}, event F1 {:.3}", set.folder, whole.vus_pr, whole.event_f1);
    Ok(Measured {
        whole,
        late: set.late.and_then(|(from, _)| Ranking::of(&labels[from..], &scores[from..], widest)),
        incidents: incidents.len(),
        found: incidents.iter().filter(found).count(),
        false_openings: openings.iter().filter(|row| !near[**row]).count(),
        quiet_days: quiet * set.period_ms as f64 / 86_400_000.0,
    })
}

/// Names and rows of a table of numbers; what is no number is missing.
fn read(file: &Path) -> Result<(Vec<String>, Vec<Vec<f32>>)> {
    let open = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(open));
    let names = table.headers()?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for row in table.records() {
        rows.push(row?.iter().map(|value| value.parse().unwrap_or(f32::NAN)).collect());
    }
    Ok((names, rows))
}
