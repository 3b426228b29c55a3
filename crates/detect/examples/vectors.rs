//! Scores ready-made vectors (smd, asd), one pipeline a series from a cold start, as `evaluate.py vectors` reads them.
//!
//! `cargo run --release -p eddyline-detect --example vectors -- smd <folder for the scores> [period in ms] [detectors]`
//! with the data under `EDDYLINE_DATA` (default `../shared/data`).

use eddyline_detect::{Block, Detectors, Layout, Pipeline, Settings, Window};
use flate2::read::GzDecoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let set = arguments.next().expect("which set: smd or asd");
    let out = PathBuf::from(arguments.next().expect("folder for the scores"));
    let period_ms = arguments.next().map_or(60_000, |text| text.parse().expect("period in ms"));
    let detectors: Detectors =
        arguments.next().map_or_else(Detectors::default, |text| text.parse().expect("detectors"));
    let data =
        std::env::var_os("EDDYLINE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from).join(set);
    let settings = Settings { detectors, ..Settings::new(period_ms) };
    std::fs::create_dir_all(&out).expect("a folder for the scores");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(data).expect("the data set").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some(series) = name.strip_suffix("_test.csv.gz") {
            let (windows, spent) = score(&file, &out.join(format!("{series}.csv")), &settings);
            eprintln!("{series}: {windows} windows, {:.1} us each", spent.as_secs_f64() * 1e6 / windows as f64);
        }
    }
}

fn score(file: &Path, out: &Path, settings: &Settings) -> (usize, Duration) {
    let mut rows = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open(file).expect("a series")));
    let names = rows.headers().expect("a header").iter().map(str::to_owned).collect();
    let layout = Layout { blocks: vec![Block::Numeric { names }] };
    let mut pipeline = Pipeline::new(layout, settings.clone()).expect("sound settings");
    let mut out = std::fs::File::create(out).expect("a file for the scores");
    writeln!(out, "score,alert").expect("written");
    let (mut windows, mut spent) = (0, Duration::ZERO);
    for row in rows.records() {
        let values: Vec<f32> = row.expect("a row").iter().map(|value| value.parse().unwrap_or(f32::NAN)).collect();
        windows += 1;
        let end_ms = windows as u64 * settings.window_ms;
        let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
        let start = Instant::now();
        let verdict = pipeline.push(&window).expect("a sound window");
        spent += start.elapsed();
        writeln!(out, "{},{}", verdict.score, u8::from(verdict.score >= 0.5)).expect("written");
    }
    (windows, spent)
}
