//! Weighted histogram of one number, for ranks and quantiles of the past.

use serde::{Deserialize, Serialize};

/// Weight that is remembered; beyond it, older values fade.
const HORIZON: f64 = 20_000.0;

/// Counts in equal bins; values outside fall into the first and the last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Histogram {
    low: f64,
    step: f64,
    weight: f64,
    bins: Vec<f32>,
}

impl Histogram {
    /// Nothing yet, with bins of width `step` from `low` to `high`.
    pub(crate) fn new(low: f64, high: f64, step: f64) -> Self {
        Self { low, step, weight: 0.0, bins: vec![0.0; ((high - low) / step).round() as usize] }
    }

    /// Weight held.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, value: f64, weight: f32) {
        let last = self.bins.len() - 1;
        let bin = (self.position(value).max(0.0) as usize).min(last);
        self.bins[bin] += weight;
        self.weight += f64::from(weight);
        if self.weight > HORIZON * 1.05 {
            self.fade(HORIZON / self.weight);
        }
    }

    /// Forgets: every weight times `keep`.
    pub(crate) fn fade(&mut self, keep: f64) {
        self.bins.iter_mut().for_each(|bin| *bin *= keep as f32);
        self.weight *= keep;
    }

    /// Weight of the values above one.
    pub(crate) fn above(&self, value: f64) -> f64 {
        let at = self.position(value).max(0.0);
        let bin = at as usize;
        let Some(held) = self.bins.get(bin) else { return 0.0 };
        let beyond: f64 = self.bins[bin + 1..].iter().map(|weight| f64::from(*weight)).sum();
        beyond + f64::from(*held) * (1.0 - (at - bin as f64))
    }

    /// The value that a share of the weight lies above.
    pub(crate) fn exceeded_by(&self, share: f64) -> f64 {
        let mut weight = share * self.weight;
        for (bin, held) in self.bins.iter().enumerate().rev() {
            let held = f64::from(*held);
            if held > 0.0 && held >= weight {
                return self.low + (bin as f64 + 1.0 - weight / held) * self.step;
            }
            weight -= held;
        }
        self.low
    }

    fn position(&self, value: f64) -> f64 {
        (value - self.low) / self.step
    }

    /// Whether it could have come of `made`.
    pub(crate) fn is_consistent(&self, made: &Self) -> bool {
        self.low == made.low
            && self.step == made.step
            && self.bins.len() == made.bins.len()
            && self.weight.is_finite()
            && self.weight >= 0.0
            && self.bins.iter().all(|bin| bin.is_finite() && *bin >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_ranks_are_those_of_the_values() {
        let mut histogram = Histogram::new(-1.0, 2.0, 0.01);
        (0..1000).for_each(|i| histogram.add(f64::from(i) / 1000.0, 1.0));
        for share in [0.02, 0.25, 0.5, 0.9] {
            assert!((histogram.exceeded_by(share) - (1.0 - share)).abs() < 0.01);
            assert!((histogram.above(1.0 - share) - share * 1000.0).abs() < 10.0);
        }
    }

    #[test]
    fn values_outside_are_kept_at_the_ends() {
        let mut histogram = Histogram::new(0.0, 1.0, 0.1);
        histogram.add(-5.0, 1.0);
        histogram.add(f64::NAN, 1.0);
        histogram.add(5.0, 1.0);
        assert_eq!((histogram.weight(), histogram.above(0.5), histogram.above(9.0)), (3.0, 1.0, 0.0));
    }

    #[test]
    fn the_past_fades_beyond_the_horizon() {
        let mut histogram = Histogram::new(0.0, 1.0, 0.1);
        (0..100_000).for_each(|_| histogram.add(0.15, 1.0));
        (0..20_000).for_each(|_| histogram.add(0.85, 1.0));
        assert!(histogram.weight() < 21_100.0);
        assert!(histogram.above(0.5) > 0.6 * histogram.weight());
    }
}
