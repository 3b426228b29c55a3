//! Closed windows that wait to be written to the stream.

use crate::closed::{Closed, MAX_TOP_ITEMS};
use crate::definition::MAX_MS;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Most items that wait; a run of empty windows is one item.
pub const MAX_WAITING: usize = 64;

/// One item of the outbox: a window, and how many more like it follow (only empty windows repeat).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    closed: Closed,
    repeats: u64,
}

/// First in, first out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    waiting: VecDeque<Waiting>,
    gap_ms: u64,
}

impl Outbox {
    /// Whether one more closing (a window and a run of empty ones) may not fit.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() + 2 > MAX_WAITING
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.waiting.iter().map(|waiting| size_of::<Waiting>() + waiting.closed.bytes()).sum()
    }

    /// Appends a window; it tells of the unknown time before it.
    pub(crate) fn push(&mut self, closed: Closed, window_ms: u64) {
        self.push_run(closed, 1, window_ms);
    }

    /// Appends `count` windows like `first`; more than one only if they are empty.
    pub(crate) fn push_run(&mut self, mut first: Closed, count: u64, window_ms: u64) {
        if let Some(last) = self.waiting.back_mut()
            && self.gap_ms == 0
            && last.closed.n == 0
            && first.n == 0
            && !last.closed.partial
            && !first.partial
            && last.closed.end_ms + (last.repeats + 1) * window_ms == first.end_ms
        {
            last.repeats += count;
            return;
        }
        first.gap_ms = std::mem::take(&mut self.gap_ms);
        self.waiting.push_back(Waiting { closed: first, repeats: count.saturating_sub(1) });
    }

    /// Unknown time before the next window.
    pub(crate) fn add_gap(&mut self, gap_ms: u64) {
        self.gap_ms = longer(self.gap_ms, gap_ms);
    }

    /// Makes room by dropping the oldest item; its time becomes unknown. Returns how many windows it was.
    pub(crate) fn drop_oldest(&mut self, window_ms: u64) -> u64 {
        let Some(oldest) = self.waiting.pop_front() else { return 0 };
        let windows = oldest.repeats + 1;
        let lost = oldest.closed.gap_ms + windows * window_ms;
        match self.waiting.front_mut() {
            Some(next) => next.closed.gap_ms = longer(next.closed.gap_ms, lost),
            None => self.add_gap(lost),
        }
        windows
    }

    /// The oldest window.
    pub(crate) fn front(&self) -> Option<&Closed> {
        self.waiting.front().map(|waiting| &waiting.closed)
    }

    /// Every window up to `end_ms` was written.
    pub(crate) fn sent(&mut self, end_ms: u64, window_ms: u64) {
        while let Some(front) = self.waiting.front_mut() {
            if front.closed.end_ms > end_ms {
                return;
            }
            let done = (end_ms - front.closed.end_ms) / window_ms + 1;
            if done > front.repeats {
                self.waiting.pop_front();
                continue;
            }
            front.repeats -= done;
            front.closed.end_ms += done * window_ms;
            front.closed.gap_ms = 0;
            return;
        }
    }

    /// Whether a dump's outbox can be real.
    pub(crate) fn is_sane(&self, features: Option<usize>, window_ms: u64) -> bool {
        self.gap_ms <= MAX_MS
            && self.waiting.len() <= MAX_WAITING
            && self.waiting.iter().all(|Waiting { closed, repeats }| {
                Some(closed.values.len()) == features
                    && closed.end_ms % window_ms == 0
                    && *repeats <= MAX_MS / window_ms
                    && closed.end_ms <= MAX_MS - repeats * window_ms
                    && closed.gap_ms <= MAX_MS
                    && closed.top.len() <= MAX_TOP_ITEMS
            })
    }
}

/// A gap that is longer by `ms`, but no longer than time.
fn longer(gap_ms: u64, ms: u64) -> u64 {
    gap_ms.saturating_add(ms).min(MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn window(end_ms: u64, n: u64) -> Closed {
        Closed { end_ms, n, values: vec![n as f32], gap_ms: 0, partial: false, top: Arc::default() }
    }

    fn ends(outbox: &mut Outbox) -> Vec<(u64, u64)> {
        let mut ends = Vec::new();
        while let Some(closed) = outbox.front() {
            let (end, gap) = (closed.end_ms, closed.gap_ms);
            ends.push((end, gap));
            outbox.sent(end, 10);
        }
        ends
    }

    #[test]
    fn a_run_of_empty_windows_is_one_item_that_unrolls() {
        let mut outbox = Outbox::default();
        outbox.push(window(10, 3), 10);
        outbox.push_run(window(20, 0), 2, 10);
        outbox.push(window(40, 0), 10);
        assert_eq!(outbox.len(), 2);
        assert_eq!(ends(&mut outbox), [(10, 0), (20, 0), (30, 0), (40, 0)]);
    }

    #[test]
    fn sent_drops_all_up_to_the_end_and_may_come_twice() {
        let mut outbox = Outbox::default();
        outbox.push(window(10, 1), 10);
        outbox.push_run(window(20, 0), 3, 10);
        outbox.sent(30, 10);
        outbox.sent(30, 10);
        outbox.sent(10, 10);
        assert_eq!(ends(&mut outbox), [(40, 0)]);
    }

    #[test]
    fn unknown_and_dropped_time_is_told_by_the_next_window() {
        let mut outbox = Outbox::default();
        outbox.add_gap(50);
        outbox.push(window(60, 1), 10);
        outbox.push(window(70, 1), 10);
        assert_eq!(outbox.drop_oldest(10), 1);
        assert_eq!(ends(&mut outbox), [(70, 60)]);
        outbox.push(window(80, 1), 10);
        outbox.drop_oldest(10);
        outbox.push(window(90, 1), 10);
        assert_eq!(ends(&mut outbox), [(90, 10)]);
    }
}
