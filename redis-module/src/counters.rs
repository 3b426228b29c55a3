//! What this node did since it started. Never part of a monitor: `INFO eddyline` shows it to operators.

use eddyline_monitor::Monitor;
use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A number that only the server's main thread changes and any thread may read.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One writer: no need for a locked addition, which costs more than the rest of what it counts.
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn raise_to(&self, n: u64) {
        if n > self.get() {
            self.0.store(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Observations counted, those of sources among them.
pub(crate) static OBSERVATIONS: Counter = Counter::new();
/// Entries of sources that were counted.
pub(crate) static ENTRIES: Counter = Counter::new();
/// Entries that were older than the open window.
pub(crate) static LATE: Counter = Counter::new();
/// Closed windows that were dropped.
pub(crate) static WINDOWS_DROPPED: Counter = Counter::new();
/// Windows that entries or time closed; a run of empty ones counts once.
pub(crate) static WINDOWS_CLOSED: Counter = Counter::new();
/// Fingerprints written to their stream.
pub(crate) static SENT: Counter = Counter::new();
/// Times that the server refused a fingerprint.
pub(crate) static REFUSALS: Counter = Counter::new();
/// Commands refused because of the limit on a monitor's memory.
pub(crate) static LIMITED: Counter = Counter::new();
/// The longest tick of the timer, in microseconds.
pub(crate) static LONGEST_TICK_US: Counter = Counter::new();

static LAST_REFUSAL: Mutex<Option<CString>> = Mutex::new(None);

/// The server refused a fingerprint.
pub(crate) fn refused(why: CString) {
    REFUSALS.add(1);
    *LAST_REFUSAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
}

/// Why the server refused last; none also while that is being written.
pub(crate) fn last_refusal() -> Option<CString> {
    LAST_REFUSAL.try_lock().ok().and_then(|last| last.clone())
}

/// What a monitor had counted before it was used.
pub(crate) struct Before {
    observations: u64,
    late: u64,
    dropped: u64,
    closed: u64,
}

impl Before {
    pub(crate) fn of(monitor: &Monitor) -> Self {
        let left_out = monitor.left_out();
        Self {
            observations: monitor.observations(),
            late: left_out.late,
            dropped: left_out.dropped_windows,
            closed: WINDOWS_CLOSED.get(),
        }
    }

    /// Adds what `monitor` has counted since; says whether a window closed.
    pub(crate) fn add_what_came(&self, monitor: &Monitor) -> bool {
        let now = Self::of(monitor);
        OBSERVATIONS.add(now.observations.saturating_sub(self.observations));
        LATE.add(now.late.saturating_sub(self.late));
        WINDOWS_DROPPED.add(now.dropped.saturating_sub(self.dropped));
        now.closed != self.closed
    }
}

/// Runs `f` and counts the window that it closed.
pub(crate) fn noting_a_close<R>(monitor: &mut Monitor, f: impl FnOnce(&mut Monitor) -> R) -> R {
    let before = monitor.open_window();
    let result = f(monitor);
    if before.is_some() && monitor.open_window() != before {
        WINDOWS_CLOSED.add(1);
    }
    result
}
