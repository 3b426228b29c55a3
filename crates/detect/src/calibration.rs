//! From a raw score to `p`: the chance that an ordinary recent window scores at least this high.
//!
//! Two steps, because incidents may fill the upper part of the history (a third of all windows in the trace sets):
//! ln(score) is first measured from its median in units of the lower half's spread, which incidents don't reach, over a
//! past that fades as models learn. The tail of that steady unit is then estimated over the whole past: ranks where there
//! are enough windows; beyond, an exponential whose scale is the median excess / ln 2, so that a few incidents don't
//! stretch it. Where the history is short that scale is uncertain itself: the predictive tail of an exponential with
//! estimated scale is a power law that tends to it, so little history means little confidence.

use crate::histogram::Histogram;
use serde::{Deserialize, Serialize};

/// Added to a score before its logarithm is taken, so that windows of score 0 aren't infinitely far below.
const SHIFT: f64 = 0.05;
/// Windows before scores are measured at all.
const FIRST: f64 = 10.0;
/// Least spread of the lower half of ln(score).
const LEAST_SPREAD: f64 = 0.05;
/// Windows that the tail should hold, and the share of all it may be.
const TAIL: f64 = 40.0;
const TAIL_SHARE: (f64, f64) = (0.02, 0.1);
/// A window after one of this `p` or more counts in full, after a rarer one in proportion, down to the least weight.
const USUAL: f64 = 0.3;
const LEAST_WEIGHT: f64 = 0.03;
/// Least scale of the tail.
const LEAST_SCALE: f64 = 0.02;

/// What is known of a detector's past scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calibration {
    /// ln(score) of all windows; fades.
    scores: Histogram,
    /// Scores in steady units, of the windows that count as ordinary.
    steady: Histogram,
    /// `p` of the window before.
    before: f64,
}

impl Calibration {
    pub(crate) fn new() -> Self {
        Self { scores: Histogram::new(-2.0, 8.0, 0.02), steady: Histogram::new(-8.0, 24.0, 0.02), before: 1.0 }
    }

    /// The chance of a score at least this high, in [1e-12, 1].
    pub(crate) fn p(&self, score: f64) -> f64 {
        let n = self.steady.weight();
        let Some(at) = self.in_steady_units(score).filter(|_| n >= 1.0) else { return 1.0 };
        let share = (TAIL / n).clamp(TAIL_SHARE.0, TAIL_SHARE.1);
        let start = self.steady.exceeded_by(share);
        let p = if at <= start {
            (self.steady.above(at) + 0.5) / (n + 1.0)
        } else {
            let tail = share * n;
            let scale = ((self.steady.exceeded_by(share / 2.0) - start) / std::f64::consts::LN_2).max(LEAST_SCALE);
            (tail + 0.5) / (n + 1.0) * (1.0 + (at - start) / (tail * scale)).powf(-tail)
        };
        p.clamp(1e-12, 1.0)
    }

    /// Takes a window in; only one that counts as `ordinary` says what tails are like, and the less so the more unusual the
    /// one before it was: unusual windows come in stretches, and a stretch is one event. Where windows are independent,
    /// the weight doesn't depend on this window's score and nothing is biased.
    pub(crate) fn add(&mut self, score: f64, ordinary: bool) {
        let weight = (self.before / USUAL).clamp(LEAST_WEIGHT, 1.0);
        self.before = self.p(score);
        if let Some(steady) = self.in_steady_units(score).filter(|_| ordinary) {
            self.steady.add(steady, weight as f32);
        }
        self.scores.add((score + SHIFT).ln(), 1.0);
    }

    /// Scores of windows when less was known say less of the next ones.
    pub(crate) fn fade(&mut self, keep: f64) {
        self.scores.fade(keep);
    }

    fn in_steady_units(&self, score: f64) -> Option<f64> {
        if self.scores.weight() < FIRST {
            return None;
        }
        let (middle, low) = (self.scores.exceeded_by(0.5), self.scores.exceeded_by(0.75));
        Some(((score + SHIFT).ln() - middle) / (middle - low).max(LEAST_SPREAD))
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let made = Self::new();
        (0.0..=1.0).contains(&self.before) && self.scores.is_consistent(&made.scores) && self.steady.is_consistent(&made.steady)
    }
}
