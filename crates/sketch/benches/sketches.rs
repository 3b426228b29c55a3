//! One call of each sketch, with items that are mostly known (skewed) and mostly new (random ones out of 10⁶).
//!
//! `cargo bench -p eddyline-sketch`

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles};

type Item = (Vec<u8>, ItemHash);

fn items(draw: impl Fn(f64) -> u32) -> Vec<Item> {
    let item = |i: u64| {
        let uniform = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64;
        let item = format!("{:012}", draw(uniform)).into_bytes();
        let hash = ItemHash::of(&item);
        (item, hash)
    };
    (0..50_000).map(item).collect()
}

fn every_sketch(criterion: &mut Criterion, name: &str, items: &[Item]) {
    let mut group = criterion.benchmark_group(name);
    each(&mut group, "hash", items, |item, _| {
        black_box(ItemHash::of(item));
    });
    let mut counts = CountMin::new(1024, 4).expect("a shape within limits");
    each(&mut group, "count-min 1024 x 4", items, |_, hash| counts.add(hash, 1));
    let mut hitters = HeavyHitters::new(32).expect("a capacity within limits");
    each(&mut group, "heavy hitters 32", items, |item, hash| {
        hitters.add(item, hash, 1);
    });
    let mut distinct = Distinct::new(10).expect("a precision within limits");
    each(&mut group, "distinct 10", items, |_, hash| distinct.add(hash));
    let mut novelty = Novelty::new(4096, 0.01).expect("parameters within limits");
    each(&mut group, "novelty 4096", items, |_, hash| {
        novelty.first_seen(hash);
    });
    let mut quantiles = Quantiles::new();
    each(&mut group, "quantiles", items, |_, hash| quantiles.add((hash.to_bits() >> 40) as f64));
    group.finish();
}

fn each(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, items: &[Item], mut call: impl FnMut(&[u8], ItemHash)) {
    let mut items = items.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            if let Some((item, hash)) = items.next() {
                call(black_box(item), black_box(*hash));
            }
        });
    });
}

fn sketches(criterion: &mut Criterion) {
    every_sketch(criterion, "skewed", &items(|uniform| (2_000.0 * uniform * uniform * uniform) as u32));
    every_sketch(criterion, "random", &items(|uniform| (1e6 * uniform) as u32));
}

criterion_group!(benches, sketches);
criterion_main!(benches);
