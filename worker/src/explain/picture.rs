//! Scores as a row of blocks.

use eddyline_wire::score::{Score, State};
use serde::Serialize;

/// From ordinary to as rare as can be told; the alert line is the step to the fifth.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A window without a judgement.
const NONE: char = '·';

/// A window in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Glimpse {
    /// End of the window, ms since the epoch.
    pub end_ms: u64,
    /// Its score; none while warming, and where it wasn't judged.
    pub score: Option<f64>,
}

impl Glimpse {
    /// Of a window with this score, if it has one.
    #[must_use]
    pub fn of(end_ms: u64, score: Option<&Score>) -> Self {
        let score = score.filter(|score| score.state == State::Ready).map(|score| score.score);
        Self { end_ms, score }
    }

    fn block(self) -> char {
        match self.score {
            Some(score) => BLOCKS[((score * 8.0) as usize).min(BLOCKS.len() - 1)],
            None => NONE,
        }
    }
}

/// The row.
#[must_use]
pub fn row(windows: &[Glimpse]) -> String {
    windows.iter().map(|window| window.block()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alerts_is_higher_than_half() {
        let glimpse = |score| Glimpse { end_ms: 0, score };
        let scores = [None, Some(0.0), Some(0.499), Some(0.5), Some(0.75), Some(1.0), Some(f64::NAN)];
        assert_eq!(row(&scores.map(glimpse)), "·▁▄▅▇█▁");
    }
}
