//! Vectors of ordinary random numbers: incidents opened where none should, and whether a jump by 60 is found after them.
//!
//! `cargo run --release -p eddyline-detect --example noise -- [hours] [seeds] [budget a day]`

use eddyline_detect::{Block, Change, Layout, Pipeline, Settings, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

/// Windows at the end in which the first number jumps.
const JUMP: u64 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: f64| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (hours, seeds, budget_per_day) = (number(2.0), number(10.0) as u64, number(1.0));
    for window_ms in [1_000, 60_000] {
        for kind in ["uniform", "normal", "exponential"] {
            for features in [1, 2, 3, 10] {
                let settings = Settings { budget_per_day, ..Settings::new(window_ms) };
                let windows = (hours * 3.6e6 / window_ms as f64) as u64;
                let (mut opened, mut found) = (0, 0);
                for seed in 0..seeds {
                    let (wrong, right) = run(kind, features, &settings, windows, seed);
                    opened += wrong;
                    found += u64::from(right);
                }
                let asked = seeds as f64 * hours / 24.0 * budget_per_day;
                println!(
                    "{features:2} {kind:12} {:2} s: {opened} opened, {asked:.2} asked; jump found {found} of {seeds}",
                    window_ms / 1_000
                );
            }
        }
    }
}

/// Incidents in ordinary windows, and whether one opened in the jump after them.
fn run(kind: &str, features: usize, settings: &Settings, windows: u64, seed: u64) -> (u32, bool) {
    let names = (0..features).map(|feature| format!("f{feature}")).collect();
    let layout = Layout { blocks: vec![Block::Numeric { names }] };
    let mut pipeline = Pipeline::new(layout, settings.clone()).expect("sound settings");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || {
        let (a, b): (f32, f32) = (rng.random(), rng.random());
        match kind {
            "uniform" => a,
            "normal" => (-2.0 * (1.0 - a).ln()).sqrt() * (TAU * b).cos(),
            _ => -(1.0 - a).ln(),
        }
    };
    let (mut opened, mut found) = (0, false);
    for window in 1..=windows + JUMP {
        let mut values: Vec<f32> = (0..features).map(|_| draw()).collect();
        if window > windows {
            values[0] += 60.0;
        }
        let end_ms = window * settings.window_ms;
        let window_of = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
        let is_open = matches!(pipeline.push(&window_of).expect("a sound window").change, Some(Change::Opened(_)));
        match window > windows {
            true => found |= is_open,
            false => opened += u32::from(is_open),
        }
    }
    (opened, found)
}
