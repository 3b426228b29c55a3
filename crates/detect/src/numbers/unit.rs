//! The unit of a detector's scores: their median.

use crate::histogram::Histogram;
use serde::{Deserialize, Serialize};

/// Added to a score before its logarithm is taken: a detector that sees nothing doesn't silence the others.
const OFFSET: f64 = 0.05;
/// Windows before a median is known.
const FIRST: f64 = 10.0;

fn past() -> Histogram {
    Histogram::new(-4.0, 6.0, 0.02)
}

/// A detector's past scores, and their median as it was read off last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unit {
    /// ln of the scores.
    past: Histogram,
    median: Option<f64>,
}

impl Unit {
    pub(crate) fn new() -> Self {
        Self { past: past(), median: None }
    }

    /// ln of a score in units of the median; none before that is known.
    pub(crate) fn surprise(&self, score: f64) -> Option<f64> {
        self.median.map(|median| (score / median + OFFSET).ln())
    }

    /// Takes a score in.
    pub(crate) fn add(&mut self, score: f64, weight: f32) {
        self.past.add((score + OFFSET).ln(), weight);
    }

    /// Reads the median off anew.
    pub(crate) fn renew(&mut self) {
        if self.past.weight() >= FIRST {
            self.median = Some((self.past.exceeded_by(0.5).exp() - OFFSET).max(OFFSET));
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.past.is_consistent(&past()) && self.median.is_none_or(|median| median.is_finite() && median >= OFFSET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_told_in_medians() {
        let mut unit = Unit::new();
        (1..10).for_each(|_| unit.add(3.0, 1.0));
        unit.renew();
        assert_eq!(unit.surprise(3.0), None);
        unit.add(3.0, 1.0);
        unit.renew();
        let usual = unit.surprise(3.0).unwrap();
        assert!(usual.abs() < 0.1 && (unit.surprise(30.0).unwrap() - usual - 10_f64.ln()).abs() < 0.1, "{usual}");
        assert!(unit.is_consistent());
    }
}
