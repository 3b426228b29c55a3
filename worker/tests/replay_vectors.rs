//! `eddyline replay --period` as a user runs it.

mod plain;

use eddyline_measures::{event_f1, ranking, volume};
use plain::random;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

const ROWS: u64 = 1_500;
/// Rows in which `mem` is far off.
const FAULTS: [std::ops::Range<u64>; 2] = [700..715, 1_200..1_210];

fn is_fault(row: u64) -> bool {
    FAULTS.iter().any(|fault| fault.contains(&row))
}

fn noise(x: u64) -> f64 {
    (random(x) % 1_000) as f64 / 1_000.0
}

/// A row of a server's metrics: a daily wave, noise, and faults.
fn metrics(row: u64, seed: u64) -> [f64; 2] {
    let wave = (row as f64 / 50.0 * std::f64::consts::TAU).sin();
    let fault = if is_fault(row) { 6.0 } else { 0.0 };
    [10.0 + wave + noise(seed * 10_000 + row), 4.0 + noise(seed * 20_000 + row) + fault]
}

fn csv(seed: u64) -> String {
    let mut text = "cpu,mem\n".to_owned();
    for row in 0..ROWS {
        let [cpu, mem] = metrics(row, seed);
        let _ = writeln!(text, "{cpu},{mem}");
    }
    text
}

