//! Detector for unusual levels: multi-scale Mahalanobis distance (`algorithms.md` §9, M).
//!
//! Values and two smoothings of them, with a covariance shrunk half way to a sphere.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::cholesky::Cholesky;
use crate::numbers::feature::Scale;
use crate::numbers::moments::Moments;
use crate::numbers::trail::{SMOOTH, Trail};
use serde::{Deserialize, Serialize};

/// Windows remembered.
pub(crate) const HORIZON: f64 = 20_000.0;
/// Windows before the first fit.
pub(crate) const FIRST_FIT: f64 = 20.0;
/// Part of the covariance that is replaced by a sphere.
const SHRINK: f64 = 0.5;
/// Values are clipped here, in standard deviations.
const CLIP: f64 = 10.0;
/// The value and its smoothings.
const VIEWS: usize = 1 + SMOOTH.len();

/// What is known of the levels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Levels {
    scales: Vec<Scale>,
    moments: Moments,
}

impl Levels {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { scales: scales.to_vec(), moments: Moments::new(scales.len() * VIEWS) }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        self.scales == trail.scales() && self.moments.is_consistent(trail.features() * VIEWS)
    }
}

/// The values and their smoothings, one view after the other.
fn views(trail: &Trail, mean: impl Fn(usize) -> f64 + Copy) -> impl Iterator<Item = f64> {
    let now = (0..trail.features()).map(move |feature| trail.value(0, feature, mean(feature)));
    let smoothed = move |which| (0..trail.features()).map(move |feature| trail.smoothed(which, feature, mean(feature)));
    now.chain((0..SMOOTH.len()).flat_map(smoothed))
}

impl Fit for Levels {
    type Input = Trail;
    type Fitted = LevelModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&LevelModel>, weight: f32) {
        let mut values: Vec<f64> = views(trail, |feature| self.moments.mean(feature)).collect();
        if let Some(model) = model {
            for (index, (value, (mean, deviation))) in values.iter_mut().zip(&model.normal).enumerate() {
                // What was constant so far has no spread to clip by.
                if self.moments.deviation(index) > 0.5 * deviation {
                    *value = value.clamp(mean - CLIP * deviation, mean + CLIP * deviation);
                }
            }
        }
        self.moments.add(&values, f64::from(weight));
    }

    fn fit(&mut self) -> Option<LevelModel> {
        if self.moments.weight() < FIRST_FIT {
            return None;
        }
        self.moments.fade_to(HORIZON);
        let (moments, features) = (&self.moments, self.scales.len());
        let size = features * VIEWS;
        let normal: Vec<(f64, f64)> = (0..size)
            .map(|index| {
                let mean = moments.mean(index);
                // A smoothed value is as much steadier as its weights say.
                let steadier = match index / features {
                    0 => 1.0,
                    view => (f64::from(SMOOTH[view - 1]) / (2.0 - f64::from(SMOOTH[view - 1]))).sqrt(),
                };
                let least = self.scales[index % features].least_deviation(mean, moments.range(index));
                (mean, moments.deviation(index).max(least * steadier))
            })
            .collect();
        let correlation =
            |row: usize, column: usize| moments.covariance(row, column) / (normal[row].1 * normal[column].1);
        let sphere = (0..size).map(|index| correlation(index, index)).sum::<f64>() / size as f64;
        // Constant features alone would leave no sphere at all.
        let sphere = SHRINK * sphere.max(1e-3);
        let factor = Cholesky::factor(size, |row, column| {
            (1.0 - SHRINK) * correlation(row, column) + if row == column { sphere } else { 0.0 }
        })?;
        Some(LevelModel { normal, factor })
    }
}

/// The fitted distance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LevelModel {
    /// Mean and standard deviation of each view of each feature.
    normal: Vec<(f64, f64)>,
    factor: Cholesky,
}

impl LevelModel {
    /// Usual value of a feature and its standard deviation, on its scale.
    pub(crate) fn normal(&self, feature: usize) -> (f64, f64) {
        self.normal[feature]
    }

    fn all_z(&self, trail: &Trail) -> Vec<f32> {
        views(trail, |feature| self.normal[feature].0)
            .zip(&self.normal)
            .map(|(value, (mean, deviation))| ((value - mean) / deviation).clamp(-CLIP, CLIP) as f32)
            .collect()
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        let sound = |(mean, deviation): &(f64, f64)| mean.is_finite() && deviation.is_finite() && *deviation > 0.0;
        self.normal.len() == features * VIEWS
            && self.normal.iter().all(sound)
            && self.factor.is_consistent(features * VIEWS)
    }
}

impl Fitted for LevelModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        let mut z = self.all_z(trail);
        self.factor.forward(&mut z);
        (f64::from(z.iter().map(|value| value * value).sum::<f32>()) / z.len() as f64).sqrt()
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        let z = self.all_z(trail);
        let mut weighted = z.clone();
        self.factor.forward(&mut weighted);
        self.factor.backward(&mut weighted);
        let features = trail.features();
        let parts = (0..features).map(|feature| {
            (0..VIEWS)
                .map(|view| view * features + feature)
                .map(|index| f64::from((z[index] * weighted[index]).max(0.0)))
                .sum()
        });
        Share::of(parts)
    }
}
