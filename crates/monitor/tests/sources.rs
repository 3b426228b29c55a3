//! Streams that grow, are trimmed, go, come back and are replaced: nothing is counted twice, and what can't be read is told.

use eddyline_monitor::{Clock, Definition, EntryId, Extent, Monitor, Reading};

type Fields = [(&'static [u8], &'static [u8])];
const PAY: &Fields = &[(b"service", b"pay")];

fn at(ms: u64) -> EntryId {
    EntryId { ms, seq: 0 }
}

/// A stream of entries with these times, for a cursor.
fn extent(entries: &[u64], cursor: EntryId) -> Extent {
    let end = |ms: Option<&u64>| ms.map(|ms| at(*ms)).unwrap_or_default();
    Extent {
        length: entries.len() as u64,
        first: end(entries.first()),
        newest: end(entries.last()),
        holds_cursor: entries.iter().any(|ms| at(*ms) == cursor),
    }
}

/// A monitor of one source that has read these entries as they came.
fn monitor(read: &[u64]) -> Monitor {
    let definition = Definition {
        window_ms: 1000,
        clock: Clock::Stream,
        sources: vec![b"metrics".to_vec()],
        dimensions: vec!["service".to_owned()],
        ..Definition::default()
    };
    let mut monitor = Monitor::new(definition).unwrap();
    monitor.set_cursor(0, EntryId::default(), &Extent::EMPTY);
    for ms in read {
        assert_eq!(add(&mut monitor, *ms), Reading::Counted);
    }
    monitor
}

fn cursor(monitor: &Monitor) -> EntryId {
    monitor.sources()[0].cursor
}

fn trimmed(monitor: &Monitor) -> u64 {
    monitor.left_out().passed.trimmed
}

/// An entry comes and is read.
fn add(monitor: &mut Monitor, ms: u64) -> Reading {
    monitor.source_grew(0, at(ms));
    monitor.read(0, at(ms), PAY.iter().copied())
}

#[test]
fn entries_that_are_gone_when_all_is_read_were_trimmed() {
    let mut monitor = monitor(&[5000]);
    for ms in 5001..5010 {
        monitor.source_grew(0, at(ms));
    }
    monitor.read(0, at(5004), PAY.iter().copied());
    monitor.read(0, at(5009), PAY.iter().copied());
    assert_eq!(trimmed(&monitor), 0, "not before all is read");
    monitor.source_ends(0);
    monitor.source_ends(0);
    assert_eq!(trimmed(&monitor), 7);
    assert_eq!(add(&mut monitor, 5010), Reading::Counted);
    monitor.source_ends(0);
    assert_eq!(trimmed(&monitor), 7);
}

#[test]
fn a_backlog_that_was_there_before_is_counted_too() {
    let mut monitor = monitor(&[]);
    monitor.set_cursor(0, at(4000), &extent(&[5000, 5001, 5002], at(4000)));
    monitor.read(0, at(5002), PAY.iter().copied());
    monitor.source_ends(0);
    assert_eq!(trimmed(&monitor), 2);
    monitor.set_cursor(0, at(5001), &extent(&[5000, 5001, 5002], at(5001)));
    monitor.source_ends(0);
    assert_eq!(trimmed(&monitor), 2, "from the middle, nobody knows how many there were");
}

#[test]
fn what_was_unread_of_a_deleted_stream_is_told_and_another_one_is_read_from_its_start() {
    let mut monitor = monitor(&[5500]);
    monitor.source_grew(0, at(5501));
    monitor.source_gone(0);
    monitor.source_gone(0);
    assert_eq!(trimmed(&monitor), 1);
    assert_eq!(add(&mut monitor, 5100), Reading::Counted, "an id below the old cursor");
    assert_eq!((monitor.n(), trimmed(&monitor)), (2, 1));
}

