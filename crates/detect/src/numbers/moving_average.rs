//! Detector by moving average: each feature against its mean over the last windows, in usual residuals.
//!
//! It follows whatever comes, so that only what is sudden is unusual.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::{FIRST_FIT, HORIZON};
use crate::numbers::running::{Running, are_normal};
use crate::numbers::trail::Trail;
use crate::numbers::zscore::squares;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Windows averaged.
const WINDOWS: usize = 30;
/// Residuals are clipped here when they are learned, in standard deviations.
const CLIP: f64 = 10.0;

/// The last windows, and how far each was from the mean of those before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MovingAverages {
    scales: Vec<Scale>,
    windows: f64,
    /// Oldest first; NaN = missing.
    last: VecDeque<Vec<f32>>,
    residuals: Vec<Running>,
}

impl MovingAverages {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        let residuals = vec![Running::default(); scales.len()];
        Self { scales: scales.to_vec(), windows: 0.0, last: VecDeque::new(), residuals }
    }

    /// Mean of the last windows in which a feature was known.
    fn mean(&self, feature: usize) -> Option<f64> {
        let known = self.last.iter().map(|row| f64::from(row[feature])).filter(|value| !value.is_nan());
        let (n, sum) = known.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
        (n > 0.0).then(|| sum / n)
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let features = trail.features();
        self.scales == trail.scales()
            && self.windows.is_finite()
            && self.windows >= 0.0
            && self.last.len() <= WINDOWS
            && self.last.iter().all(|row| row.len() == features && !row.iter().any(|value| value.is_infinite()))
            && self.residuals.len() == features
            && self.residuals.iter().all(Running::is_consistent)
    }
}

impl Fit for MovingAverages {
    type Input = Trail;
    type Fitted = MovingAverageModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&MovingAverageModel>, weight: f32) {
        self.windows += f64::from(weight);
        for (feature, value) in trail.now().iter().enumerate() {
            let Some(mean) = self.mean(feature).filter(|_| !value.is_nan()) else { continue };
            let normal = model.map(|model| (0.0, model.normal[feature].1));
            let running = &mut self.residuals[feature];
            running.add(running.clipped(f64::from(*value) - mean, normal, CLIP), f64::from(weight));
        }
        if self.last.len() == WINDOWS {
            self.last.pop_front();
        }
        self.last.push_back(trail.now().to_vec());
    }

    fn fit(&mut self) -> Option<MovingAverageModel> {
        if self.windows < FIRST_FIT {
            return None;
        }
        self.residuals.iter_mut().for_each(|running| running.fade_to(HORIZON));
        let normal = |(feature, (running, scale)): (usize, (&Running, &Scale))| {
            let mean = self.mean(feature).unwrap_or_default();
            (mean, running.deviation().max(scale.least_deviation(mean, running.range())))
        };
        let normal = self.residuals.iter().zip(&self.scales).enumerate().map(normal).collect();
        Some(MovingAverageModel { normal })
    }
}

/// The mean of the last windows, and the usual residual.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MovingAverageModel {
    normal: Vec<(f64, f64)>,
}

impl MovingAverageModel {
    /// What a feature should be now and its standard deviation, on its scale.
    pub(crate) fn normal(&self, feature: usize) -> (f64, f64) {
        self.normal[feature]
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.normal.len() == features && are_normal(&self.normal)
    }
}

impl Fitted for MovingAverageModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        (squares(trail, &self.normal).sum::<f64>() / self.normal.len() as f64).sqrt()
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        Share::of(squares(trail, &self.normal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slow ramp with a little unrest, followed window by window.
    fn after(windows: u32) -> (Trail, MovingAverages, MovingAverageModel) {
        let mut trail = Trail::new(&["a".to_owned()], crate::chance::pace::Pace::Events);
        let mut averages = MovingAverages::new(trail.scales());
        let mut model = None;
        for window in 0..windows {
            trail.push(&[window as f32 * 0.01 + (window % 3) as f32], false);
            averages.learn(&trail, model.as_ref(), 1.0);
            model = averages.fit();
        }
        (trail, averages, model.unwrap())
    }

    #[test]
    fn slow_change_is_followed_and_a_sudden_one_is_not() {
        let (mut trail, _, model) = after(2_000);
        trail.push(&[21.0], false);
        assert!(model.score(&trail) < 2.0, "{}", model.score(&trail));
        trail.push(&[1.0], false);
        assert!(model.score(&trail) > 15.0, "{}", model.score(&trail));
    }

    #[test]
    fn a_new_level_is_usual_after_as_many_windows_as_are_averaged() {
        let (mut trail, mut averages, mut model) = after(500);
        for _ in 0..WINDOWS {
            trail.push(&[100.0], false);
            averages.learn(&trail, Some(&model), 1.0);
            model = averages.fit().unwrap();
        }
        assert!((model.normal(0).0 - 100.0).abs() < 1e-9);
        assert_eq!(model.score(&trail), 0.0);
    }
}
