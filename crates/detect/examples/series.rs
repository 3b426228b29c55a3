//! Scores single numbers (the form of nab), one pipeline a series from a cold start, as `nab.py` reads them.
//!
//! `cargo run --release -p eddyline-detect --example series -- <file for the scores>`
//! with the data under `EDDYLINE_DATA` (default `../shared/data`).

use eddyline_detect::{Block, Change, Layout, Pipeline, Settings, Window};
use flate2::read::GzDecoder;
use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() {
    let out = std::env::args().nth(1).expect("file for the scores");
    let data =
        std::env::var_os("EDDYLINE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from).join("nab");
    let mut periods = HashMap::new();
    for row in csv::Reader::from_path(data.join("series.csv")).expect("the list of series").records() {
        let row = row.expect("a row");
        let seconds: f64 = row[4].parse().expect("a median step");
        periods.insert(row[0].to_owned(), (seconds * 1_000.0) as u64);
    }
    let file = std::fs::File::open(data.join("nab.csv.gz")).expect("the series");
    let mut out = BufWriter::new(std::fs::File::create(out).expect("a file for the scores"));
    writeln!(out, "series,score").expect("written");
    let mut current: Option<(String, u64, Pipeline)> = None;
    let (mut windows, mut spent, mut days, mut openings) = (0_u32, Duration::ZERO, 0.0, 0_u32);
    for row in csv::Reader::from_reader(GzDecoder::new(file)).records() {
        let row = row.expect("a row");
        if current.as_ref().is_none_or(|(name, ..)| *name != row[0]) {
            let layout = Layout { blocks: vec![Block::Numeric { names: vec!["value".to_owned()] }] };
            let pipeline = Pipeline::new(layout, Settings::new(periods[&row[0]])).expect("sound settings");
            current = Some((row[0].to_owned(), 0, pipeline));
        }
        let (name, end_ms, pipeline) = current.as_mut().expect("a series");
        *end_ms += periods[name.as_str()];
        let values = [row[2].parse().unwrap_or(f32::NAN)];
        let window = Window { end_ms: *end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
        let start = Instant::now();
        let verdict = pipeline.push(&window).expect("a sound window");
        spent += start.elapsed();
        windows += 1;
        days += periods[name.as_str()] as f64 / 86_400_000.0;
        openings += u32::from(matches!(verdict.change, Some(Change::Opened(_))));
        writeln!(out, "{name},{}", verdict.score).expect("written");
    }
    let each = spent.as_secs_f64() * 1e6 / f64::from(windows);
    eprintln!("{windows} windows, {each:.1} us each; {:.2} openings a day", f64::from(openings) / days);
}