fn labels() -> String {
    let mut text = "label\n".to_owned();
    (0..ROWS).for_each(|row| text.push_str(if is_fault(row) { "1\n" } else { "0\n" }));
    text
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn replay(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
        command.current_dir(self.0.path()).arg("replay").args(args).output().unwrap()
    }

    fn report(&self, args: &[&str]) -> String {
        let output = self.replay(args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.report(&[args, &["--json"]].concat())).unwrap()
    }

    fn refusal(&self, args: &[&str]) -> String {
        let output = self.replay(args);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Scores and alerts of a file of scores.
fn scores(text: &str) -> (Vec<f64>, Vec<bool>) {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name| header.iter().position(|column| *column == name).unwrap();
    let (score, alert) = (place("score"), place("alert"));
    lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .map(|cells| (cells[score].parse::<f64>().unwrap(), cells[alert] == "1"))
        .unzip()
}

#[test]
fn the_figures_are_those_of_the_scores_that_were_written() {
    let folder = Folder::new().with("host_test.csv", csv(1)).with("host_labels.csv", labels());
    let args = ["host_test.csv", "--period", "1m", "--labels", "host_labels.csv", "--scores", "scores.csv"];
    let json = folder.json(&args);
    let (scores, alerts) = scores(&folder.read("scores.csv"));
    let labels: Vec<bool> = (0..ROWS).map(is_fault).collect();
    assert_eq!(scores.len() as u64, ROWS);
    assert!(scores.iter().zip(&alerts).all(|(score, alert)| (*score >= 0.5) == *alert));
    let quality = &json["all"]["quality"];
    let cpu: Vec<f64> = (0..ROWS).map(|row| f64::from(metrics(row, 1)[0] as f32)).collect();
    let areas = ranking::areas(&labels, &scores);
    for (name, expected) in [
        ("vus_pr", volume::vus_pr(&labels, &scores, volume::period(&cpu))),
        ("event_f1", event_f1::best(&labels, &scores)),
        ("auroc", areas.auroc),
        ("average_precision", areas.average_precision),
    ] {
        let figure = quality[name].as_f64().unwrap();
        assert!((figure - expected).abs() < 1e-9, "{name}: {figure}, {expected}");
    }
    let found = FAULTS.iter().filter(|fault| alerts[fault.start as usize..fault.end as usize].contains(&true)).count();
    assert_eq!((quality["incidents"].as_u64(), quality["found"].as_u64()), (Some(2), Some(found as u64)));
    assert_eq!(found, 2);
    assert_eq!(quality["median_delay_s"], 0.0);
    let report = folder.report(&args);
    assert!(report.contains("incidents found: 2 of 2, median delay 0"), "{report}");
    assert!(report.contains("mem above usual"), "{report}");
}

#[test]
fn many_files_are_many_series_with_a_file_of_scores_each() {
    let mut folder = Folder::new();
    for seed in 1..=3 {
        folder = folder.with(&format!("host-{seed}_test.csv"), csv(seed)).with(&format!("{seed}.csv"), labels());
    }
    let files = ["host-1_test.csv", "host-2_test.csv", "host-3_test.csv"];
    let more = ["--period", "1m", "--scores", "scores", "--labels", "1.csv", "2.csv", "3.csv"];
    let args = [&files[..], &more].concat();
    let json = folder.json(&args);
    assert_eq!(json["series"].as_array().unwrap().len(), 3);
    assert_eq!(json["all"]["quality"]["incidents"], 6);
    let report = folder.report(&args);
    assert!(report.contains("all 3"), "{report}");
    for seed in 1..=3 {
        let alone = folder.json(&[files[seed - 1], "--period", "1m", "--scores", "alone.csv"]);
        assert_eq!(alone["series"][0]["incidents"], json["series"][seed - 1]["incidents"]);
        assert_eq!(folder.read("alone.csv"), folder.read(&format!("scores/host-{seed}.csv")));
    }
}

#[test]
fn a_column_tells_series_apart_and_the_scores_keep_the_order_of_the_rows() {
    let mut text = "series,ts,value,label,point\n".to_owned();
    for row in 0..ROWS {
        for (series, step) in [("a", 60), ("b,\"b\"", 300)] {
            let ms = (1_700_000_000 + row * step) * 1000;
            let ts = eddyline_wire::alert::rfc3339(ms).replace('T', " ").replace('Z', "");
            let label = u8::from(is_fault(row));
            let name = if series == "a" { "a" } else { "\"b,\"\"b\"\"\"" };
            let _ = writeln!(text, "{name},{ts},{},{label},0", metrics(row, step)[1]);
        }
    }
    let folder = Folder::new().with("nab.csv", text);
    let columns = ["--time", "ts", "--series", "series", "--field", "value", "--label", "label"];
    let args = [&["nab.csv", "--period", "auto", "--scores", "scores.csv"], &columns[..]].concat();
    let json = folder.json(&args);
    let series = json["series"].as_array().unwrap();
    let periods: Vec<_> = series.iter().map(|series| (series["name"].as_str(), series["period_ms"].as_u64())).collect();
    assert_eq!(periods, [(Some("a"), Some(60_000)), (Some("b,\"b\""), Some(300_000))]);
    assert!(series.iter().all(|series| series["features"] == 1 && series["quality"]["incidents"] == 2));
    let scores = folder.read("scores.csv");
    let lines: Vec<&str> = scores.lines().take(4).collect();
    assert_eq!(lines[0], "series,window_end_ms,score,alert,p,state");
    assert!(lines[1].starts_with("a,1700000000000,0,0,") && lines[1].ends_with("warming 1/60"), "{scores}");
    assert!(lines[2].starts_with("\"b,\"\"b\"\"\",1700000000000,") && lines[3].starts_with("a,1700000060000,"));
    assert_eq!(scores.lines().count() as u64, 1 + 2 * ROWS);
}

#[test]
fn every_row_keeps_its_place_whatever_is_wrong_with_it() {
    let mut rows: Vec<String> = vec!["ts_ms,cpu,mem".to_owned()];
    for row in 0..ROWS {
        let [cpu, mem] = metrics(row, 1);
        rows.push(format!("{},{cpu},{mem}", 1_700_000_000_000 + row * 60_000));
    }
    rows[100] = rows[100].rsplit_once(',').unwrap().0.to_owned();
    rows[110] = format!("{},n/a,-", rows[110].split(',').next().unwrap());
    rows[120] = "soon,1,2".to_owned();
    rows[130] = rows[129].clone();
    rows[140] = format!("{},NaN,inf", rows[140].split(',').next().unwrap());
    let folder = Folder::new().with("host.csv", rows.join("\n"));
    let report = folder.report(&["host.csv", "--period", "1m", "--scores", "scores.csv"]);
    for line in [
        "1 taken as far as they go: not as many values as columns (first in line 101)",
        "1 taken with a value missing: it isn't a number (first in line 111)",
        "1 taken one period after the row before: the time can't be read (first in line 121)",
        "1 taken 1 ms after the row before, not being later (first in line 131)",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
    assert_eq!(scores(&folder.read("scores.csv")).0.len() as u64, ROWS);
}

#[test]
fn what_cannot_be_replayed_is_named() {
    let folder = Folder::new()
        .with("host.csv", csv(1))
        .with("short.csv", "label\n0\n1\n")
        .with("odd.csv", format!("label\n{}", "maybe\n".repeat(1_500)))
        .with("empty.csv", "cpu,mem\n");
    for (args, says) in [
        (
            &["host.csv", "--period", "1m", "--labels", "short.csv"][..],
            "it has 2 labels where the vectors have 1500 rows",
        ),
        (&["host.csv", "--period", "1m", "--labels", "odd.csv"], "odd.csv: line 2: a label isn't a number"),
        (&["host.csv", "host.csv", "--period", "1m", "--labels", "short.csv"], "there are 1 for 2"),
        (&["host.csv", "--period", "auto"], "series 'host': no two rows with a readable time"),
        (&["host.csv", "--period", "1m", "--time", "when"], "no column 'when'; the columns are: cpu, mem"),
        (&["host.csv", "--period", "1m", "--series", "host"], "no column 'host'"),
        (&["host.csv", "--period", "5ms"], "series 'host': a period is 100 ms to a day, got 5 ms"),
        (&["empty.csv", "--period", "1m"], "no event could be read: it has no rows"),
        (&["host.csv", "host.csv"], "one file of events at a time, got 2; for vectors say --period"),
        (&["host.csv", "--period", "1m", "--window", "10s"], "cannot be used with"),
        (&["host.csv", "--series", "host"], "--period"),
    ] {
        let refusal = folder.refusal(args);
        assert!(refusal.contains(says), "{says}\n{refusal}");
    }
}

#[test]
fn a_page_needs_nothing_but_itself_and_tells_in_words_what_it_draws() {
    let folder = Folder::new().with("<host>.csv", csv(1)).with("labels.csv", labels());
    let args = ["<host>.csv", "--period", "1m", "--labels", "labels.csv"];
    folder.report(&[&args[..], &["--plot", "page.html"]].concat());
    let page = folder.read("page.html");
    for part in
        ["<title>", "aria-labelledby", "<desc ", "prefers-color-scheme: dark", "<td>fault</td>", "mem above usual"]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(page.contains("&lt;host&gt;") && !page.contains("<host>"));
    assert_eq!(page.matches("class=\"fault\"").count(), FAULTS.len() + 1, "both faults, and the key");
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    for reference in ["http", "src=", "href=", "@import", "url("] {
        assert!(!outside.contains(reference), "{reference}");
    }
    folder.report(&[&args[..], &["--plot", "page.svg"]].concat());
    assert!(folder.read("page.svg").starts_with("<svg xmlns"));
}

#[test]
fn a_preview_says_how_often_other_settings_would_have_fired() {
    let folder = Folder::new().with("host.csv", csv(1));
    let json = folder.json(&["host.csv", "--period", "1m", "--preview"]);
    let trials = json["trials"].as_array().unwrap();
    let openings = |budget: f64| {
        let found = trials.iter().find(|trial| trial["budget"] == budget && trial["detectors"] == "auto").unwrap();
        found["openings"].as_array().unwrap().len()
    };
    assert!(openings(1.0 / 7.0) <= openings(1.0) && openings(1.0) <= openings(24.0));
    let alone = folder.json(&["host.csv", "--period", "1m"]);
    assert_eq!(openings(1.0) as u64, alone["all"]["openings"].as_u64().unwrap());
    assert!(trials.iter().any(|trial| trial["detectors"] == "zscore"));
    let report = folder.report(&["host.csv", "--period", "1m", "--preview"]);
    assert!(report.contains("1 in 7 days   60 s") && report.contains("mem above usual"), "{report}");
    assert!(folder.refusal(&["--preview"]).contains("--redis and --monitor"));
}