#[test]
fn a_stream_that_comes_back_is_read_on_and_another_one_from_its_start() {
    let mut monitor = monitor(&[5100, 5200]);
    monitor.source_grew(0, at(5300));
    monitor.source_gone(0);
    monitor.source_appeared(0, &extent(&[5100, 5200, 5300], at(5200)));
    assert_eq!((cursor(&monitor), trimmed(&monitor)), (at(5200), 0), "it can be read after all");
    monitor.source_ends(0);
    assert_eq!(trimmed(&monitor), 1);

    monitor.source_gone(0);
    monitor.source_appeared(0, &extent(&[5150, 5250], at(5200)));
    assert_eq!(cursor(&monitor), EntryId::default());
    monitor.source_appeared(0, &extent(&[5400], at(0)));
    assert_eq!(trimmed(&monitor), 3, "it was replaced before it was read");
}

#[test]
fn a_monitor_from_elsewhere_starts_over_where_its_cursor_lies_beyond_the_stream() {
    let moved = |entries: &[u64]| {
        let mut monitor = monitor(&[5100, 5200]);
        monitor.displace();
        assert!(monitor.displaced() && !monitor.following());
        monitor.settle(|source| Some(extent(entries, source.cursor)));
        assert!(!monitor.displaced());
        cursor(&monitor)
    };
    assert_eq!(moved(&[5200]), at(5200));
    assert_eq!(moved(&[5250]), at(5200));
    assert_eq!(moved(&[5150]), EntryId::default());

    // its stream went before it and gets an entry before the monitor looks around
    let mut monitor = monitor(&[5100]);
    monitor.source_gone(0);
    monitor.displace();
    monitor.source_grew(0, at(5101));
    monitor.settle(|source| Some(extent(&[5100, 5101], source.cursor)));
    assert_eq!((cursor(&monitor), trimmed(&monitor)), (at(5100), 0));

    monitor.displace();
    monitor.settle(|_| None);
    assert_eq!(add(&mut monitor, 5050), Reading::Counted, "there was no stream, so this is another one");
}

#[test]
fn a_cursor_ahead_of_all_entries_stays_until_they_pass_it() {
    let mut monitor = monitor(&[]);
    monitor.set_cursor(0, at(6000), &Extent::EMPTY);
    monitor.source_gone(0);
    assert_eq!(add(&mut monitor, 5000), Reading::Known);
    monitor.source_rewound(0, at(5000));
    assert_eq!(add(&mut monitor, 6000), Reading::Known);
    assert_eq!(add(&mut monitor, 6001), Reading::Counted);
}

#[test]
fn after_the_last_id_was_set_back_lower_ids_count() {
    let mut monitor = monitor(&[5500, 5600]);
    monitor.source_rewound(0, at(5100));
    assert_eq!(add(&mut monitor, 5101), Reading::Counted);
    monitor.source_rewound(0, at(9000));
    assert_eq!(cursor(&monitor), at(5101), "a last id above the cursor changes nothing");
}

#[test]
fn entries_that_an_append_only_file_repeats_change_nothing() {
    let mut monitor = monitor(&[5100, 5200]);
    for ms in [5300, 5400] {
        monitor.source_grew(0, at(ms));
    }
    let before = monitor.encode();
    for ms in [5100, 5200, 5300, 5400] {
        monitor.source_grew(0, at(ms));
    }
    monitor.source_rewound(0, at(5400));
    assert_eq!(monitor.encode(), before);
    assert_eq!(Monitor::decode(&before).unwrap().encode(), before);
}

#[test]
fn what_was_missed_makes_its_windows_partial_and_is_told_as_a_gap() {
    let mut monitor = monitor(&[5000, 5100]);
    monitor.missed(40, 8300);
    assert_eq!((trimmed(&monitor), monitor.open_window()), (40, Some((8000, 9000))));
    add(&mut monitor, 8400);
    add(&mut monitor, 9000);
    let mut told = Vec::new();
    while let Some(closed) = monitor.outbox() {
        let end_ms = closed.end_ms;
        told.push((end_ms, closed.n, closed.gap_ms, closed.partial));
        monitor.sent(end_ms);
    }
    assert_eq!(told, [(6000, 2, 0, true), (9000, 1, 2300, true)]);
}
