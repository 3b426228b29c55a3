//! Monitors in all the states that life brings them into.

use crate::chance::Chance;
use crate::grammar::FIELDS;
use eddyline_monitor::{Clock, Definition, EntryId, Extent, Hashed, Measure, Monitor};

/// Begin of time for monitors of the corpus.
const EPOCH_MS: u64 = 1_795_166_100_000;
/// Monitors of a corpus.
const SIZE: usize = 48;

/// The encodings of monitors that watch this and that, at one moment of their lives each.
pub(crate) fn monitors(chance: &mut Chance) -> Vec<Vec<u8>> {
    (0..SIZE).map(|i| grown(definition(i, chance), chance).encode()).collect()
}

fn definition(i: usize, chance: &mut Chance) -> Definition {
    let measure = |field: &str, first_edge| Measure { field: field.to_owned(), first_edge };
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let plain = Definition {
        window_ms: *chance.pick(&[100, 1000, 10_000]),
        buckets: *chance.pick(&[8, 9, 32]),
        clock: *chance.pick(&[Clock::Server, Clock::Stream]),
        hashed: Hashed { fields: names(&["user"][..chance.below(2)]), key: [7; 16] },
        sources: (0..chance.below(3)).map(|n| vec![b's' + n as u8]).collect(),
        ..Definition::default()
    };
    match i % 6 {
        0 => plain,
        1 => Definition { dimensions: names(&["service"]), ..plain },
        2 => Definition { measures: vec![measure("latency_ms", None)], uniques: names(&["user"]), ..plain },
        3 => Definition {
            dimensions: names(&["service", "status"]),
            measures: vec![measure("latency_ms", Some(0.25))],
            uniques: names(&["user"]),
            crosses: vec![
                vec![measure("service", None), measure("status", None)],
                vec![measure("service", None), measure("latency_ms", None)],
            ],
            ..plain
        },
        // the range of the measure is learnt
        4 => Definition {
            crosses: vec![vec![measure("service", None), measure("size", None)]],
            measures: vec![measure("size", None)],
            ..plain
        },
        _ => Definition { window_ms: 86_400_000, uniques: names(&["user", "endpoint"]), ..plain },
    }
}

/// One observation: its fields and values.
pub(crate) fn observation(chance: &mut Chance) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    for field in FIELDS {
        let value = match (field, chance.below(12)) {
            (_, 0) => continue,
            (_, 1) => chance.bytes(40),
            ("latency_ms" | "size", 2) => chance.number_text(),
            ("latency_ms" | "size", _) => chance.below(3000).to_string().into_bytes(),
            ("user", _) => format!("u{}", chance.below(10_000)).into_bytes(),
            _ => format!("{field}{}", chance.below(40)).into_bytes(),
        };
        pairs.push((field.as_bytes().to_vec(), value));
    }
    pairs
}

/// Lets a monitor live: observations, entries, closings, what is sent and what is not.
pub(crate) fn live(monitor: &mut Monitor, steps: usize, now_ms: &mut u64, chance: &mut Chance) {
    for _ in 0..steps {
        let pairs = observation(chance);
        let fields = pairs.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
        match chance.below(40) {
            0 => *now_ms += monitor.definition().window_ms * *chance.pick(&[1, 1, 1, 2, 5, 3000]),
            1 | 2 => *now_ms += monitor.definition().window_ms / 3,
            3 | 4 => {
                monitor.close(*now_ms);
            }
            5 => monitor.sent(*now_ms - chance.below(20_000) as u64),
            6 => monitor.lose(*now_ms - chance.below(20_000) as u64),
            7 => monitor.displace(),
            18 => monitor.set_paused(chance.once_in(3)),
            19 if chance.once_in(10) => monitor.reset(),
            8 | 9 | 20..23 if !monitor.sources().is_empty() => disturb(monitor, *now_ms, chance),
            10..18 if !monitor.sources().is_empty() => {
                let source = chance.below(monitor.sources().len());
                monitor.read(source, EntryId { ms: *now_ms, seq: chance.number() }, fields);
            }
            _ => {
                let _ = monitor.observe(fields);
            }
        }
    }
}

/// Something happens to the stream of a source.
fn disturb(monitor: &mut Monitor, now_ms: u64, chance: &mut Chance) {
    let source = chance.below(monitor.sources().len());
    let cursor = monitor.sources()[source].cursor;
    let id = if chance.once_in(3) { EntryId { ms: chance.number(), seq: chance.number() } } else { cursor };
    let extent = Extent {
        length: chance.number(),
        first: EntryId { ms: now_ms - 1000, seq: 0 },
        newest: id.max(EntryId { ms: now_ms, seq: chance.below(3) as u64 }),
        holds_cursor: chance.once_in(2),
    };
    match chance.below(9) {
        0 => monitor.set_cursor(source, id, &extent),
        1 => monitor.source_gone(source),
        2 => monitor.source_appeared(source, &extent),
        3 => monitor.source_rewound(source, id),
        4 => monitor.source_ends(source),
        5 => monitor.settle(|_| Some(extent)),
        6 => monitor.settle(|_| None),
        7 => monitor.set_following(true),
        _ => monitor.source_grew(source, EntryId { ms: now_ms, seq: chance.number() }),
    }
}

fn grown(definition: Definition, chance: &mut Chance) -> Monitor {
    let mut monitor = Monitor::new(definition).expect("the corpus' definitions are within limits");
    let mut now_ms = EPOCH_MS;
    monitor.close(now_ms);
    let steps = *chance.pick(&[0, 3, 40, 400, 3000]);
    live(&mut monitor, steps, &mut now_ms, chance);
    if chance.once_in(3) {
        // nothing can be written for a while
        for _ in 0..chance.below(140) {
            now_ms += monitor.definition().window_ms;
            monitor.close(now_ms);
            let pairs = observation(chance);
            let _ = monitor.observe(pairs.iter().map(|(field, value)| (field.as_slice(), value.as_slice())));
        }
    }
    monitor
}

#[cfg(test)]
mod tests {
    use super::monitors;
    use crate::chance::Chance;
    use eddyline_monitor::{Monitor, Phase};

    #[test]
    fn every_state_is_there() {
        let monitors: Vec<Monitor> = monitors(&mut Chance::new(1, "corpus"))
            .iter()
            .map(|bytes| Monitor::decode(bytes).expect("real encodings are valid"))
            .collect();
        type Holds = fn(&Monitor) -> bool;
        let states: [(&str, Holds); 9] = [
            ("learning", |monitor| matches!(monitor.phase(), Phase::Learning(_))),
            ("counting", |monitor| monitor.phase() == Phase::Counting),
            ("waiting", |monitor| monitor.waiting() > 5),
            ("full", Monitor::outbox_is_full),
            ("reading", |monitor| !monitor.following()),
            ("displaced", Monitor::displaced),
            ("paused", Monitor::paused),
            ("new", |monitor| monitor.observations() == 0),
            ("dropped", |monitor| monitor.left_out().dropped_windows > 0),
        ];
        for (name, holds) in states {
            assert!(monitors.iter().any(holds), "{name}");
        }
    }
}
