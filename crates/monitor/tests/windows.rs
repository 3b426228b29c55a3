//! Time: which window an observation falls into, and what closes it.

use eddyline_monitor::{Clock, Definition, EntryId, MAX_WAITING, Monitor, Reading};

type Fields = [(&'static [u8], &'static [u8])];
const PAY: &Fields = &[(b"service", b"pay"), (b"latency_ms", b"12")];

fn monitor(clock: Clock) -> Monitor {
    let definition = Definition {
        window_ms: 1000,
        clock,
        sources: vec![b"metrics".to_vec(), b"more".to_vec()],
        dimensions: vec!["service".to_owned()],
        ..Definition::default()
    };
    Monitor::new(definition).unwrap()
}

fn at(ms: u64) -> EntryId {
    EntryId { ms, seq: 0 }
}

fn read(monitor: &mut Monitor, source: usize, ms: u64) -> Reading {
    monitor.read(source, at(ms), PAY.iter().copied())
}

/// End, observations and gap of every closed window.
fn drain(monitor: &mut Monitor) -> Vec<(u64, u64, u64)> {
    let mut closed = Vec::new();
    while let Some(window) = monitor.outbox() {
        closed.push((window.end_ms, window.n, window.gap_ms));
        let end = window.end_ms;
        monitor.sent(end);
    }
    closed
}

#[test]
fn an_entry_of_a_later_window_closes_the_open_one() {
    let mut monitor = monitor(Clock::Server);
    for ms in [5100, 5900, 5999, 6000] {
        assert_eq!(read(&mut monitor, 0, ms), Reading::Counted);
    }
    assert_eq!(drain(&mut monitor), [(6000, 3, 0)]);
    assert_eq!((monitor.open_window(), monitor.n()), (Some((6000, 7000)), 1));
}

#[test]
fn an_entry_at_or_below_the_cursor_counts_once() {
    let mut monitor = monitor(Clock::Server);
    read(&mut monitor, 0, 5100);
    assert_eq!(read(&mut monitor, 0, 5100), Reading::Known);
    assert_eq!(read(&mut monitor, 0, 5099), Reading::Known);
    assert_eq!(monitor.n(), 1);
}

#[test]
fn a_late_entry_of_another_source_counts_in_no_window_and_is_told() {
    let mut monitor = monitor(Clock::Server);
    read(&mut monitor, 0, 7100);
    assert_eq!(read(&mut monitor, 1, 6900), Reading::LeftOut);
    assert_eq!(read(&mut monitor, 1, 7050), Reading::Counted);
    assert_eq!((monitor.left_out().late, monitor.n()), (1, 2));
    assert_eq!(monitor.sources()[1].cursor, at(7050));
}

#[test]
fn an_entry_beyond_all_time_does_not_move_it() {
    let mut monitor = monitor(Clock::Server);
    read(&mut monitor, 0, 5100);
    assert_eq!(read(&mut monitor, 0, u64::MAX), Reading::LeftOut);
    assert_eq!((monitor.left_out().out_of_time, monitor.open_window()), (1, Some((5000, 6000))));
}

#[test]
fn a_jump_leaves_a_gap_by_the_servers_clock_and_empty_windows_by_the_streams() {
    let mut by_server = monitor(Clock::Server);
    read(&mut by_server, 0, 5100);
    read(&mut by_server, 0, 8100);
    read(&mut by_server, 0, 9100);
    assert_eq!(drain(&mut by_server), [(6000, 1, 0), (9000, 1, 2100)]);

    let mut by_stream = monitor(Clock::Stream);
    read(&mut by_stream, 0, 5100);
    read(&mut by_stream, 0, 8100);
    read(&mut by_stream, 0, 9100);
    assert_eq!(drain(&mut by_stream), [(6000, 1, 0), (7000, 0, 0), (8000, 0, 0), (9000, 1, 0)]);
}

#[test]
fn a_long_jump_by_the_stream_writes_a_thousand_empty_windows_then_a_gap() {
    let mut monitor = monitor(Clock::Stream);
    read(&mut monitor, 0, 5100);
    read(&mut monitor, 0, 5100 + 5_000_000);
    monitor.close(5_006_000);
    let closed = drain(&mut monitor);
    assert_eq!(closed.len(), 1 + 1000 + 1);
    assert_eq!(closed[1000], (6000 + 1_000_000, 0, 0));
    assert_eq!(closed[1001], (5_006_000, 1, 4_999_100 - 1_000_000));
}

