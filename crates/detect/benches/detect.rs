//! One window through a pipeline that has settled: judged alone, learned alone, both with refits included, and the learning
//! that refits.
//!
//! `cargo bench -p eddyline-detect`

use std::cell::RefCell;

use divan::{Bencher, black_box};
use eddyline_detect::{Block, Layout, Pipeline, Settings, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Windows that settle a pipeline: beyond 4,000 it fits every 500 windows.
const SETTLED: u64 = 20_000;
const BETWEEN_FITS: u64 = 500;
const WINDOWS: [&str; 2] = ["38 numbers", "histogram 32 x 8"];

fn main() {
    divan::main();
}

fn numbers() -> Layout {
    Layout { blocks: vec![Block::Numeric { names: (0..38).map(|feature| format!("f{feature:02}")).collect() }] }
}

fn histogram() -> Layout {
    let edges = (0..7).map(|power| 4_f64.powi(power)).collect();
    let (name, group, measure) = ("peer*ms".to_owned(), "peer".to_owned(), "ms".to_owned());
    Layout { blocks: vec![Block::Histogram { name, group, measure, slots: 32, edges }] }
}

struct Monitor {
    pipeline: Pipeline,
    rows: Vec<Vec<f32>>,
    window: u64,
}

impl Monitor {
    fn settled(layout: Layout, row: impl Fn(&mut ChaCha8Rng) -> Vec<f32>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let rows = (0..1_009).map(|_| row(&mut rng)).collect();
        let pipeline = Pipeline::new(layout, Settings::new(10_000)).expect("a sound layout");
        let mut monitor = Self { pipeline, rows, window: 0 };
        (0..SETTLED).for_each(|_| monitor.push());
        monitor
    }

    fn judge(&mut self) {
        let values = &self.rows[self.window as usize % self.rows.len()];
        self.window += 1;
        let end_ms = self.window * 10_000;
        let window = Window { end_ms, n: 1, values, gap_ms: 0, items: &[], slots: &[] };
        black_box(self.pipeline.judge(&window).expect("a sound window"));
    }

    fn push(&mut self) {
        self.judge();
        self.pipeline.learn();
    }

    /// Pushes until the next window is, or isn't, one whose learning refits.
    fn push_until(&mut self, refits: bool) {
        while (self.window + 1).is_multiple_of(BETWEEN_FITS) != refits {
            self.push();
        }
    }
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

fn settled(of: &str) -> Monitor {
    match of {
        "38 numbers" => Monitor::settled(numbers(), |rng| (0..38).map(|_| noise(rng)).collect()),
        _ => Monitor::settled(histogram(), |rng| (0..256).map(|_| rng.random_range(0..20) as f32).collect()),
    }
}

/// Judged and learned, refits included.
#[divan::bench(args = WINDOWS)]
fn both(bencher: Bencher, of: &str) {
    let mut monitor = settled(of);
    bencher.bench_local(|| monitor.push());
}

#[divan::bench(args = WINDOWS, sample_count = 2_000, sample_size = 1)]
fn judged(bencher: Bencher, of: &str) {
    let monitor = RefCell::new(settled(of));
    monitor.borrow_mut().judge();
    bencher.with_inputs(|| monitor.borrow_mut().pipeline.learn()).bench_local_values(|()| monitor.borrow_mut().judge());
}

/// Without those that refit.
#[divan::bench(args = WINDOWS, sample_count = 2_000, sample_size = 1)]
fn learned(bencher: Bencher, of: &str) {
    learning(bencher, of, false);
}

#[divan::bench(args = WINDOWS, sample_count = 20, sample_size = 1)]
fn learned_with_a_refit(bencher: Bencher, of: &str) {
    learning(bencher, of, true);
}

fn learning(bencher: Bencher, of: &str, refits: bool) {
    let monitor = RefCell::new(settled(of));
    let judge = || {
        let mut monitor = monitor.borrow_mut();
        monitor.push_until(refits);
        monitor.judge();
    };
    bencher.with_inputs(judge).bench_local_values(|()| monitor.borrow_mut().pipeline.learn());
}
