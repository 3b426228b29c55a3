//! Detector for slow drift: each feature against its exponentially weighted level and variance (Roberts' EWMA; `algorithms.md`
//! §9, S).
//!
//! The level remembers about 500 windows and moves by at most three deviations at once, so that an incident hardly moves it.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::FIRST_FIT;
use crate::numbers::running::are_normal;
use crate::numbers::trail::Trail;
use crate::numbers::zscore::squares;
use serde::{Deserialize, Serialize};

/// Weight of the newest window in the level and in the variance.
const LEVEL: f64 = 0.002;
const VARIANCE: f64 = 0.001;
/// A step counts at most so many deviations.
const CLIP: f64 = 3.0;

/// Level and variance of one feature.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Drift {
    /// Windows that it was known in, by their weight.
    weight: f64,
    level: f64,
    variance: f64,
}

/// What is known of every feature by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Drifts {
    scales: Vec<Scale>,
    windows: f64,
    features: Vec<Drift>,
}

impl Drifts {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { scales: scales.to_vec(), windows: 0.0, features: vec![Drift::default(); scales.len()] }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let sound = |drift: &Drift| {
            drift.weight.is_finite()
                && drift.weight >= 0.0
                && drift.level.abs() < 1e38
                && (0.0..1e38).contains(&drift.variance)
        };
        self.scales == trail.scales()
            && self.windows.is_finite()
            && self.windows >= 0.0
            && self.features.len() == trail.features()
            && self.features.iter().all(sound)
    }
}

impl Fit for Drifts {
    type Input = Trail;
    type Fitted = DriftModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&DriftModel>, weight: f32) {
        let weight = f64::from(weight);
        self.windows += weight;
        for (feature, (drift, value)) in self.features.iter_mut().zip(trail.now()).enumerate() {
            if value.is_nan() {
                continue;
            }
            let value = f64::from(*value);
            if drift.weight == 0.0 {
                drift.level = value;
            }
            drift.weight += weight;
            let mut step = value - drift.level;
            if let Some((_, deviation)) = model.map(|model| model.normal[feature])
                && drift.variance.sqrt() > 0.5 * deviation
            {
                step = step.clamp(-CLIP * deviation, CLIP * deviation);
            }
            // All windows count alike until there are as many as are remembered.
            let share = |alpha: f64| weight * alpha.max(1.0 / drift.weight).min(1.0 / weight);
            let (level, variance) = (share(LEVEL), share(VARIANCE));
            drift.variance += variance * ((1.0 - level) * step.powi(2) - drift.variance);
            drift.level += level * step;
        }
    }

    fn fit(&mut self) -> Option<DriftModel> {
        if self.windows < FIRST_FIT {
            return None;
        }
        let normal = |(drift, scale): (&Drift, &Scale)| {
            (drift.level, drift.variance.sqrt().max(scale.least_deviation(drift.level, 0.0)))
        };
        Some(DriftModel { normal: self.features.iter().zip(&self.scales).map(normal).collect() })
    }
}

/// Level and deviation of each feature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DriftModel {
    normal: Vec<(f64, f64)>,
}

impl DriftModel {
    /// What a feature should be now and its standard deviation, on its scale.
    pub(crate) fn normal(&self, feature: usize) -> (f64, f64) {
        self.normal[feature]
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.normal.len() == features && are_normal(&self.normal)
    }
}

impl Fitted for DriftModel {
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

    /// Unrest of ±1 around a level, followed window by window.
    fn follow(trail: &mut Trail, drifts: &mut Drifts, windows: u32, level: impl Fn(u32) -> f32) -> DriftModel {
        let mut model = None;
        for window in 0..windows {
            trail.push(&[level(window) + if window.is_multiple_of(2) { 1.0 } else { -1.0 }], false);
            drifts.learn(trail, model.as_ref(), 1.0);
            model = drifts.fit();
        }
        model.unwrap()
    }

    fn settled() -> (Trail, Drifts, DriftModel) {
        let mut trail = Trail::new(&["a".to_owned()], crate::chance::pace::Pace::Events);
        let mut drifts = Drifts::new(trail.scales());
        let model = follow(&mut trail, &mut drifts, 1_000, |_| 50.0);
        (trail, drifts, model)
    }

    #[test]
    fn drift_is_followed() {
        let (mut trail, mut drifts, _) = settled();
        let model = follow(&mut trail, &mut drifts, 5_000, |window| 50.0 + window as f32 * 0.002);
        assert!((model.normal(0).0 - 59.0).abs() < 0.5, "{:?}", model.normal(0));
        assert!(model.score(&trail) < 2.0);
    }

    #[test]
    fn a_short_outage_hardly_moves_the_level() {
        let (mut trail, mut drifts, before) = settled();
        let mut model = before.clone();
        for _ in 0..10 {
            trail.push(&[0.0], false);
            drifts.learn(&trail, Some(&model), 1.0);
            model = drifts.fit().unwrap();
        }
        assert!((model.normal(0).0 - before.normal(0).0).abs() < 0.1, "{:?}", model.normal(0));
        assert!(model.score(&trail) > 15.0);
    }

    #[test]
    fn the_first_windows_count_alike() {
        let (_, _, model) = settled();
        let (level, deviation) = model.normal(0);
        assert!((level - 50.0).abs() < 0.1 && (deviation - 1.0).abs() < 0.05, "{level} {deviation}");
    }
}
