//! Where a monitor stands in time.

use crate::definition::Clock;
use serde::{Deserialize, Serialize};

/// Most empty windows that one jump of a `CLOCK stream` monitor writes.
const MAX_EMPTY: u64 = 1000;

/// The open window. Windows are aligned to their length; time never goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    window_ms: u64,
    start_ms: Option<u64>,
    partial: bool,
}

/// What a step in time means for the open window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: the time lies in the open window.
    Stays,
    /// Nothing: the time lies before the open window.
    Back,
    /// The first window opens.
    Opens,
    /// The open window closes at `end_ms`; `empty` empty ones follow it, then `gap_ms` of which nothing is known.
    Closes {
        /// End of the open window.
        end_ms: u64,
        /// Empty windows after it.
        empty: u64,
        /// Unknown time after those.
        gap_ms: u64,
    },
}

impl Timeline {
    pub(crate) fn new(window_ms: u64) -> Self {
        Self { window_ms, start_ms: None, partial: false }
    }

    /// Start and end of the open window.
    pub(crate) fn open(&self) -> Option<(u64, u64)> {
        self.start_ms.map(|start| (start, start + self.window_ms))
    }

    /// Whether the open window was opened in its middle: of what came before nothing is known.
    pub(crate) fn partial(&self) -> bool {
        self.partial
    }

    /// Start of the window that holds `ms`.
    fn aligned(&self, ms: u64) -> u64 {
        ms - ms % self.window_ms
    }

    /// What an entry at `ms` would do.
    pub(crate) fn step_to_entry(&self, ms: u64, clock: Clock) -> Step {
        let Some((start, end)) = self.open() else { return Step::Opens };
        if ms < start {
            Step::Back
        } else if ms < end {
            Step::Stays
        } else {
            let jumped = (self.aligned(ms) - end) / self.window_ms;
            let empty = if clock == Clock::Stream { jumped.min(MAX_EMPTY) } else { 0 };
            let known = end + empty * self.window_ms;
            Step::Closes { end_ms: end, empty, gap_ms: if jumped > empty { ms - known } else { 0 } }
        }
    }

    /// What the word that time has come to `ms` would do: what lies between the open window and it is unknown.
    pub(crate) fn step_to_boundary(&self, ms: u64) -> Step {
        let Some((_, end)) = self.open() else { return Step::Opens };
        if ms < end { Step::Stays } else { Step::Closes { end_ms: end, empty: 0, gap_ms: ms - end } }
    }

    /// Opens the window that holds `ms`; after unknown time it is `partial` unless `ms` is its very start.
    pub(crate) fn move_to(&mut self, ms: u64, unknown_before: bool) {
        let start = self.aligned(ms);
        self.start_ms = Some(start);
        self.partial = unknown_before && ms > start;
    }

    /// Whether this can have come from [`Timeline::new`] with this length.
    pub(crate) fn is_sane(&self, window_ms: u64) -> bool {
        self.window_ms == window_ms
            && self.start_ms.is_none_or(|start| start % window_ms == 0 && start <= crate::definition::MAX_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timeline {
        let mut timeline = Timeline::new(1000);
        timeline.move_to(ms, false);
        timeline
    }

    #[test]
    fn a_jump_is_a_gap_by_the_servers_clock_and_empty_windows_by_the_streams() {
        let closes = |empty, gap_ms| Step::Closes { end_ms: 6000, empty, gap_ms };
        assert_eq!(at(5500).step_to_entry(5999, Clock::Server), Step::Stays);
        assert_eq!(at(5500).step_to_entry(4999, Clock::Server), Step::Back);
        assert_eq!(at(5500).step_to_entry(6000, Clock::Server), closes(0, 0));
        assert_eq!(at(5500).step_to_entry(9001, Clock::Server), closes(0, 3001));
        assert_eq!(at(5500).step_to_entry(9001, Clock::Stream), closes(3, 0));
        assert_eq!(at(5500).step_to_entry(6000 + 1_500_000, Clock::Stream), closes(1000, 500_000));
    }

    #[test]
    fn a_boundary_closes_once_and_what_it_skips_is_unknown() {
        assert_eq!(at(5500).step_to_boundary(5999), Step::Stays);
        assert_eq!(at(5500).step_to_boundary(6000), Step::Closes { end_ms: 6000, empty: 0, gap_ms: 0 });
        assert_eq!(at(5500).step_to_boundary(8700), Step::Closes { end_ms: 6000, empty: 0, gap_ms: 2700 });
        assert_eq!(Timeline::new(1000).step_to_boundary(8700), Step::Opens);
    }
}
