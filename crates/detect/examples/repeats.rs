//! Ten incidents of one size, and in how many windows each is found: the second and the tenth as fast as the first?
//!
//! `cargo run --release -p eddyline-detect --example repeats -- [seed] [windows of an incident] [quiet windows between] [times]`
//!
//! Of more than ten, how many are missed.

#[path = "../tests/shop/mod.rs"]
mod shop;

use eddyline_detect::{Block, Change, Layout, Pipeline, Settings, Verdict, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shop::{Fault, Shop};

/// Ordinary windows before the first.
const BEFORE: u64 = 2_400;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seed = arguments.next().unwrap_or(1);
    let (lasts, between) = (arguments.next().unwrap_or(30), arguments.next().unwrap_or(200));
    let series = Series { lasts, between, times: arguments.next().unwrap_or(10) };
    println!("windows until it opens, openings and resolutions of each; openings in quiet windows");
    for (window_ms, rate) in [(1_000, 150.0), (5_000, 60.0), (60_000, 10.0)] {
        let faults = [
            ("error burst", Fault::Errors("pay")),
            ("latency", Fault::Slow("bank")),
            ("vanished", Fault::Gone("/cart")),
            ("traffic drop", Fault::Drop(0.3)),
            ("outage", Fault::Drop(0.0)),
        ];
        for (name, fault) in faults {
            let mut shop = Shop::new(seed, rate, window_ms);
            let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(window_ms)).expect("sound settings");
            let what = format!("{name}, {} s", window_ms / 1000);
            series.run(&what, |wrong| {
                let fingerprint = shop.next(if wrong { fault } else { Fault::None });
                pipeline.push(&fingerprint.window()).expect("a sound window")
            });
        }
    }
    for (window_ms, kind) in [1_000, 60_000].into_iter().flat_map(|ms| [(ms, "shift"), (ms, "wild"), (ms, "stuck")]) {
        let names = (0..8).map(|feature| format!("f{feature}")).collect();
        let layout = Layout { blocks: vec![Block::Numeric { names }] };
        let mut pipeline = Pipeline::new(layout, Settings::new(window_ms)).expect("sound settings");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut end_ms, mut before) = (0, [0.0; 8]);
        series.run(&format!("vectors {kind}, {} s", window_ms / 1000), |wrong| {
            let common = rng.random_range(-1.0_f32..1.0);
            let mut values: [f32; 8] = std::array::from_fn(|_| common + rng.random_range(-1.0..1.0));
            match kind {
                "shift" if wrong => values[3] += 12.0,
                "wild" if wrong => values[3] *= 10.0,
                "stuck" if wrong => values[3] = before[3],
                _ => {}
            }
            before = values;
            end_ms += window_ms;
            let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
            pipeline.push(&window).expect("a sound window")
        });
    }
}

/// Incidents one after the other, in windows.
struct Series {
    lasts: u64,
    between: u64,
    times: u64,
}

impl Series {
    /// Feeds windows, each wrong or not, and prints what was found.
    fn run(&self, what: &str, mut push: impl FnMut(bool) -> Verdict) {
        let Self { lasts, between, times } = *self;
        let (mut found, mut opened, mut resolved) =
            (vec![None; times as usize], vec![0; times as usize], vec![0; times as usize]);
        let (every, mut quiet) = (lasts + between, 0);
        for window in 0..BEFORE + times * every {
            let since = window.checked_sub(BEFORE).map(|since| ((since / every) as usize, since % every));
            let verdict = push(since.is_some_and(|(_, at)| at < lasts));
            match (verdict.change, since) {
                (Some(Change::Opened(_)), Some((nth, at))) if at < lasts + 40 => {
                    opened[nth] += 1;
                    found[nth] = found[nth].or((at < lasts).then_some(at + 1));
                }
                (Some(Change::Opened(_)), _) => quiet += 1,
                (Some(Change::Resolved(..)), Some((nth, _))) => resolved[nth] += 1,
                _ => {}
            }
        }
        if times > 10 {
            let missed = found.iter().filter(|found| found.is_none()).count();
            println!("{what:24} {missed} of {times} missed  quiet {quiet}");
            return;
        }
        let told: Vec<String> = found
            .iter()
            .zip(opened.iter().zip(&resolved))
            .map(|(found, (opened, resolved))| match found {
                Some(at) if (*opened, *resolved) == (1, 1) => at.to_string(),
                Some(at) => format!("{at}({opened}/{resolved})"),
                None => format!("-({opened}/{resolved})"),
            })
            .collect();
        println!("{what:24} {}  quiet {quiet}", told.join(" "));
    }
}
