//! A monitor is a function of its command log: the same calls leave the same bytes, before and after a restart.

use eddyline_monitor::{Clock, DecodeError, Definition, ENCODING, EntryId, Measure, Monitor};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Call {
    Observe(u8, u16),
    Read(usize, u64, u8),
    Close(u64),
    Sent(u64),
    Reset(usize),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (any::<u8>(), any::<u16>()).prop_map(|(item, number)| Call::Observe(item, number)),
        8 => (0..2_usize, 0..60_000_u64, any::<u8>()).prop_map(|(source, ms, item)| Call::Read(source, ms, item)),
        2 => (0..60_000_u64).prop_map(Call::Close),
        2 => (0..60_000_u64).prop_map(Call::Sent),
        1 => (0..2_usize).prop_map(Call::Reset),
    ]
}

fn definition(inferred: bool, clock: Clock) -> Definition {
    let part = |field: &str| Measure { field: field.to_owned(), first_edge: None };
    let given = Definition {
        dimensions: vec!["item".to_owned()],
        crosses: vec![vec![part("item"), part("n_ms")]],
        measures: vec![part("n_ms")],
        uniques: vec!["user".to_owned()],
        ..Definition::default()
    };
    let base = if inferred { Definition::default() } else { given };
    Definition { window_ms: 1000, buckets: 8, clock, sources: vec![b"a".to_vec(), b"b".to_vec()], ..base }
}

fn apply(monitor: &mut Monitor, call: &Call) {
    match *call {
        Call::Observe(item, number) => {
            let (item, number) = (item.to_string(), number.to_string());
            let fields = [("item", &item), ("n_ms", &number), ("user", &number)];
            let _ = monitor.observe(fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes())));
        }
        Call::Read(source, ms, item) => {
            let item = item.to_string();
            let fields = [("item", &item), ("n_ms", &item)];
            let fields = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes()));
            monitor.read(source, EntryId { ms, seq: u64::from(ms % 3 == 0) }, fields);
        }
        Call::Close(ms) => {
            monitor.close(ms);
        }
        Call::Sent(ms) => monitor.sent(ms - ms % 1000),
        Call::Reset(source) => monitor.source_gone(source),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_calls_leave_the_same_bytes_even_across_restarts(
        calls in prop::collection::vec(call(), 1..300), restart in 0..300_usize, inferred: bool, by_stream: bool,
    ) {
        let clock = if by_stream { Clock::Stream } else { Clock::Server };
        let mut straight = Monitor::new(definition(inferred, clock)).unwrap();
        let mut restarted = straight.clone();
        for (i, call) in calls.iter().enumerate() {
            apply(&mut straight, call);
            apply(&mut restarted, call);
            if i == restart {
                restarted = Monitor::decode(&restarted.encode()).unwrap();
            }
        }
        prop_assert_eq!(straight.encode(), restarted.encode());
        prop_assert_eq!(straight.schema(), restarted.schema());
    }

    #[test]
    fn damaged_bytes_are_refused_or_give_a_monitor_that_works(
        calls in prop::collection::vec(call(), 1..120), flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
        cut in any::<prop::sample::Index>(), inferred: bool,
    ) {
        let mut monitor = Monitor::new(definition(inferred, Clock::Server)).unwrap();
        calls.iter().for_each(|call| apply(&mut monitor, call));
        let bytes = monitor.encode();
        prop_assert!(Monitor::decode(&bytes[..cut.index(bytes.len())]).is_err());
        let mut damaged = bytes;
        for (at, bit) in flips {
            let at = at.index(damaged.len());
            damaged[at] ^= 1 << bit;
        }
        if let Ok(mut monitor) = Monitor::decode(&damaged) {
            calls.iter().for_each(|call| apply(&mut monitor, call));
            monitor.close(1 << 47);
            while let Some(end) = monitor.outbox().map(|closed| closed.end_ms) {
                // a damaged run may claim to be long: its windows are sent in one step
                monitor.sent(end.max(1 << 48));
            }
        }
    }
}

#[test]
fn a_payload_that_allows_learning_no_memory_is_refused_or_ends() {
    let bytes = Monitor::new(definition(true, Clock::Stream)).unwrap().encode();
    let at = bytes.windows(3).position(|three| three == [0x80, 0x80, 0x40]).expect("MEMORY as a varint");
    let mut damaged = bytes;
    damaged.splice(at..at + 3, [0]);
    let mut monitor = Monitor::decode(&damaged).unwrap();
    for i in 0..5000_u64 {
        apply(&mut monitor, &Call::Read(0, 5000 + i, i as u8));
    }
    assert!(monitor.schema().is_some());
}

#[test]
fn a_newer_encoding_is_refused_by_name() {
    let mut bytes = Monitor::new(definition(false, Clock::Server)).unwrap().encode();
    bytes[0] = ENCODING + 1;
    assert_eq!(Monitor::decode(&bytes).unwrap_err(), DecodeError::Version(ENCODING + 1));
    assert_eq!(Monitor::decode(&[]).unwrap_err(), DecodeError::Corrupt);
}
