//! One observation, and closing a window.
//!
//! `cargo bench -p eddyline-monitor`

use divan::Bencher;
use eddyline_monitor::{Clock, Definition, Measure, Monitor};

const FIELDS: [&[u8]; 5] = [b"service", b"endpoint", b"status", b"latency_ms", b"user"];
const WINDOW_MS: u64 = 5000;
/// Observations in a window that closes.
const OBSERVATIONS: usize = 5000;

type Observation = [String; 5];

fn main() {
    divan::main();
}

/// `n` observations of random items out of `of`.
fn observations(n: usize, of: u64) -> Vec<Observation> {
    let mut random = 1u64;
    let mut item = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:012}", (random >> 33) % of)
    };
    (0..n).map(|_| std::array::from_fn(|_| item())).collect()
}

fn observe(monitor: &mut Monitor, observation: &Observation) {
    let values = observation.iter().map(String::as_bytes);
    monitor.observe(FIELDS.iter().copied().zip(values)).expect("a window is open");
}

fn monitor(definition: Definition) -> Monitor {
    let mut monitor =
        Monitor::new(Definition { clock: Clock::Stream, ..definition }).expect("a definition within limits");
    monitor.close(WINDOW_MS);
    monitor
}

fn dimensions(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// 3 dimensions, 1 measure, 1 unique, 1 cross; items out of so many.
#[divan::bench(args = [100, 1_000_000], sample_size = 1_000)]
fn observe_items_out_of(bencher: Bencher, of: u64) {
    let measure = |field: &str| Measure { field: field.to_owned(), first_edge: None };
    let mut monitor = monitor(Definition {
        dimensions: dimensions(&["service", "endpoint", "status"]),
        crosses: vec![vec![measure("service"), measure("latency_ms")]],
        measures: vec![measure("latency_ms")],
        uniques: vec!["user".to_owned()],
        ..Definition::default()
    });
    let observations = observations(50_000, of);
    let mut next = observations.iter().cycle();
    bencher.bench_local(|| next.next().into_iter().for_each(|one| observe(&mut monitor, one)));
}

#[divan::bench]
fn close_4_dimensions_5000_observations(bencher: Bencher) {
    let observations = observations(OBSERVATIONS, 1_000_000);
    let mut filled = monitor(Definition {
        dimensions: dimensions(&["service", "endpoint", "status", "user"]),
        ..Definition::default()
    });
    // what is surprising is asked of windows that others preceded
    for window in 2..10 {
        observations.iter().for_each(|one| observe(&mut filled, one));
        filled.close(window * WINDOW_MS);
        filled.sent(window * WINDOW_MS);
    }
    observations.iter().for_each(|one| observe(&mut filled, one));
    bencher.with_inputs(|| filled.clone()).bench_local_refs(|monitor| monitor.close(10 * WINDOW_MS));
}
