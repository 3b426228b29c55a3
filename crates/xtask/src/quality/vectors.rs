//! Ready vectors: what `eddyline replay` reports of them, every series from a cold start.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use eddyline_testkit::data_dir;
use serde::Deserialize;

use crate::build;

/// A set of labelled series.
struct Set {
    folder: &'static str,
    period: &'static str,
    /// What the bake-off's best single default reached, VUS-PR and event F1.
    bake_off: &'static str,
    /// From this row on, with the bake-off's figures: without the incidents of the first hours, which nothing preceded.
    late: Option<(&'static str, &'static str)>,
}

const SETS: [Set; 2] = [
    Set { folder: "smd", period: "1m", bake_off: "0.472 / 0.670", late: None },
    Set { folder: "asd", period: "5m", bake_off: "0.504 / 0.779", late: Some(("1000", "0.316 / 0.682")) },
];

const HEADER: &str = "\
| data | series | VUS-PR | event F1 | bake-off's best default³ | incidents found | false openings a day | \
realised rate within 3 × of 10⁻³; of 10⁻⁴ |
|---|---|---|---|---|---|---|---|";

/// Measures the sets that are there; prints the commands. None where there is none.
pub(super) fn table(root: &Path) -> Result<Option<String>> {
    let present: Vec<_> = SETS.iter().filter_map(|set| Some((set, data_dir(set.folder)?))).collect();
    if present.is_empty() {
        return Ok(None);
    }
    let built = build::run(root, &[build::WORKER])?;
    let mut table = HEADER.to_owned();
    for (set, folder) in &present {
        let report = replay(built.worker()?, set, folder, None)?;
        table.push('\n');
        table.push_str(&row(set.folder, set.bake_off, &report, true));
        if let Some((from, bake_off)) = set.late {
            let report = replay(built.worker()?, set, folder, Some(from))?;
            table.push('\n');
            table.push_str(&row(&format!("{} after row {from}", set.folder), bake_off, &report, false));
        }
    }
    table.push_str("\n\n³ `M+V+D`, on 19 servers of smd and 12 of asd, which these are a part of.");
    Ok(Some(table))
}

/// What the table needs of the report that `eddyline replay --json` prints.
#[derive(Deserialize)]
struct Report {
    all: All,
    series: Vec<Series>,
}

#[derive(Deserialize)]
struct All {
    quality: Quality,
}

#[derive(Deserialize)]
struct Series {
    quality: Quality,
}

#[derive(Deserialize)]
struct Quality {
    vus_pr: Option<f64>,
    event_f1: Option<f64>,
    incidents: usize,
    found: usize,
    false_openings_a_day: f64,
    within_three_times: [f64; 2],
}

/// The report of one replay, in the folder of its data.
fn replay(worker: &Path, set: &Set, folder: &Path, from: Option<&str>) -> Result<Report> {
    let (vectors, labels) = (files(folder, "_test.csv.gz")?, files(folder, "_labels.csv.gz")?);
    let mut options = vec!["--period", set.period];
    options.extend(from.into_iter().flat_map(|from| ["--from-row", from]));
    let shown = options.join(" ");
    println!("{}: eddyline replay *_test.csv.gz --labels *_labels.csv.gz {shown} --json", set.folder);
    let output = Command::new(worker)
        .arg("replay")
        .args(vectors)
        .args(options)
        .arg("--json")
        .arg("--labels")
        .args(labels)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} can't be started", worker.display()))?;
    if !output.status.success() {
        bail!("the replay of {} failed", set.folder);
    }
    serde_json::from_slice(&output.stdout).context("not a report of a replay")
}

/// Files of the folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(ending) {
            files.push(name.into());
        }
    }
    files.sort();
    Ok(files)
}

fn row(name: &str, bake_off: &str, report: &Report, with_alerts: bool) -> String {
    let ranked = report.series.iter().filter(|series| series.quality.vus_pr.is_some()).count();
    let Quality { vus_pr, event_f1, incidents, found, false_openings_a_day, within_three_times: [often, seldom] } =
        &report.all.quality;
    let (vus_pr, event_f1) = (vus_pr.unwrap_or(f64::NAN), event_f1.unwrap_or(f64::NAN));
    let alerts = if with_alerts {
        format!("{found} of {incidents} | {false_openings_a_day:.2} | {often:.2}; {seldom:.2}")
    } else {
        "– | – | –".to_owned()
    };
    format!("| {name} | {ranked} | {vus_pr:.3} | {event_f1:.3} | {bake_off} | {alerts} |")
}

#[cfg(test)]
mod tests {
    use super::{Report, row};

    #[test]
    fn figures_of_a_report_become_a_row() {
        let quality = |vus_pr: &str| {
            format!(
                r#"{{"quality":{{"vus_pr":{vus_pr},"event_f1":0.68321,"auroc":0.9,"incidents":138,"found":87,
                    "false_openings_a_day":1.0512,"within_three_times":[0.9,0.5]}}}}"#
            )
        };
        let json = format!(r#"{{"all":{},"series":[{},{}]}}"#, quality("0.45"), quality("0.5"), quality("null"));
        let report: Report = serde_json::from_str(&json).expect("a report");
        assert_eq!(
            row("smd", "0.4 / 0.6", &report, true),
            "| smd | 1 | 0.450 | 0.683 | 0.4 / 0.6 | 87 of 138 | 1.05 | 0.90; 0.50 |"
        );
        assert!(row("asd", "0.4 / 0.6", &report, false).ends_with("| – | – | – |"));
    }
}
