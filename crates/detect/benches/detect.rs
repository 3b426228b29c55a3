//! One window through a pipeline that has settled: judged and learned, refits included; and the window that refits.
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

    fn push(&mut self) {
        let values = &self.rows[self.window as usize % self.rows.len()];
        self.window += 1;
        let end_ms = self.window * 10_000;
        let window = Window { end_ms, n: 1, values, gap_ms: 0, items: &[], slots: &[] };
        black_box(self.pipeline.push(&window).expect("a sound window"));
    }

    /// Time of so many windows that refit, without those between.
    fn refits(&mut self, count: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..count {
            while !(self.window + 1).is_multiple_of(BETWEEN_FITS) {
                self.push();
            }
            let began = Instant::now();
            self.push();
            spent += began.elapsed();
        }
        spent
    }
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

fn numeric(criterion: &mut Criterion) {
    let mut monitor = Monitor::settled(numbers(), |rng| (0..38).map(|_| noise(rng)).collect());
    criterion.bench_function("window of 38 numbers", |bencher| bencher.iter(|| monitor.push()));
    criterion.bench_function("window of 38 numbers that refits", |bencher| {
        bencher.iter_custom(|count| monitor.refits(count));
    });
}

fn counts(criterion: &mut Criterion) {
    let row = |rng: &mut ChaCha8Rng| (0..256).map(|_| rng.random_range(0..20) as f32).collect();
    let mut monitor = Monitor::settled(histogram(), row);
    criterion.bench_function("window of a histogram 32 x 8", |bencher| bencher.iter(|| monitor.push()));
    criterion.bench_function("window of a histogram 32 x 8 that refits", |bencher| {
        bencher.iter_custom(|count| monitor.refits(count));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = numeric, counts
}
criterion_main!(benches);
