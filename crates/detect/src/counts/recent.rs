//! The last few windows of a block of counts, to be summed where one alone says too little.

use serde::{Deserialize, Serialize};

/// Most windows that are summed.
pub(crate) const MEMORY: usize = 6;
/// Largest count that is believed: sums of such stay finite.
pub(crate) const MOST: f32 = 1e15;

/// Counts of the last windows, newest first; empty after a gap, because sums don't reach across one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recent {
    windows: Vec<Vec<f32>>,
}

impl Recent {
    pub(crate) fn new() -> Self {
        Self { windows: Vec::with_capacity(MEMORY) }
    }

    /// Takes a window in; `gap` says that time is missing before it. A missing count is taken as none.
    pub(crate) fn push(&mut self, counts: &[f32], gap: bool) {
        if gap {
            self.windows.clear();
        }
        let mut window = if self.windows.len() == MEMORY { self.windows.pop().unwrap_or_default() } else { Vec::new() };
        window.clear();
        window.extend(counts.iter().map(|count| if count.is_finite() { count.clamp(0.0, MOST) } else { 0.0 }));
        self.windows.insert(0, window);
    }

    /// How many windows there are since the start or the last gap, at most [`MEMORY`].
    pub(crate) fn len(&self) -> usize {
        self.windows.len()
    }

    /// The newest window.
    pub(crate) fn newest(&self) -> &[f32] {
        self.windows.first().map_or(&[], Vec::as_slice)
    }

    /// Adds the last `windows` of some cells to `sums`.
    pub(crate) fn sum_into(&self, windows: usize, cells: std::ops::Range<usize>, sums: &mut [f32]) {
        for window in self.windows.iter().take(windows) {
            for (sum, count) in sums.iter_mut().zip(&window[cells.clone()]) {
                *sum += count;
            }
        }
    }

    pub(crate) fn is_consistent(&self, cells: usize) -> bool {
        let sound =
            |window: &Vec<f32>| window.len() == cells && window.iter().all(|count| (0.0..=MOST).contains(count));
        self.windows.len() <= MEMORY && self.windows.iter().all(sound)
    }
}
