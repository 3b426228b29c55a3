//! A monitor's memory is known when it is made and stays what it was.

use eddyline_monitor::{Clock, Definition, Measure, Monitor};

fn part(field: &str) -> Measure {
    Measure { field: field.to_owned(), first_edge: None }
}

#[test]
fn memory_does_not_depend_on_the_number_of_items() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let definition = Definition {
        window_ms: 1000,
        clock: Clock::Stream,
        dimensions: names(&["service", "endpoint", "status"]),
        crosses: vec![vec![part("service"), part("latency_ms")]],
        measures: vec![part("latency_ms")],
        uniques: names(&["user"]),
        ..Definition::default()
    };
    let mut monitor = Monitor::new(definition).unwrap();
    let expected = monitor.bytes_expected().unwrap() as f64;
    let (mut seed, mut counted) = (1_u64, 0_u64);
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    monitor.close(1000);
    for items in [1_000, 100_000, 1_000_000] {
        for window in 0..5 {
            for _ in 0..20_000 {
                let mut item = |what: &str| format!("{what}-{}", random(items));
                let values = [item("s"), item("e"), item("c"), item("u"), item("u")[2..].to_owned()];
                let fields = ["service", "endpoint", "status", "user", "latency_ms"];
                let fields = fields.iter().zip(&values).map(|(field, value)| (field.as_bytes(), value.as_bytes()));
                monitor.observe(fields).unwrap();
            }
            counted += 1;
            monitor.close((counted + window / 5 + 1) * 1000);
            monitor.sent(u64::MAX >> 16);
        }
        let ratio = monitor.bytes() as f64 / expected;
        assert!((0.95..1.05).contains(&ratio), "{items} items: {} of {expected}", monitor.bytes());
        assert!(monitor.bytes() < 1 << 20 && monitor.bytes() <= monitor.bytes_at_most());
    }
}
