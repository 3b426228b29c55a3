//! What a monitor answers about items and measures, and what stays of them.

use eddyline_monitor::{Clock, Definition, EntryId, Extent, Hashed, Measure, Monitor, NoAnswer};

fn part(field: &str) -> Measure {
    Measure { field: field.to_owned(), first_edge: None }
}

fn shop() -> Definition {
    Definition {
        window_ms: 1000,
        clock: Clock::Stream,
        sources: vec![b"metrics".to_vec()],
        dimensions: vec!["service".to_owned(), "status".to_owned()],
        crosses: vec![vec![part("service"), part("status")], vec![part("service"), part("latency_ms")]],
        measures: vec![part("latency_ms")],
        ..Definition::default()
    }
}

/// Reads an entry at `ms`.
fn entry(monitor: &mut Monitor, ms: u64, service: &str, status: &str, latency: u64) {
    let latency = latency.to_string();
    let fields = [("service", service), ("status", status), ("latency_ms", &latency)];
    let id = EntryId { ms, seq: monitor.observations() + monitor.left_out().passed.paused + 1 };
    monitor.read(0, id, fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes())));
}

fn estimate(monitor: &Monitor, dimension: &str, item: &str) -> (u32, u32, f64) {
    let estimate = monitor.estimate(dimension, item.as_bytes()).unwrap();
    (estimate.open, estimate.last, estimate.mean)
}

#[test]
fn an_items_counts_are_of_the_open_window_the_last_one_and_the_long_run() {
    let mut monitor = Monitor::new(shop()).unwrap();
    for (window, calls) in [(5000, 4), (6000, 2), (7000, 3)] {
        for i in 0..calls {
            entry(&mut monitor, window + i, "pay", "500", 10 + i);
        }
    }
    assert_eq!(estimate(&monitor, "service", "pay"), (3, 2, 3.0));
    assert_eq!(estimate(&monitor, "service*status", "pay*500"), (3, 2, 3.0));
    assert_eq!(estimate(&monitor, "service*status", "pay*200"), (0, 0, 0.0));
    let (open, last) = monitor.top("status", 5).unwrap();
    assert_eq!((open, last), (vec![(&b"500"[..], 3)], vec![(&b"500"[..], 2)]));
    let median = monitor.quantile("latency_ms", 1.0).unwrap().unwrap();
    assert_eq!(median, 11.0, "of the last window, not of the open one");
    monitor.close(9000);
    assert_eq!(monitor.quantile("latency_ms", 0.0).unwrap(), Some(10.0));
    monitor.close(10_000);
    assert_eq!(monitor.quantile("latency_ms", 0.0).unwrap(), None, "nothing was measured in it");
    assert_eq!(estimate(&monitor, "service", "pay").1, 0);
}

#[test]
fn empty_windows_of_a_jump_are_the_last_window() {
    let mut monitor = Monitor::new(shop()).unwrap();
    entry(&mut monitor, 5000, "pay", "200", 10);
    entry(&mut monitor, 9000, "cart", "200", 10);
    assert_eq!(estimate(&monitor, "service", "pay"), (0, 0, 0.25));
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let monitor = Monitor::new(shop()).unwrap();
    let error = monitor.estimate("region", b"eu").unwrap_err().to_string();
    assert_eq!(error, "the monitor has no dimension 'region', it has: service, status, service*status");
    let error = monitor.quantile("service", 0.5).unwrap_err().to_string();
    assert_eq!(error, "the monitor has no measure 'service', it has: latency_ms");
    let learning = Monitor::new(Definition::default()).unwrap();
    assert_eq!(learning.top("service", 1).unwrap_err(), NoAnswer::Learning(0, 1000));
}

