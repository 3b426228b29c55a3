//! A simulated shop: false alarms over ordinary traffic, and how faults of the demo's kinds are found.
//!
//! `cargo run --release -p eddyline-detect --example shop -- [seed] [ordinary windows]`

#[path = "../tests/shop/mod.rs"]
mod shop;

use eddyline_detect::{Change, Pipeline, Settings};
use shop::{Fault, Shop};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let (seed, ordinary) = (arguments.next().unwrap_or(1), arguments.next().unwrap_or(10_000));
    let settings = Settings { quiet_after: 8, ..Settings::new(1_000) };
    let mut pipeline = Pipeline::new(Shop::layout(), settings).expect("a sound layout");
    let mut shop = Shop::new(seed, 150.0, 1_000);
    let (mut alarms, mut spent) = (0, Vec::new());
    let mut below = [0_u32; 4];
    for window in 0..3_600 + ordinary {
        let fingerprint = shop.next(Fault::None);
        let start = Instant::now();
        let verdict = pipeline.push(&fingerprint.window()).expect("a sound window");
        spent.push(start.elapsed().as_secs_f64() * 1e6);
        if let Some(Change::Opened(incident)) = &verdict.change {
            alarms += u32::from(window >= 3_600);
            println!("window {window}: false alarm, score {:.2}, {}", incident.score, incident.summary);
        }
        if window >= 3_600 {
            for (count, p) in below.iter_mut().zip([0.1, 0.01, 1e-3, 1e-4]) {
                *count += u32::from(verdict.p <= p);
            }
        }
    }
    spent.sort_by(f64::total_cmp);
    let (mean, at) =
        (spent.iter().sum::<f64>() / spent.len() as f64, |q: f64| spent[(q * (spent.len() - 1) as f64) as usize]);
    println!("{alarms} false alarms in {ordinary} ordinary windows ({:.2} asked)", ordinary as f64 * 1.157e-5);
    println!("us a window: mean {mean:.0}, median {:.0}, p99 {:.0}, max {:.0}", at(0.5), at(0.99), at(1.0));
    println!(
        "realised share of windows at p <= .1 .01 .001 .0001: {:?}",
        below.map(|count| f64::from(count) / ordinary as f64)
    );
    let faults = [
        Fault::Errors("pay"),
        Fault::Slow("bank"),
        Fault::Gone("/cart"),
        Fault::Scan,
        Fault::Slow("db"),
        Fault::Drop(0.3),
    ];
    for fault in faults {
        for _ in 0..18 {
            let fingerprint = shop.next(Fault::None);
            report("quiet", &pipeline.push(&fingerprint.window()).expect("a sound window"), 0);
        }
        for window in 1..=13 {
            let fingerprint = shop.next(fault);
            report(&format!("{fault:?}"), &pipeline.push(&fingerprint.window()).expect("a sound window"), window);
        }
    }
    let bytes = postcard::to_stdvec(&pipeline).expect("a checkpoint").len();
    println!("checkpoint {bytes} bytes at {} features", Shop::layout().len());
}

fn report(what: &str, verdict: &eddyline_detect::Verdict, window: u32) {
    match &verdict.change {
        Some(Change::Opened(incident) | Change::Updated(incident)) => {
            println!("{what} window {window}: score {:.2}, {} ({})", incident.score, incident.summary, incident.rarity);
            for cause in &incident.causes {
                let items: Vec<&str> = cause.items.iter().map(|item| item.item.as_str()).collect();
                println!(
                    "    {:.2} {} | {} | {:.1} against {:.1} ({:.1}-{:.1}) {items:?}",
                    cause.share, cause.kind, cause.what, cause.observed, cause.expected, cause.low, cause.high
                );
            }
        }
        Some(Change::Resolved(incident, why)) => {
            println!("{what} window {window}: resolved after {} windows, {why}", incident.windows);
        }
        None => {}
    }
}
