//! One call of each sketch, with items that are mostly known (skewed) and mostly new (random ones out of 10⁶).
//!
//! `cargo bench -p eddyline-sketch`

use divan::{Bencher, black_box};
use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles};

/// How often each item comes.
const LOADS: [&str; 2] = ["skewed", "random"];

fn main() {
    divan::main();
}

fn items(load: &str) -> Vec<(Vec<u8>, ItemHash)> {
    let draw = |uniform: f64| match load {
        "skewed" => 2_000.0 * uniform * uniform * uniform,
        _ => 1e6 * uniform,
    };
    let item = |i: u64| {
        let uniform = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64;
        let item = format!("{:012}", draw(uniform) as u32).into_bytes();
        let hash = ItemHash::of(&item);
        (item, hash)
    };
    (0..50_000).map(item).collect()
}

fn each<T>(bencher: Bencher, load: &str, mut call: impl FnMut(&[u8], ItemHash) -> T) {
    let items = items(load);
    let mut items = items.iter().cycle();
    bencher.bench_local(|| items.next().map(|(item, hash)| call(black_box(item), black_box(*hash))));
}

#[divan::bench(args = LOADS)]
fn hash(bencher: Bencher, load: &str) {
    each(bencher, load, |item, _| ItemHash::of(item));
}

#[divan::bench(args = LOADS)]
fn count_min_1024_x_4(bencher: Bencher, load: &str) {
    let mut counts = CountMin::new(1024, 4).expect("a shape within limits");
    each(bencher, load, |_, hash| counts.add(hash, 1));
}

#[divan::bench(args = LOADS)]
fn heavy_hitters_32(bencher: Bencher, load: &str) {
    let mut hitters = HeavyHitters::new(32).expect("a capacity within limits");
    each(bencher, load, |item, hash| {
        hitters.add(item, hash, 1);
    });
}

#[divan::bench(args = LOADS)]
fn distinct_10(bencher: Bencher, load: &str) {
    let mut distinct = Distinct::new(10).expect("a precision within limits");
    each(bencher, load, |_, hash| distinct.add(hash));
}

#[divan::bench(args = LOADS)]
fn novelty_4096(bencher: Bencher, load: &str) {
    let mut novelty = Novelty::new(4096, 0.01).expect("parameters within limits");
    each(bencher, load, |_, hash| novelty.first_seen(hash));
}

#[divan::bench(args = LOADS)]
fn quantiles(bencher: Bencher, load: &str) {
    let mut quantiles = Quantiles::new();
    each(bencher, load, |_, hash| quantiles.add((hash.to_bits() >> 40) as f64));
}