#[test]
fn a_hashed_item_is_found_by_its_name_and_stored_nowhere() {
    let hashed = Hashed { fields: vec!["service".to_owned()], key: [7; 16] };
    let mut monitor = Monitor::new(Definition { hashed, ..shop() }).unwrap();
    for i in 0..5 {
        entry(&mut monitor, 5000 + i, "ann@example.org", "200", 10);
    }
    assert_eq!(estimate(&monitor, "service", "ann@example.org").0, 5);
    assert_eq!(estimate(&monitor, "service*status", "ann@example.org*200").0, 5);
    assert_eq!(monitor.top("service", 1).unwrap().0[0].0.len(), 16);
    let bytes = monitor.encode();
    assert!(!bytes.windows(3).any(|part| part == b"ann"));
    let again = Monitor::decode(&bytes).unwrap();
    assert_eq!(estimate(&again, "service", "ann@example.org").0, 5);
}

#[test]
fn a_paused_monitor_passes_over_what_comes_and_tells_the_time_as_a_gap() {
    let mut monitor = Monitor::new(shop()).unwrap();
    entry(&mut monitor, 5000, "pay", "200", 10);
    monitor.set_paused(true);
    entry(&mut monitor, 5500, "pay", "200", 10);
    assert!(!monitor.close(7000), "time doesn't pass");
    let mut monitor = Monitor::decode(&monitor.encode()).unwrap();
    assert!(monitor.paused());
    monitor.set_paused(false);
    entry(&mut monitor, 9300, "pay", "200", 10);
    entry(&mut monitor, 10_100, "pay", "200", 10);
    let told = |monitor: &Monitor| monitor.outbox().map(|c| (c.end_ms, c.n, c.gap_ms, c.partial)).unwrap();
    assert_eq!(told(&monitor), (6000, 1, 0, true));
    monitor.sent(6000);
    assert_eq!(told(&monitor), (10_000, 1, 3300, true));
    assert_eq!((monitor.left_out().passed.paused, monitor.observations()), (1, 3));
}

#[test]
fn a_pause_within_a_window_makes_it_partial() {
    let mut monitor = Monitor::new(shop()).unwrap();
    entry(&mut monitor, 5000, "pay", "200", 10);
    entry(&mut monitor, 6000, "pay", "200", 10);
    monitor.sent(6000);
    monitor.set_paused(true);
    monitor.set_paused(false);
    entry(&mut monitor, 7000, "pay", "200", 10);
    let closed = monitor.outbox().unwrap();
    assert_eq!((closed.end_ms, closed.partial, closed.gap_ms), (7000, true, 0));
}

#[test]
fn a_reset_monitor_knows_nothing_and_loses_no_waiting_window() {
    let mut monitor = Monitor::new(shop()).unwrap();
    for ms in [5000, 6000, 7000] {
        entry(&mut monitor, ms, "pay", "200", 10);
    }
    let (schema, cursor) = (monitor.schema().cloned(), monitor.sources()[0].cursor);
    monitor.reset();
    assert_eq!(estimate(&monitor, "service", "pay"), (0, 0, 0.0));
    assert_eq!((monitor.observations(), monitor.n(), monitor.waiting()), (0, 0, 2));
    assert_eq!((monitor.schema().cloned(), monitor.sources()[0].cursor), (schema, cursor));
    entry(&mut monitor, 7500, "pay", "200", 10);
    entry(&mut monitor, 8000, "pay", "200", 10);
    monitor.sent(7000);
    let closed = monitor.outbox().unwrap();
    assert_eq!((closed.end_ms, closed.n, closed.partial), (8000, 1, true));
}

#[test]
fn sources_can_come_and_go() {
    let mut monitor = Monitor::new(shop()).unwrap();
    entry(&mut monitor, 5000, "pay", "200", 10);
    let start = EntryId { ms: 9, seq: 0 };
    monitor.set_sources(&[b"more".to_vec(), b"metrics".to_vec()], |_| (start, Extent::EMPTY));
    let cursors: Vec<_> = monitor.sources().iter().map(|source| source.cursor).collect();
    assert_eq!(cursors, [start, EntryId { ms: 5000, seq: 1 }]);
    assert!(Monitor::decode(&monitor.encode()).is_ok());
}
