//! Detector by z-scores: how many standard deviations each feature is from its long-run mean (Shewhart's control chart).

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::{FIRST_FIT, HORIZON};
use crate::numbers::running::{Running, are_normal};
use crate::numbers::trail::Trail;
use serde::{Deserialize, Serialize};

/// What is learned is clipped here, in standard deviations, so that an incident doesn't widen what is usual.
const CLIP: f64 = 10.0;
/// A feature counts at most so much in a score.
const CLIP_SCORE: f64 = 20.0;

/// What is known of every feature by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ZScores {
    scales: Vec<Scale>,
    windows: f64,
    features: Vec<Running>,
}

impl ZScores {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { scales: scales.to_vec(), windows: 0.0, features: vec![Running::default(); scales.len()] }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        self.scales == trail.scales()
            && self.windows.is_finite()
            && self.windows >= 0.0
            && self.features.len() == trail.features()
            && self.features.iter().all(Running::is_consistent)
    }
}

impl Fit for ZScores {
    type Input = Trail;
    type Fitted = ZScoreModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&ZScoreModel>, weight: f32) {
        self.windows += f64::from(weight);
        for (feature, (running, value)) in self.features.iter_mut().zip(trail.now()).enumerate() {
            if !value.is_nan() {
                let normal = model.map(|model| model.normal[feature]);
                running.add(running.clipped(f64::from(*value), normal, CLIP), f64::from(weight));
            }
        }
    }

    fn fit(&mut self) -> Option<ZScoreModel> {
        if self.windows < FIRST_FIT {
            return None;
        }
        self.features.iter_mut().for_each(|running| running.fade_to(HORIZON));
        let normal = |(running, scale): (&Running, &Scale)| {
            let least = scale.least_deviation(running.mean(), running.range());
            (running.mean(), running.deviation().max(least))
        };
        Some(ZScoreModel { normal: self.features.iter().zip(&self.scales).map(normal).collect() })
    }
}

/// Usual value of each feature and its standard deviation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ZScoreModel {
    normal: Vec<(f64, f64)>,
}

impl ZScoreModel {
    /// Usual value of a feature and its standard deviation, on its scale.
    pub(crate) fn normal(&self, feature: usize) -> (f64, f64) {
        self.normal[feature]
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.normal.len() == features && are_normal(&self.normal)
    }
}

/// Squared offsets of this window from what is expected of each feature, in standard deviations; none where it is missing.
pub(crate) fn squares<'a>(trail: &'a Trail, normal: &'a [(f64, f64)]) -> impl Iterator<Item = f64> + 'a {
    trail.now().iter().zip(normal).map(|(value, (mean, deviation))| {
        if value.is_nan() { 0.0 } else { ((f64::from(*value) - mean) / deviation).abs().min(CLIP_SCORE).powi(2) }
    })
}

impl Fitted for ZScoreModel {
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

    fn fitted(value: impl Fn(u32) -> f32) -> (Trail, ZScores, ZScoreModel) {
        let mut trail = Trail::new(&["a".to_owned(), "b".to_owned()], crate::chance::pace::Pace::Events);
        let mut scores = ZScores::new(trail.scales());
        for window in 0..200 {
            trail.push(&[value(window), 5.0], false);
            scores.learn(&trail, None, 1.0);
        }
        let model = scores.fit().unwrap();
        (trail, scores, model)
    }

    #[test]
    fn a_drop_counts_as_much_as_a_spike() {
        let (mut trail, _, model) = fitted(|window| 100.0 + (window % 2) as f32);
        let mut score = |value| {
            trail.push(&[value, 5.0], false);
            model.score(&trail)
        };
        let (spike, drop, usual) = (score(104.5), score(96.5), score(101.0));
        assert!((spike - drop).abs() < 1e-3 && spike > 5.0 * usual, "{spike} {drop} {usual}");
    }

    #[test]
    fn an_outlier_hardly_widens_what_is_usual() {
        let (mut trail, mut scores, model) = fitted(|window| 100.0 + (window % 2) as f32);
        trail.push(&[1e9, 5.0], false);
        scores.learn(&trail, Some(&model), 1.0);
        let after = scores.fit().unwrap().normal(0);
        assert!((after.0 - 100.5).abs() < 0.1 && after.1 < 0.7, "{after:?}");
    }

    #[test]
    fn a_feature_that_was_never_seen_says_nothing() {
        let (mut trail, _, model) = fitted(|_| f32::NAN);
        trail.push(&[f32::NAN, 5.0], false);
        assert_eq!(model.score(&trail), 0.0);
    }
}
