//! Time between entries: windows that end while the server is there are data, also empty ones; of others nothing is known.
//!
//! The module closes a window when its time has come. Here that is done afterwards, before the next entry is read or when
//! all are, so that the fingerprints don't depend on when somebody looked.

use super::state::Presence;
use eddyline_monitor::{Clock, Monitor};
use std::time::Instant;

/// How far time could be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// All the way.
    Whole,
    /// There is no room for closed windows, or no time left now.
    Part,
}

/// Before the entry of `ms` is read: closes the windows that ended before it while the server was there. The entry itself
/// tells of the rest.
pub fn up_to_entry(monitor: &mut Monitor, presence: &Presence, ms: u64, deadline: Instant) -> Moved {
    if monitor.definition().clock == Clock::Stream {
        return Moved::Whole;
    }
    while let Some((_, end)) = monitor.open_window() {
        if end > ms || !was_there(presence, end) {
            break;
        }
        if monitor.outbox_is_full() || Instant::now() >= deadline {
            return Moved::Part;
        }
        monitor.close(end);
    }
    Moved::Whole
}

/// Every entry up to `now_ms` was read: closes what is over by then. What lies between a window that ended before the
/// server was known to be there and now is unknown.
pub fn up_to_now(monitor: &mut Monitor, presence: &Presence, now_ms: u64, deadline: Instant) -> Moved {
    if monitor.definition().clock == Clock::Stream {
        return Moved::Whole;
    }
    loop {
        let boundary = match monitor.open_window() {
            Some((_, end)) if end > now_ms => return Moved::Whole,
            Some((_, end)) if was_there(presence, end) => end,
            _ => now_ms,
        };
        if monitor.outbox_is_full() || Instant::now() >= deadline {
            return Moved::Part;
        }
        if !monitor.close(boundary) {
            return Moved::Whole;
        }
    }
}

fn was_there(presence: &Presence, end_ms: u64) -> bool {
    presence.since_ms.is_some_and(|since| end_ms > since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_monitor::{Definition, EntryId};
    use std::time::Duration;

    fn monitor(clock: Clock) -> Monitor {
        let definition = Definition {
            window_ms: 1000,
            clock,
            sources: vec![b"metrics".to_vec()],
            dimensions: vec!["service".into()],
            ..Definition::default()
        };
        Monitor::new(definition).unwrap()
    }

    fn there(since_ms: u64) -> Presence {
        Presence { run: "r".into(), since_ms: Some(since_ms) }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn read(monitor: &mut Monitor, presence: &Presence, ms: u64) {
        assert_eq!(up_to_entry(monitor, presence, ms, soon()), Moved::Whole);
        let fields = [(&b"service"[..], &b"pay"[..])];
        monitor.read(0, EntryId { ms, seq: 0 }, fields.into_iter());
    }

    fn told(monitor: &mut Monitor) -> Vec<(u64, u64, u64)> {
        let mut told = Vec::new();
        while let Some(closed) = monitor.outbox() {
            let end_ms = closed.end_ms;
            told.push((end_ms, closed.n, closed.gap_ms));
            monitor.sent(end_ms);
        }
        told
    }

    #[test]
    fn empty_windows_are_the_same_whether_somebody_looked_in_between_or_not() {
        let (mut seldom, mut often) = (monitor(Clock::Server), monitor(Clock::Server));
        for ms in [5000, 5400, 8200] {
            if ms == 8200 {
                for now in (5500..8200).step_by(100) {
                    assert_eq!(up_to_now(&mut often, &there(0), now, soon()), Moved::Whole);
                }
            }
            read(&mut seldom, &there(0), ms);
            read(&mut often, &there(0), ms);
        }
        assert_eq!(often.encode(), seldom.encode());
        assert_eq!(told(&mut seldom), [(6000, 2, 0), (7000, 0, 0), (8000, 0, 0)]);
    }

    #[test]
    fn what_ended_before_the_server_was_known_to_be_there_is_a_gap() {
        let mut monitor = monitor(Clock::Server);
        read(&mut monitor, &there(0), 5000);
        read(&mut monitor, &there(9000), 8000);
        up_to_now(&mut monitor, &there(9000), 11_000, soon());
        assert_eq!(told(&mut monitor), [(6000, 1, 0), (9000, 1, 2000)]);
        read(&mut monitor, &there(9000), 13_500);
        assert_eq!(told(&mut monitor), [(12_000, 0, 2000), (13_000, 0, 0)]);
    }

    #[test]
    fn only_entries_move_the_clock_of_the_stream() {
        let mut monitor = monitor(Clock::Stream);
        read(&mut monitor, &there(0), 5000);
        up_to_now(&mut monitor, &there(0), 9000, soon());
        assert_eq!(monitor.open_window(), Some((5000, 6000)));
    }

    #[test]
    fn a_long_silence_is_taken_in_parts() {
        let mut monitor = monitor(Clock::Server);
        read(&mut monitor, &there(0), 5000);
        assert_eq!(up_to_now(&mut monitor, &there(0), 86_400_000, Instant::now()), Moved::Part);
        assert_eq!(up_to_now(&mut monitor, &there(0), 86_400_000, soon()), Moved::Whole);
        assert_eq!(monitor.waiting(), 2);
    }
}
