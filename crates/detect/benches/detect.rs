//! One window through a pipeline that has settled: judged alone, learned alone, both with refits included, and the learning
//! that refits.
//!
//! `cargo bench -p eddyline-detect`

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use eddyline_detect::{Block, Layout, Pipeline, Settings, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Windows that settle a pipeline: beyond 4,000 it fits every 500 windows.
const SETTLED: u64 = 20_000;
const BETWEEN_FITS: u64 = 500;

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

    /// Time of judging so many windows, without learning them.
    fn judgements(&mut self, count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..count {
            let began = Instant::now();
            self.judge();
            spent += began.elapsed();
            self.pipeline.learn();
        }
        spent
    }

    /// Time of learning so many windows that cause no refit.
    fn lessons(&mut self, count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..count {
            if (self.window + 1).is_multiple_of(BETWEEN_FITS) {
                self.push();
            }
            self.judge();
            let began = Instant::now();
            self.pipeline.learn();
            spent += began.elapsed();
        }
        spent
    }

    /// Time of learning so many windows that refit, without those between.
    fn refits(&mut self, count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..count {
            while !(self.window + 1).is_multiple_of(BETWEEN_FITS) {
                self.push();
            }
            self.judge();
            let began = Instant::now();
            self.pipeline.learn();
            spent += began.elapsed();
        }
        spent
    }

    /// All of them, by the name of what a window is of.
    fn bench(mut self, criterion: &mut Criterion, of: &str) {
        criterion.bench_function(&format!("window of {of}"), |bencher| bencher.iter(|| self.push()));
        type Timed = fn(&mut Monitor, u64) -> Duration;
        let alone: [(&str, Timed); 3] =
            [("judged", Self::judgements), ("learned", Self::lessons), ("learned with a refit", Self::refits)];
        for (what, timed) in alone {
            let name = format!("window of {of}, {what}");
            criterion.bench_function(&name, |bencher| bencher.iter_custom(|count| timed(&mut self, count)));
        }
    }
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

fn numeric(criterion: &mut Criterion) {
    Monitor::settled(numbers(), |rng| (0..38).map(|_| noise(rng)).collect()).bench(criterion, "38 numbers");
}

fn counts(criterion: &mut Criterion) {
    let row = |rng: &mut ChaCha8Rng| (0..256).map(|_| rng.random_range(0..20) as f32).collect();
    Monitor::settled(histogram(), row).bench(criterion, "a histogram 32 x 8");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = numeric, counts
}
criterion_main!(benches);
