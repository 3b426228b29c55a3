//! Quality on the real trace sets, where they are: strictly causal from a cold start, windows of 10 s, published labels.

use eddyline_testkit::data_dir;
use std::path::Path;
use std::process::Command;

/// AUROC and average precision as `eddyline replay` reports them.
fn quality(folder: &Path, more: &[&str]) -> (f64, f64) {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .current_dir(folder)
        .args(["replay", "events.csv.gz", "--cross", "peer_service*duration_us@250", "--labels", "faults.csv"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = String::from_utf8(output.stdout).unwrap();
    println!("{report}");
    let line = report.lines().find(|line| line.contains("published labels")).unwrap();
    let after = |word: &str| line.split(word).nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    (after("AUROC"), after("average precision"))
}

#[test]
fn train_ticket_is_ranked_at_least_as_well_as_asked() {
    let Some(data) = data_dir("trainticket") else { return };
    let (auroc, average_precision) = quality(&data, &[]);
    assert!(auroc >= 0.78 && average_precision >= 0.70, "{auroc} {average_precision}");
}

#[test]
fn online_boutique_is_ranked_at_least_as_well_as_asked() {
    let Some(data) = data_dir("onlineboutique") else { return };
    let segments = ["--gap", "30s", "--segments", "segments.csv", "--suspect", "suspect.csv"];
    let (auroc, average_precision) = quality(&data, &segments);
    assert!(auroc >= 0.74 && average_precision >= 0.55, "{auroc} {average_precision}");
}
