//! `eddyline replay` as a user runs it.

mod plain;

use flate2::Compression;
use flate2::write::GzEncoder;
use plain::random;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Half an hour of calls at 20 a second; for a minute one callee is slow.
fn events(separator: &str, mut row: impl FnMut(u64, &str, &str, u64) -> String) -> String {
    let mut out = String::new();
    for i in 0..36_000_u64 {
        let ms = 1_700_000_000_000 + i * 50;
        let hash = random(i);
        let peer = ["pay", "stock", "mail", "-"][(hash % 4) as usize];
        let slow = peer == "pay" && (24_000..25_200).contains(&i);
        let latency = (hash / 4) % 12 + 2 + if slow { 700 } else { 0 };
        let _ = write!(out, "{}{separator}", row(ms, ["web", "app"][(hash % 2) as usize], peer, latency));
    }
    out
}

fn csv() -> String {
    format!(
        "ts_ms,service,peer,latency_ms\n{}",
        events("\n", |ms, service, peer, latency| { format!("{ms},{service},{peer},{latency}") })
    )
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

    fn replay(&self, file: &str, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
        command.current_dir(self.0.path()).args(["replay", file]).args(args).output().unwrap()
    }

    /// Runs a replay that must work; its report.
    fn report(&self, file: &str, args: &[&str]) -> String {
        let output = self.replay(file, args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a replay that must not work; what it says.
    fn refusal(&self, file: &str, args: &[&str]) -> String {
        let output = self.replay(file, args);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn gzipped(text: &str, path: &Path) {
    let mut file = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

const CROSS: [&str; 2] = ["--cross", "peer*latency_ms@0.25"];

#[test]
fn a_fault_in_a_file_of_events_is_found_and_compared_with_the_labels() {
    let folder = Folder::new()
        .with("events.csv", csv())
        .with("faults.csv", "fault_id,start_ts,end_ts,service,type\n1,1700001200,1700001260,pay,slow\n");
    let args = [&CROSS[..], &["--labels", "faults.csv", "--scores", "scores.csv", "--budget", "100"]].concat();
    let report = folder.report("events.csv", &args);
    assert!(report.contains("events    36000 in"), "{report}");
    assert!(report.contains("windows   179 of 10 s, the first 60 to learn from"), "{report}");
    assert!(report.contains("[fault 1 pay slow]"), "{report}");
    assert!(report.contains("faults found: 1 of 1, within 60 s 1"), "{report}");
    let scores = folder.read("scores.csv");
    assert_eq!(scores.lines().next(), Some("window_end_ms,score,alert,p,state"));
    assert_eq!(scores.lines().count(), 1 + 119);
    let alerts: Vec<u64> = scores
        .lines()
        .filter(|line| line.split(',').nth(2) == Some("1"))
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert!(alerts.iter().any(|end_ms| (1_700_001_200_000..1_700_001_240_000).contains(end_ms)), "{alerts:?}");
}

#[test]
fn the_same_events_give_the_same_fingerprints_and_scores_in_every_form() {
    let json = events("\n", |ms, service, peer, latency| {
        let seconds = format!("{}.{:03}", ms / 1000, ms % 1000);
        format!(
            r#"{{"at":{seconds},"svc":"{service}","peer":"{peer}","latency_ms":{latency},"who":{{"id":1}},"x":null}}"#
        )
    });
    let folder = Folder::new().with("events.csv", csv()).with("events.jsonl", json);
    gzipped(&csv(), &folder.path("events.csv.gz"));
    let out = |n: &str| {
        let out = [format!("scores{n}"), format!("fingerprints{n}")];
        ["--scores".to_owned(), out[0].clone(), "--fingerprints".to_owned(), out[1].clone()]
    };
    let run = |file: &str, n: &str, more: &[&str]| {
        let out = out(n);
        let out: Vec<&str> = out.iter().map(String::as_str).collect();
        let fields = ["--dimension", "service", "--field", "peer", "--field", "latency_ms"];
        folder.report(file, &[&CROSS[..], &fields, &out, more].concat())
    };
    run("events.csv", "1", &["--field", "service"]);
    run("events.csv.gz", "2", &["--field", "service"]);
    let report = run("events.jsonl", "3", &["--field", "svc=service", "--time", "at", "--time-unit", "s"]);
    assert!(report.contains("36000 counted without a value that is an object or a list (first in line 1)"), "{report}");
    for n in ["2", "3"] {
        assert_eq!(folder.read("scores1"), folder.read(&format!("scores{n}")));
        assert_eq!(folder.read("fingerprints1"), folder.read(&format!("fingerprints{n}")));
    }
    assert_eq!(folder.read("fingerprints1").lines().count(), 179);
}

#[test]
fn bad_rows_are_counted_by_reason_with_the_first_ones_line() {
    let mut rows: Vec<String> = csv().lines().map(str::to_owned).collect();
    rows[10] = "not a time,web,pay,5".to_owned();
    rows[20] = ",web,pay,5".to_owned();
    rows[30].push_str(",surplus");
    rows[40] = "-5,web,pay,5".to_owned();
    rows[50] = "99999999999999999,web,pay,5".to_owned();
    rows.swap(100, 101);
    let folder = Folder::new().with("events.csv", rows.join("\n"));
    let report = folder.report("events.csv", &CROSS);
    for line in [
        "events    35995 in",
        "1 left out: the time isn't a number (first in line 11)",
        "1 left out: no time (first in line 21)",
        "1 left out: not as many values as columns (first in line 31)",
        "2 left out: the time is out of range, see --time-unit (first in line 41)",
        "1 counted at the time of the row before, being older (first in line 102)",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
}

#[test]
fn what_cannot_be_read_or_watched_is_named() {
    let folder = Folder::new()
        .with("events.csv", csv())
        .with("empty.csv", "ts_ms,service\n")
        .with("other.jsonl", "{\"when\":1,\"service\":\"web\"}\n")
        .with("noise.gz", [0x1f, 0x8b, 8, 0, 1, 2, 3])
        .with("faults.csv", "start_ts,end_ts\n5,soon\n");
    for (file, args, says) in [
        ("events.csv", &["--time", "when"][..], "no column 'when'; the columns are: ts_ms, service, peer, latency_ms"),
        ("events.csv", &["--field", "host=service"], "no column 'host'; the columns are: ts_ms, service"),
        ("other.jsonl", &[], "no column 'ts_ms'; the columns are: service, when"),
        ("missing.csv", &[], "missing.csv can't be read: No such file"),
        ("noise.gz", &[], "noise.gz can't be read: unexpected end of file"),
        ("empty.csv", &[], "no event could be read: it has no rows"),
        ("events.csv", &["--time-unit", "us", "--time", "latency_ms"], "36000 rows left out: the time is out of range"),
        ("events.csv", &["--cross", "peer"], "CROSSES"),
        ("events.csv", &["--dimension", "peer", "--measure", "peer"], "'peer' is both a dimension and a measure"),
        ("events.csv", &["--window", "1ms"], "WINDOW must be 100 to 86400000 ms, got '1'"),
        ("events.csv", &["--labels", "faults.csv"], "faults.csv: line 2: a time isn't a number"),
        ("events.csv", &["--labels", "empty.csv"], "empty.csv: no column 'start_ts'"),
    ] {
        let refusal = folder.refusal(file, args);
        assert!(refusal.starts_with("eddyline: ") && refusal.contains(says), "{says}\n{refusal}");
    }
}

#[test]
fn a_jump_is_empty_windows_or_a_gap_as_asked() {
    let mut rows: Vec<String> = csv().lines().map(str::to_owned).collect();
    // Five minutes without an event, aligned to windows.
    rows.drain(12_001..18_001);
    let folder = Folder::new().with("events.csv", rows.join("\n"));
    let fingerprints = |name: &str, more: &[&str]| {
        folder.report("events.csv", &[&CROSS[..], &["--fingerprints", name], more].concat());
        folder.read(name)
    };
    let idle = fingerprints("idle", &[]);
    assert_eq!(idle.lines().count(), 179);
    assert_eq!(idle.lines().filter(|line| line.contains(" n=0 ")).count(), 30);
    assert!(idle.lines().all(|line| line.ends_with("gap=0 partial=false")));
    let gap = fingerprints("gap", &["--gap", "30s"]);
    assert_eq!(gap.lines().count(), 149);
    assert_eq!(gap.lines().filter(|line| line.ends_with("gap=300000 partial=false")).count(), 1);
}

#[test]
fn fields_are_inferred_where_none_are_given() {
    let folder = Folder::new().with("events.csv", csv());
    let report = folder.report("events.csv", &[]);
    // The first three windows were needed to find out.
    assert!(report.contains("windows   176 of 10 s"), "{report}");
}
