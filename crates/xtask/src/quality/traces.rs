//! The labelled traces: what `eddyline replay` reports of them.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use eddyline_testkit::data_dir;
use serde::Deserialize;

use crate::build;

/// A labelled trace: its folder, and what `eddyline replay` is told beside the labels.
struct Trace {
    folder: &'static str,
    arguments: &'static [&'static str],
}

const TRACES: [Trace; 2] = [
    Trace { folder: "trainticket", arguments: &[] },
    Trace {
        folder: "onlineboutique",
        // half of its minutes are missing: silence is no data there
        arguments: &["--gap", "30s", "--segments", "segments.csv", "--suspect", "suspect.csv"],
    },
];

/// What is watched: how long calls of which callee take.
const WATCHED: [&str; 4] = ["--cross", "peer_service*duration_us@250", "--window", "10s"];

/// False alarms accepted a day: the default, and one an hour.
const BUDGETS: [&str; 2] = ["1", "24"];

const HEADER: &str = "\
| data | budget a day | AUROC | average precision | AUROC² | average precision² | faults found | within 60 s | \
median delay | incidents opened in quiet time, a day | events a second |
|---|---|---|---|---|---|---|---|---|---|---|";

/// Runs every trace that is there with every budget; prints the commands. None where there is no trace.
pub(super) fn table(root: &Path) -> Result<Option<String>> {
    let present: Vec<_> = TRACES.iter().filter_map(|trace| Some((trace, data_dir(trace.folder)?))).collect();
    if present.is_empty() {
        return Ok(None);
    }
    let built = build::run(root, &[build::WORKER])?;
    let mut table = HEADER.to_owned();
    for (trace, folder) in &present {
        for budget in BUDGETS {
            let report = replay(built.worker()?, trace, folder, budget)?;
            table.push('\n');
            table.push_str(&row(trace.folder, budget, &report));
        }
    }
    table.push_str("\n\n² without the stretches of `suspect.csv`, which look like faults but have no label.");
    Ok(Some(table))
}

/// The report of one replay, in the folder of its data.
fn replay(worker: &Path, trace: &Trace, folder: &Path, budget: &str) -> Result<Report> {
    let mut arguments = vec!["replay", "events.csv.gz"];
    arguments.extend(WATCHED);
    arguments.extend(["--labels", "faults.csv"]);
    arguments.extend(trace.arguments);
    arguments.extend(["--budget", budget]);
    let shown = arguments.join(" ").replace(WATCHED[1], &format!("'{}'", WATCHED[1]));
    println!("{}: eddyline {shown}", trace.folder);
    let output = Command::new(worker)
        .args(&arguments)
        .arg("--json")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} can't be started", worker.display()))?;
    if !output.status.success() {
        bail!("the replay of {} failed", trace.folder);
    }
    serde_json::from_slice(&output.stdout).context("not a report of a replay")
}

/// What the table needs of the report that `eddyline replay --json` prints.
#[derive(Deserialize)]
struct Report {
    events: f64,
    seconds: f64,
    quality: Quality,
}

#[derive(Deserialize)]
struct Quality {
    published: Ranking,
    without_suspect: Option<Ranking>,
    visible: usize,
    found: usize,
    found_within_60_s: usize,
    median_delay_s: Option<f64>,
    false_openings: usize,
    quiet_hours: f64,
}

#[derive(Deserialize)]
struct Ranking {
    auroc: f64,
    average_precision: f64,
}

fn row(data: &str, budget: &str, report: &Report) -> String {
    let quality = &report.quality;
    let areas = |ranking: &Ranking| format!("{:.3} | {:.3}", ranking.auroc, ranking.average_precision);
    let without = quality.without_suspect.as_ref().map_or_else(|| "– | –".to_owned(), areas);
    let delay = quality.median_delay_s.map_or_else(|| "–".to_owned(), |delay| format!("{delay:.0} s"));
    let Quality { visible, found, found_within_60_s, false_openings, quiet_hours, .. } = quality;
    let (a_day, speed) = (*false_openings as f64 / quiet_hours * 24.0, report.events / report.seconds);
    format!(
        "| {data} | {budget} | {} | {without} | {found} of {visible} | {found_within_60_s} | {delay} | {a_day:.0} \
         ({false_openings} in {quiet_hours:.1} h) | {speed:.0} |",
        areas(&quality.published)
    )
}

#[cfg(test)]
mod tests {
    use super::{Report, row};

    #[test]
    fn figures_of_a_report_become_a_row() {
        let report = |without: &str| -> Report {
            let quality = format!(
                r#"{{"published":{{"windows":632,"auroc":0.7221,"average_precision":0.5664}},"without_suspect":{without},
                    "visible":21,"found":9,"found_within_60_s":3,"median_delay_s":17.0,"false_alarms":4,
                    "false_openings":2,"quiet_hours":1.2}}"#
            );
            let json = format!(r#"{{"events":3000000,"seconds":2.0,"quality":{quality}}}"#);
            serde_json::from_str(&json).expect("a report")
        };
        assert_eq!(
            row("onlineboutique", "1", &report(r#"{"auroc":0.8144,"average_precision":0.76}"#)),
            "| onlineboutique | 1 | 0.722 | 0.566 | 0.814 | 0.760 | 9 of 21 | 3 | 17 s | 40 (2 in 1.2 h) | 1500000 |"
        );
        assert!(row("trainticket", "1", &report("null")).contains("| – | – |"));
    }
}
