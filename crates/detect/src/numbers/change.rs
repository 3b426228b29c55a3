//! Detector for unrest: energy of recent changes against its usual size (`algorithms.md` §9, D).
//!
//! Steps from window to window, added up over some windows (`pace`): longer steps tell less. The usual size is the root mean
//! square: unlike the largest one ever, it isn't set by the worst incident.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::{FIRST_FIT, HORIZON};
use crate::numbers::trail::Trail;
use serde::{Deserialize, Serialize};

/// Ratios are clipped here.
const CLIP: f32 = 10.0;

/// What is known of how much features change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Changes {
    scales: Vec<Scale>,
    weight: f64,
    squares: Vec<f64>,
    values: Vec<f64>,
}

impl Changes {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        let nothing = vec![0.0; scales.len()];
        Self { scales: scales.to_vec(), weight: 0.0, squares: nothing.clone(), values: nothing }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let features = trail.features();
        self.scales == trail.scales()
            && self.weight.is_finite()
            && self.weight >= 0.0
            && self.squares.len() == features
            && self.squares.iter().all(|square| square.is_finite() && *square >= 0.0)
            && self.values.len() == features
            && self.values.iter().all(|value| value.is_finite())
    }
}

impl Fit for Changes {
    type Input = Trail;
    type Fitted = ChangeModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&ChangeModel>, weight: f32) {
        let before = self.weight.max(1.0);
        for feature in 0..trail.features() {
            let mut change = trail.change(feature);
            if let Some(model) = model.filter(|_| self.squares[feature] > 0.0) {
                change = change.min(CLIP * model.usual[feature]);
            }
            self.squares[feature] += f64::from(change).powi(2) * f64::from(weight);
            self.values[feature] += trail.value(0, feature, self.values[feature] / before) * f64::from(weight);
        }
        self.weight += f64::from(weight);
    }

    fn fit(&mut self) -> Option<ChangeModel> {
        if self.weight < FIRST_FIT {
            return None;
        }
        if self.weight > HORIZON {
            let keep = HORIZON / self.weight;
            self.weight *= keep;
            self.squares.iter_mut().chain(&mut self.values).for_each(|sum| *sum *= keep);
        }
        let usual = |((square, value), scale): ((&f64, &f64), &Scale)| {
            let least = scale.least_deviation(value / self.weight, 0.0);
            (square / self.weight).sqrt().max(least) as f32
        };
        Some(ChangeModel { usual: self.squares.iter().zip(&self.values).zip(&self.scales).map(usual).collect() })
    }
}

/// The usual size of changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChangeModel {
    /// Root mean square change of each feature, above 0.
    usual: Vec<f32>,
}

impl ChangeModel {
    fn ratios(&self, trail: &Trail) -> impl Iterator<Item = f64> {
        self.usual.iter().enumerate().map(|(feature, usual)| f64::from((trail.change(feature) / usual).min(CLIP)))
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.usual.len() == features && self.usual.iter().all(|usual| usual.is_finite() && *usual > 0.0)
    }
}

impl Fitted for ChangeModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        (self.ratios(trail).map(|ratio| ratio * ratio).sum::<f64>() / self.usual.len() as f64).sqrt()
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        Share::of(self.ratios(trail).map(|ratio| ratio * ratio))
    }
}