#[test]
fn a_boundary_closes_a_window_exactly_once() {
    let mut monitor = monitor(Clock::Server);
    assert!(monitor.close(5000), "the first boundary opens the first window");
    assert!(!monitor.close(5999));
    assert!(monitor.close(6000));
    assert!(!monitor.close(6000));
    assert!(monitor.close(9300), "what lies between is unknown, and so is an interrupted window without observations");
    assert!(monitor.close(10_000));
    assert!(monitor.close(11_000));
    let closed: Vec<_> = std::iter::from_fn(|| {
        let closed = monitor.outbox().map(|c| (c.end_ms, c.gap_ms, c.partial))?;
        monitor.sent(closed.0);
        Some(closed)
    })
    .collect();
    assert_eq!(closed, [(6000, 0, false), (10_000, 3300, true), (11_000, 0, false)]);
}

#[test]
fn windows_of_which_only_a_part_was_observed_say_so() {
    let mut monitor = monitor(Clock::Server);
    monitor.close(5400);
    for ms in [6000, 7000, 9800, 10_000] {
        monitor.observe(PAY.iter().copied()).unwrap();
        monitor.close(ms);
    }
    monitor.close(11_000);
    let partial = |monitor: &mut Monitor| {
        let closed = monitor.outbox().map(|closed| (closed.end_ms, closed.partial))?;
        monitor.sent(closed.0);
        Some(closed)
    };
    let closed: Vec<_> = std::iter::from_fn(|| partial(&mut monitor)).collect();
    assert_eq!(closed, [(6000, true), (7000, false), (8000, true), (10_000, true), (11_000, false)]);
}

#[test]
fn a_window_that_can_never_be_written_is_counted_as_dropped() {
    let mut monitor = monitor(Clock::Server);
    for ms in [5000, 6000, 7000, 8000] {
        monitor.close(ms);
        monitor.observe(PAY.iter().copied()).unwrap();
    }
    monitor.lose(7000);
    assert_eq!(monitor.left_out().dropped_windows, 2);
    assert_eq!(drain(&mut monitor), [(8000, 1, 2000)]);
}

#[test]
fn observations_need_an_open_window_and_land_in_it() {
    let mut monitor = monitor(Clock::Stream);
    assert!(monitor.observe(PAY.iter().copied()).is_err());
    monitor.close(5000);
    assert_eq!(monitor.observe(PAY.iter().copied()), Ok(1));
    assert_eq!(monitor.observe(PAY.iter().copied()), Ok(2));
    monitor.close(6000);
    assert_eq!(drain(&mut monitor), [(6000, 2, 0)]);
}

#[test]
fn with_a_full_outbox_entries_wait_at_their_cursor_and_nothing_is_lost() {
    let mut monitor = monitor(Clock::Server);
    let mut ms = 5100;
    while read(&mut monitor, 0, ms) == Reading::Counted {
        ms += 1000;
    }
    assert!(!monitor.following());
    assert!(monitor.waiting() <= MAX_WAITING);
    let before = monitor.sources()[0].cursor;
    assert_eq!(read(&mut monitor, 0, ms), Reading::Waits);
    assert_eq!(monitor.sources()[0].cursor, before);
    let sent = drain(&mut monitor).len();
    assert_eq!(read(&mut monitor, 0, ms), Reading::Counted);
    assert_eq!(drain(&mut monitor).len(), 1);
    assert_eq!(sent as u64 + 1, (ms - 5100) / 1000);
}

#[test]
fn with_a_full_outbox_a_boundary_drops_the_oldest_window_and_the_next_says_so() {
    let mut monitor = monitor(Clock::Server);
    monitor.close(5000);
    let closings = 2 * MAX_WAITING as u64;
    for i in 1..=closings {
        monitor.observe(PAY.iter().copied()).unwrap();
        monitor.close(5000 + i * 1000);
    }
    let dropped = monitor.left_out().dropped_windows;
    let closed = drain(&mut monitor);
    assert_eq!(closed.len() as u64 + dropped, closings);
    assert_eq!(closed[0].2, dropped * 1000, "the gap covers what was dropped");
}

#[test]
fn idle_windows_wait_as_one_item() {
    let mut monitor = monitor(Clock::Server);
    for i in 0..500 {
        monitor.close(5000 + i * 1000);
    }
    assert_eq!(monitor.waiting(), 1);
    assert_eq!(drain(&mut monitor).len(), 499);
}
