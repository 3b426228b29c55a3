//! The labelled traces: what `eddyline replay` reports of them.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use eddyline_testkit::data_dir;

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
| data | budget a day | AUROC | average precision | AUROC² | average precision² | found within 60 s | median delay | \
false alarms a day | events a second |
|---|---|---|---|---|---|---|---|---|---|";

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
            let figures = Figures::read(&report).with_context(|| format!("not a report of a replay:\n{report}"))?;
            table.push('\n');
            table.push_str(&figures.row(trace.folder, budget));
        }
    }
    table.push_str("\n\n² without the stretches of `suspect.csv`, which look like faults but have no label.");
    Ok(Some(table))
}

/// The report of one replay, in the folder of its data.
fn replay(worker: &Path, trace: &Trace, folder: &Path, budget: &str) -> Result<String> {
    let mut arguments = vec!["replay", "events.csv.gz"];
    arguments.extend(WATCHED);
    arguments.extend(["--labels", "faults.csv"]);
    arguments.extend(trace.arguments);
    arguments.extend(["--budget", budget]);
    let shown = arguments.join(" ").replace(WATCHED[1], &format!("'{}'", WATCHED[1]));
    println!("{}: eddyline {shown}", trace.folder);
    let output = Command::new(worker)
        .args(&arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} can't be started", worker.display()))?;
    if !output.status.success() {
        bail!("the replay of {} failed", trace.folder);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What a report says, as it says it.
#[derive(Debug, PartialEq)]
struct Figures<'a> {
    published: [&'a str; 2],
    without_suspect: Option<[&'a str; 2]>,
    found: &'a str,
    median_delay: &'a str,
    false_alarms: &'a str,
    speed: &'a str,
}

impl<'a> Figures<'a> {
    fn read(report: &'a str) -> Option<Self> {
        let line = |start: &str| report.lines().find_map(|line| line.trim_start().strip_prefix(start));
        let ranking = |start: &str| -> Option<[&'a str; 2]> {
            let words: Vec<&str> = line(start)?.split_whitespace().collect();
            match words[..] {
                ["AUROC", auroc, "average", "precision", precision, ..] => Some([auroc, precision]),
                _ => None,
            }
        };
        let (found, median_delay) = line("faults found within 60 s: ")?.split_once(", median delay ")?;
        let false_alarms = line("false alarms: ")?.split_once(" quiet hours, ")?.1.split_once(" a day")?.0;
        let speed = line("events ")?.split_once('(')?.1.split_once(" a second)")?.0;
        Some(Self {
            published: ranking("published labels:")?,
            without_suspect: ranking("without suspect stretches:"),
            found,
            median_delay,
            false_alarms,
            speed,
        })
    }

    fn row(&self, data: &str, budget: &str) -> String {
        let [auroc, precision] = self.published;
        let [auroc2, precision2] = self.without_suspect.unwrap_or(["–", "–"]);
        let Self { found, median_delay, false_alarms, speed, .. } = self;
        format!(
            "| {data} | {budget} | {auroc} | {precision} | {auroc2} | {precision2} | {found} | {median_delay} | \
             {false_alarms} | {speed} |"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    const REPORT: &str = "\
onlineboutique/events.csv.gz
  events    2456051 in 1.7 s (1431291 a second)
  windows   815 of 10 s, the first 60 to learn from

incidents 1
  2022-08-22 04:02:20  warning  0.55      25 s  about once in 3 hours  [fault 2 frontend return]
      fewer events a window than usual

quality
  published labels: AUROC 0.722  average precision 0.566  (632 windows, 0.418 of them in faults)
  without suspect stretches: AUROC 0.814  average precision 0.760  (588 windows, 0.449 of them in faults)
  faults found within 60 s: 3 of 21, median delay 17 s
  false alarms: 2 in 1.0 quiet hours, 48.0 a day where 1 was accepted
";

    #[test]
    fn figures_of_a_report_become_a_row() {
        let figures = Figures::read(REPORT).expect("a report");
        assert_eq!(
            figures.row("onlineboutique", "1"),
            "| onlineboutique | 1 | 0.722 | 0.566 | 0.814 | 0.760 | 3 of 21 | 17 s | 48.0 | 1431291 |"
        );
        let plain = REPORT.replace("without suspect stretches", "else");
        assert_eq!(Figures::read(&plain).expect("a report").without_suspect, None);
    }

    #[test]
    fn report_without_labels_has_no_figures() {
        let (reading, _) = REPORT.split_once("quality").expect("there is such a part");
        assert_eq!(Figures::read(reading), None);
    }
}
