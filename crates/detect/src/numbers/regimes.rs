//! Detector for states never seen: distance from the nearest regime found by k-means (`linfa-clustering`).
//!
//! Traffic has modes (day and night, batch and idle) that one mean can't describe.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::FIRST_FIT;
use crate::numbers::trail::Trail;
use crate::reservoir::Reservoir;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_clustering::KMeans;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Windows sampled from the past.
const SAMPLES: usize = 256;
/// Most regimes, and the windows that each should have.
const REGIMES: usize = 8;
const WINDOWS_EACH: usize = 10;
/// Rounds of k-means: it only has to be near a solution.
const ROUNDS: u64 = 30;
/// Values are clipped here, in standard deviations.
const CLIP: f32 = 10.0;

/// A sample of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Regimes {
    scales: Vec<Scale>,
    samples: Reservoir<Vec<f32>>,
}

impl Regimes {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { scales: scales.to_vec(), samples: Reservoir::new(SAMPLES) }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let right = |row: &Vec<f32>| row.len() == trail.features() && row.iter().all(|value| !value.is_infinite());
        self.scales == trail.scales() && self.samples.is_consistent(SAMPLES, right)
    }
}

impl Fit for Regimes {
    type Input = Trail;
    type Fitted = RegimeModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, _: Option<&RegimeModel>, weight: f32) {
        self.samples.offer(weight, || trail.now().to_vec());
    }

    fn fit(&mut self) -> Option<RegimeModel> {
        let rows = self.samples.samples();
        if (rows.len() as f64) < FIRST_FIT {
            return None;
        }
        let normal: Vec<(f32, f32)> = self
            .scales
            .iter()
            .enumerate()
            .map(|(feature, scale)| normal(rows.iter().map(|row| row[feature]), *scale))
            .collect();
        let features = normal.len();
        let z = Array2::from_shape_fn((rows.len(), features), |(row, feature)| z(rows[row][feature], normal[feature]));
        let regimes = (rows.len() / WINDOWS_EACH).clamp(1, REGIMES);
        // Its default generator has a fixed seed.
        let fitted = KMeans::params(regimes)
            .n_runs(1)
            .max_n_iterations(ROUNDS)
            .tolerance(1e-3)
            .fit(&DatasetBase::from(z))
            .ok()?;
        let centres: Vec<f32> = fitted.centroids().iter().copied().collect();
        centres.iter().all(|value| value.is_finite()).then_some(RegimeModel { normal, centres })
    }
}

/// Mean and standard deviation of what isn't missing.
pub(crate) fn normal(values: impl Iterator<Item = f32> + Clone, scale: Scale) -> (f32, f32) {
    let known = values.filter(|value| !value.is_nan()).map(f64::from);
    let (mut n, mut sum, mut low, mut high) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for value in known.clone() {
        (n, sum, low, high) = (n + 1.0, sum + value, low.min(value), high.max(value));
    }
    if n == 0.0 {
        return (0.0, 1.0);
    }
    let mean = sum / n;
    let variance = known.map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean as f32, variance.sqrt().max(scale.least_deviation(mean, high - low)) as f32)
}

/// In standard deviations from the mean, cut at ten; 0 where it is missing.
pub(crate) fn z(value: f32, (mean, deviation): (f32, f32)) -> f32 {
    let z = ((value - mean) / deviation).clamp(-CLIP, CLIP);
    if z.is_nan() { 0.0 } else { z }
}

/// The regimes found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RegimeModel {
    normal: Vec<(f32, f32)>,
    /// One centre after the other, in standard deviations.
    centres: Vec<f32>,
}

impl RegimeModel {
    /// Offsets from the nearest centre, squared.
    fn offsets(&self, trail: &Trail) -> Vec<f32> {
        let z: Vec<f32> = trail.now().iter().zip(&self.normal).map(|(value, normal)| z(*value, *normal)).collect();
        let offsets =
            |centre: &[f32]| z.iter().zip(centre).map(|(z, centre)| (z - centre).powi(2)).collect::<Vec<f32>>();
        let all = self.centres.chunks_exact(z.len()).map(offsets);
        all.min_by(|a, b| a.iter().sum::<f32>().total_cmp(&b.iter().sum())).unwrap_or_default()
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.normal.len() == features
            && self.normal.iter().all(|(mean, deviation)| mean.is_finite() && deviation.is_finite() && *deviation > 0.0)
            && !self.centres.is_empty()
            && self.centres.len().is_multiple_of(features)
            && self.centres.iter().all(|value| value.is_finite())
    }
}

impl Fitted for RegimeModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        let offsets = self.offsets(trail);
        (f64::from(offsets.iter().sum::<f32>()) / offsets.len() as f64).sqrt()
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        Share::of(self.offsets(trail).into_iter().map(f64::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two modes: both high or both low.
    fn fitted() -> (Trail, RegimeModel) {
        let mut trail = Trail::new(&["a".to_owned(), "b".to_owned()], crate::chance::pace::Pace::Events);
        let mut regimes = Regimes::new(trail.scales());
        for window in 0..200 {
            let level = if window / 7 % 2 == 0 { 1.0 } else { 9.0 };
            trail.push(&[level + (window % 3) as f32 * 0.1, level - (window % 5) as f32 * 0.1], false);
            regimes.learn(&trail, None, 1.0);
        }
        (trail, regimes.fit().unwrap())
    }

    #[test]
    fn a_state_between_the_modes_is_far_from_both() {
        let (mut trail, model) = fitted();
        trail.push(&[9.0, 8.9], false);
        let usual = model.score(&trail);
        trail.push(&[9.0, 1.0], false);
        assert!(model.score(&trail) > 5.0 * usual.max(0.05), "{} {usual}", model.score(&trail));
    }

    #[test]
    fn the_same_past_gives_the_same_regimes() {
        assert_eq!(fitted().1.centres, fitted().1.centres);
    }

    #[test]
    fn missing_features_are_as_expected() {
        let (mut trail, model) = fitted();
        trail.push(&[f32::NAN, f32::NAN], false);
        assert!(model.score(&trail).is_finite());
    }
}
