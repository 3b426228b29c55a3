//! Nanoseconds a call, over items of a skewed distribution. `cargo run --release -p eddyline-sketch --example cost`

use std::hint::black_box;
use std::time::Instant;

use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles, SketchError};

const CALLS: usize = 2_000_000;

fn cost(what: &str, items: &[(Vec<u8>, ItemHash)], mut call: impl FnMut(&[u8], ItemHash)) {
    let best = (0..3).map(|_| {
        let start = Instant::now();
        for (item, hash) in items.iter().cycle().take(CALLS) {
            call(black_box(item), black_box(*hash));
        }
        start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    });
    println!("{what:32} {:6.1} ns", best.fold(f64::INFINITY, f64::min));
}

fn main() -> Result<(), SketchError> {
    let item = |i: u64| {
        // About a tenth of 2,000 items make up half of the calls.
        let uniform = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64;
        let item = format!("/shop/v1/item/{}", (2_000.0 * uniform * uniform * uniform) as u32);
        let hash = ItemHash::of(item.as_bytes());
        (item.into_bytes(), hash)
    };
    let items: Vec<_> = (0..50_000).map(item).collect();

    cost("hash an item", &items, |item, _| {
        black_box(ItemHash::of(item));
    });
    for width in [1024, 1000] {
        let mut counts = CountMin::new(width, 4)?;
        cost(&format!("count-min {width} x 4"), &items, |_, hash| counts.add(hash, 1));
        let mut counts = CountMin::new(width, 4)?;
        let what = format!("count-min {width} x 4, conservative");
        cost(&what, &items, |_, hash| counts.add_conservative(hash, 1));
    }
    for capacity in [16, 64] {
        let mut hitters = HeavyHitters::new(capacity)?;
        cost(&format!("heavy hitters, {capacity}"), &items, |item, hash| {
            hitters.add(item, hash, 1);
        });
    }
    let mut distinct = Distinct::new(12)?;
    cost("distinct", &items, |_, hash| distinct.add(hash));
    let mut novelty = Novelty::new(10_000, 0.01)?;
    cost("novelty", &items, |_, hash| {
        novelty.first_seen(hash);
    });
    let mut quantiles = Quantiles::new();
    cost("quantiles", &items, |_, hash| quantiles.add((hash.to_bits() >> 40) as f64));
    Ok(())
}
