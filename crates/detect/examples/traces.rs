//! Scores the trace sets, strictly causal from a cold start, as `evaluate.py events` reads them.
//!
//! `cargo run --release -p eddyline-detect --example traces -- trainticket scores.csv [all|peer] [budget per day]`
//! with the data under `EDDYLINE_DATA` (default `../shared/data`).

use eddyline_detect::{Block, Layout, Pipeline, Settings, SlotName, State, Window};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const WINDOW_MS: u64 = 10_000;
const SLOTS: usize = 32;
const BUCKETS: usize = 32;
const EDGES_US: [f64; 7] = [250.0, 1e3, 4e3, 16e3, 64e3, 256e3, 1024e3];

/// Row of each item, first come; the rest share the slots by hash.
#[derive(Default)]
struct Slots {
    known: BTreeMap<String, usize>,
    fresh: Vec<SlotName>,
}

impl Slots {
    fn of(&mut self, block: &str, item: &str) -> usize {
        if let Some(slot) = self.known.get(item) {
            return *slot;
        }
        let slot = if self.known.len() < SLOTS { self.known.len() } else { hash(item) % SLOTS };
        self.known.insert(item.to_owned(), slot);
        self.fresh.push(SlotName { block: block.to_owned(), slot, item: item.to_owned() });
        slot
    }
}

fn hash(item: &str) -> usize {
    item.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
        as usize
        >> 7
}

struct Run {
    pipeline: Pipeline,
    out: std::fs::File,
    spent: Duration,
    windows: u32,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let set = arguments.next().expect("which set: trainticket or onlineboutique");
    let out = arguments.next().expect("file for the scores");
    let all = arguments.next().is_some_and(|blocks| blocks == "all");
    let budget = arguments.next().map_or(1.0, |text| text.parse().expect("budget: alarms a day"));
    let data = std::env::var_os("EDDYLINE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let file = std::fs::File::open(data.join(&set).join("events.csv.gz")).expect("the data set");
    let mut events = csv::Reader::from_reader(GzDecoder::new(std::io::BufReader::new(file)));

    let name = "peer_service*duration_us".to_owned();
    let histogram = |name: &str, group: &str| Block::Histogram {
        name: name.to_owned(),
        group: group.to_owned(),
        measure: "duration_us".to_owned(),
        slots: SLOTS,
        edges: EDGES_US.to_vec(),
    };
    let dimensions = ["service", "operation", "peer_service"];
    let mut names = vec!["count".to_owned()];
    if all {
        for dimension in dimensions {
            names.extend(["distinct", "new", "entropy"].map(|what| format!("{dimension}:{what}")));
        }
        names.extend(["duration_us:mean", "duration_us:p50", "duration_us:p95", "duration_us:p99"].map(str::to_owned));
    }
    let mut blocks = vec![Block::Numeric { names }];
    if all {
        blocks.extend(dimensions.map(|dimension| Block::Counts { name: dimension.to_owned(), buckets: BUCKETS }));
    }
    blocks.push(histogram(&name, "peer_service"));
    let settings = Settings { budget_per_day: budget, ..Settings::new(WINDOW_MS) };
    let pipeline = Pipeline::new(Layout { blocks }, settings).expect("a sound layout");
    let mut out = std::fs::File::create(out).expect("a file for the scores");
    writeln!(out, "window_end_ms,score,alert").expect("written");
    let mut run = Run { pipeline, out, spent: Duration::ZERO, windows: 0 };

    let mut slots = Slots::default();
    let mut seen: [BTreeMap<String, u64>; 3] = Default::default();
    let mut open: Option<Open> = None;
    let mut last_ms = 0;
    let mut row = csv::StringRecord::new();
    while events.read_record(&mut row).expect("a readable row") {
        let at: u64 = row[0].parse().expect("a time");
        let end = at / WINDOW_MS * WINDOW_MS + WINDOW_MS;
        let mut gap = 0;
        while open.as_ref().is_some_and(|window| window.end_ms < end) {
            let window = open.take().expect("an open window");
            let next = window.end_ms + WINDOW_MS;
            run.close(&window, all, &mut slots, &mut seen);
            if next < end && at - last_ms <= 30_000 {
                open = Some(Open::new(next, 0));
            } else if next < end {
                gap = end - next;
            }
        }
        last_ms = at;
        let window = open.get_or_insert_with(|| Open::new(end, gap));
        let duration: f64 = row[6].parse().expect("a duration");
        window.n += 1;
        if &row[5] != "-" {
            let bucket = EDGES_US.iter().take_while(|edge| duration >= **edge).count();
            window.histogram[slots.of(&name, &row[5]) * (EDGES_US.len() + 1) + bucket] += 1.0;
        }
        if all {
            window.durations.push(duration);
            for (counts, column) in window.items.iter_mut().zip([2, 3, 5]) {
                if &row[column] != "-" {
                    match counts.get_mut(&row[column]) {
                        Some(count) => *count += 1,
                        None => drop(counts.insert(row[column].to_owned(), 1)),
                    }
                }
            }
        }
    }
    if let Some(window) = open {
        run.close(&window, all, &mut slots, &mut seen);
    }
    eprintln!("{} windows, {:.1} us each", run.windows, run.spent.as_secs_f64() * 1e6 / f64::from(run.windows));
}

struct Open {
    end_ms: u64,
    gap_ms: u64,
    n: u64,
    histogram: Vec<f32>,
    items: [BTreeMap<String, u64>; 3],
    durations: Vec<f64>,
}

impl Open {
    fn new(end_ms: u64, gap_ms: u64) -> Self {
        let histogram = vec![0.0; SLOTS * (EDGES_US.len() + 1)];
        Self { end_ms, gap_ms, n: 0, histogram, items: Default::default(), durations: Vec::new() }
    }
}

impl Run {
    fn close(&mut self, window: &Open, all: bool, slots: &mut Slots, seen: &mut [BTreeMap<String, u64>; 3]) {
        let mut values = vec![window.n as f32];
        if all {
            for (counts, seen) in window.items.iter().zip(seen) {
                let new = counts.keys().filter(|item| seen.insert((*item).clone(), 0).is_none()).count();
                let total: u64 = counts.values().sum();
                let entropy: f64 =
                    counts.values().map(|count| *count as f64 / total as f64).map(|share| -share * share.log2()).sum();
                values.extend([counts.len() as f32, new as f32, entropy as f32]);
            }
            let mut sorted = window.durations.clone();
            sorted.sort_by(f64::total_cmp);
            let quantile =
                |q: f64| sorted.get((q * (sorted.len() as f64 - 1.0)) as usize).map_or(f32::NAN, |value| *value as f32);
            let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
            values.extend([mean as f32, quantile(0.5), quantile(0.95), quantile(0.99)]);
            for counts in &window.items {
                let mut buckets = [0.0; BUCKETS];
                for (item, count) in counts {
                    buckets[hash(item) % BUCKETS] += *count as f32;
                }
                values.extend(buckets);
            }
        }
        values.extend(&window.histogram);
        let fresh = std::mem::take(&mut slots.fresh);
        let input = Window {
            end_ms: window.end_ms,
            n: window.n,
            values: &values,
            gap_ms: window.gap_ms,
            items: &[],
            slots: &fresh,
        };
        let start = Instant::now();
        let verdict = self.pipeline.push(&input).expect("a sound window");
        self.spent += start.elapsed();
        self.windows += 1;
        if verdict.state == State::Ready {
            let alert = u8::from(verdict.score >= 0.5);
            writeln!(self.out, "{},{},{alert}", window.end_ms, verdict.score).expect("written");
        }
    }
}
