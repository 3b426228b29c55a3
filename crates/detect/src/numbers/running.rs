//! Running mean and variance of one feature, missing values left out.

use serde::{Deserialize, Serialize};

/// Sums of what one feature was.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Running {
    weight: f64,
    mean: f64,
    /// Weighted sum of squared offsets from the mean.
    squares: f64,
    /// Least and largest value seen.
    low: f64,
    high: f64,
}

impl Running {
    /// Takes a finite value in (Welford's recurrence, with weights).
    pub(crate) fn add(&mut self, value: f64, weight: f64) {
        if self.weight == 0.0 {
            (self.mean, self.low, self.high) = (value, value, value);
        }
        self.weight += weight;
        let offset = value - self.mean;
        self.mean += offset * weight / self.weight;
        self.squares += weight * offset * (value - self.mean);
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
    }

    /// Forgets: keeps a total weight of at most `horizon`.
    pub(crate) fn fade_to(&mut self, horizon: f64) {
        if self.weight > horizon {
            self.squares *= horizon / self.weight;
            self.weight = horizon;
        }
    }

    /// Mean; 0 before the first value.
    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    /// Standard deviation.
    pub(crate) fn deviation(&self) -> f64 {
        if self.weight > 0.0 { (self.squares / self.weight).max(0.0).sqrt() } else { 0.0 }
    }

    /// Widest spread there was.
    pub(crate) fn range(&self) -> f64 {
        self.high - self.low
    }

    /// The value where it is within `limit` deviations of what `normal` says is usual, else the nearest that is. What was
    /// constant so far has no spread to clip by.
    pub(crate) fn clipped(&self, value: f64, normal: Option<(f64, f64)>, limit: f64) -> f64 {
        match normal {
            Some((mean, deviation)) if self.deviation() > 0.5 * deviation => {
                value.clamp(mean - limit * deviation, mean + limit * deviation)
            }
            _ => value,
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        // Squares of values that were cut at ±1e15 stay below 1e34.
        [self.weight, self.mean, self.squares, self.low, self.high].iter().all(|value| value.abs() < 1e38)
            && self.weight >= 0.0
            && self.low <= self.high
    }
}

/// Whether these are means with standard deviations.
pub(crate) fn are_normal(normal: &[(f64, f64)]) -> bool {
    normal.iter().all(|(mean, deviation)| mean.abs() < 1e38 && *deviation > 0.0 && *deviation < 1e38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_like_repetitions() {
        let (mut once, mut twice) = (Running::default(), Running::default());
        for value in [3.0, 8.0, 5.0] {
            once.add(value, 2.0);
            twice.add(value, 1.0);
            twice.add(value, 1.0);
        }
        assert!((once.mean() - twice.mean()).abs() < 1e-12 && (once.deviation() - twice.deviation()).abs() < 1e-12);
        assert_eq!(once.range(), 5.0);
    }

    #[test]
    fn a_small_spread_on_a_large_value_keeps_its_digits() {
        let mut running = Running::default();
        (0..1_000).for_each(|step| running.add(1e9 + f64::from(step % 2), 1.0));
        assert!((running.deviation() - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_constant_is_not_clipped_when_it_changes() {
        let mut running = Running::default();
        (0..50).for_each(|_| running.add(5.0, 1.0));
        assert_eq!(running.clipped(9.0, Some((5.0, 1e-6)), 10.0), 9.0);
        running.add(9.0, 1.0);
        assert_eq!(running.clipped(9.0, Some((5.0, 0.1)), 10.0), 6.0);
    }
}
