use std::thread;
use std::time::{Duration, Instant};

/// Often enough for tests to be quick, seldom enough to leave the server its core.
const POLL: Duration = Duration::from_millis(10);

/// Returns as soon as `holds` does.
///
/// # Panics
/// If it doesn't hold `within` the time. The message names the caller's line.
#[track_caller]
pub fn eventually(within: Duration, mut holds: impl FnMut() -> bool) {
    eventually_some(within, || holds().then_some(()));
}

/// Returns the first value that `probe` yields.
///
/// # Panics
/// If it yields none `within` the time. The message names the caller's line.
#[track_caller]
pub fn eventually_some<T>(within: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    match poll(within, &mut probe) {
        Some(value) => value,
        None => panic!("still not so after {within:?}"),
    }
}

/// The first value that `probe` yields, or none when the time is over. Probes at least once, and once more after
/// the time is over: a machine that was busy elsewhere mustn't fail a test.
pub(crate) fn poll<T>(within: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        let over = Instant::now() >= deadline;
        let value = probe();
        if value.is_some() || over {
            return value;
        }
        thread::sleep(POLL);
    }
}
