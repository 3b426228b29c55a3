//! From a raw score to `p`: the chance that an ordinary recent window scores at least this high.
//!
//! Ranks where there are enough windows, and beyond them an exponential tail of ln(score) whose scale is the median excess
//! / ln 2, so that a few incidents in the tail don't stretch it. The scale itself is uncertain where the history is short:
//! the predictive tail of an exponential with estimated scale is a power law that tends to it, so little history means
//! little confidence.

use serde::{Deserialize, Serialize};

const LOW: f64 = -4.0;
const STEPS: f64 = 50.0;
/// Added to a score before its logarithm is taken.
const SHIFT: f64 = 0.05;
const BINS: usize = 600;
/// Windows that are remembered; older ones fade.
const HORIZON: f64 = 20_000.0;
/// Windows that the tail should hold, and the share of all it may be.
const TAIL: f64 = 40.0;
const TAIL_SHARE: (f64, f64) = (0.02, 0.1);
/// Least scale of the tail of ln(score).
const LEAST_SCALE: f64 = 0.02;

/// Weighted histogram of ln(score) of the windows that count as ordinary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calibration {
    weight: f64,
    bins: Vec<f32>,
    before: f64,
}

impl Calibration {
    pub(crate) fn new() -> Self {
        Self { weight: 0.0, bins: vec![0.0; BINS], before: 1.0 }
    }

    /// Counts a window.
    pub(crate) fn add(&mut self, score: f64, weight: f32) {
        let e = |n: &str, d: f64| std::env::var(n).map_or(d, |v| v.parse().unwrap());
        let w = (self.before / e("P0", 0.5)).powf(e("G", 1.0)).clamp(e("F", 0.03), 1.0);
        self.before = self.p(score);
        let weight = weight * w as f32;
        self.bins[position(score).clamp(0.0, BINS as f64 - 1.0) as usize] += weight;
        self.weight += f64::from(weight);
        if self.weight > HORIZON * 1.05 {
            self.fade(HORIZON / self.weight);
        }
    }

    /// The chance of a score at least this high, in [1e-12, 1].
    pub(crate) fn p(&self, score: f64) -> f64 {
        if self.weight < 1.0 {
            return 1.0;
        }
        let n = self.weight;
        let at = position(score).max(0.0);
        let share = (TAIL / n).clamp(TAIL_SHARE.0, TAIL_SHARE.1);
        let start = self.position_above(share * n);
        let p = if at <= start {
            (self.above(at) + 0.5) / (n + 1.0)
        } else {
            let half = self.position_above(share * n / 2.0);
            let scale = ((half - start) / STEPS / std::f64::consts::LN_2).max(LEAST_SCALE);
            let excess = (at - start) / STEPS;
            let tail = share * n;
            (tail + 0.5) / (n + 1.0) * (1.0 + excess / (tail * scale)).powf(-tail)
        };
        p.clamp(1e-12, 1.0)
    }

    /// The score that half of the windows exceed; none before there are ten.
    pub(crate) fn median(&self) -> Option<f64> {
        (self.weight >= 10.0).then(|| (self.position_above(self.weight / 2.0) / STEPS + LOW).exp() - SHIFT)
    }

    /// Forgets: every weight times `keep`.
    pub(crate) fn fade(&mut self, keep: f64) {
        self.bins.iter_mut().for_each(|bin| *bin *= keep as f32);
        self.weight *= keep;
    }

    /// Weight above a bin position.
    fn above(&self, at: f64) -> f64 {
        let bin = at as usize;
        if bin >= BINS {
            return 0.0;
        }
        let beyond: f64 = self.bins[bin + 1..].iter().map(|weight| f64::from(*weight)).sum();
        beyond + f64::from(self.bins[bin]) * (1.0 - (at - bin as f64))
    }

    /// Bin position that this much weight lies above.
    fn position_above(&self, mut weight: f64) -> f64 {
        for (bin, held) in self.bins.iter().enumerate().rev() {
            let held = f64::from(*held);
            if held > 0.0 && held >= weight {
                return bin as f64 + 1.0 - weight / held;
            }
            weight -= held;
        }
        0.0
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.bins.len() == BINS && self.weight.is_finite() && self.weight >= 0.0 && self.bins.iter().all(|bin| bin.is_finite() && *bin >= 0.0)
    }
}

/// Where a score falls among the bins.
fn position(score: f64) -> f64 {
    ((score + SHIFT).ln() - LOW) * STEPS
}
