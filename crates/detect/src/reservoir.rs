//! A bounded, even sample of the past.

use serde::{Deserialize, Serialize};

/// Windows that a sample reaches back at most, once full and thinned: older ones fall out.
const HORIZON: f64 = 20_000.0;

/// Every `stride`-th window of the last 20,000; when full, every other one goes and the stride doubles.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reservoir<T> {
    capacity: usize,
    stride: f64,
    credit: f64,
    samples: Vec<T>,
}

impl<T> Reservoir<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, stride: 1.0, credit: 0.0, samples: Vec::new() }
    }

    /// Offers a window; one of weight 0.1 is kept a tenth as often.
    pub(crate) fn offer(&mut self, weight: f32, sample: impl FnOnce() -> T) {
        self.credit += f64::from(weight);
        // Weights like 0.1 don't add up to whole numbers exactly.
        if self.credit + 1e-6 < self.stride {
            return;
        }
        self.credit = 0.0;
        if self.samples.len() == self.capacity {
            if self.stride * 2.0 * self.capacity as f64 <= HORIZON {
                let mut keep = false;
                self.samples.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.stride *= 2.0;
            } else {
                self.samples.remove(0);
            }
        }
        self.samples.push(sample());
    }

    /// The samples, oldest first.
    pub(crate) fn samples(&self) -> &[T] {
        &self.samples
    }

    pub(crate) fn is_consistent(&self, capacity: usize, sample: impl FnMut(&T) -> bool) -> bool {
        self.capacity == capacity
            && (1.0..=HORIZON).contains(&self.stride)
            && self.credit.is_finite()
            && (0.0..=HORIZON).contains(&self.credit)
            && self.samples.len() <= capacity
            && self.samples.iter().all(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_spreads_over_the_whole_past() {
        let mut reservoir = Reservoir::new(64);
        (0..10_000).for_each(|window| reservoir.offer(1.0, || window));
        let samples = reservoir.samples();
        assert!((32..=64).contains(&samples.len()));
        assert!(samples[0] < 400 && *samples.last().unwrap() > 9_600, "{samples:?}");
        let steps: Vec<i32> = samples.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| *step <= 2 * steps[0]), "{steps:?}");
    }

    #[test]
    fn beyond_the_horizon_the_oldest_falls_out() {
        let mut reservoir = Reservoir::new(64);
        (0..60_000).for_each(|window| reservoir.offer(1.0, || window));
        assert!(*reservoir.samples().first().unwrap() > 38_000);
    }

    #[test]
    fn light_windows_are_kept_seldom() {
        let mut reservoir = Reservoir::new(64);
        (0..100).for_each(|window| reservoir.offer(0.1, || window));
        assert_eq!(reservoir.samples().len(), 10);
    }
}
