//! Detector for unlikely states: a mixture of Gaussians, one a mode of the traffic, each with its own spread in every feature.
//!
//! Expectation and maximisation (Dempster, Laird, Rubin 1977) from the centres that k-means finds (`linfa-clustering`). Its
//! own mixtures have full covariances, which a bounded sample of many features doesn't determine, and give up where a
//! component empties; here variances are per feature and drawn towards the whole sample's.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::FIRST_FIT;
use crate::numbers::regimes::{normal, z};
use crate::numbers::trail::Trail;
use crate::reservoir::Reservoir;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_clustering::KMeans;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Windows sampled from the past.
const SAMPLES: usize = 256;
/// Most components, and the windows that each should have.
const COMPONENTS: usize = 4;
const WINDOWS_EACH: usize = 20;
/// Rounds of k-means, and of expectation and maximisation after it.
const ROUNDS: u64 = 30;
const REFINEMENTS: usize = 20;
/// As many windows of the whole sample's variance are added to each component.
const PRIOR: f64 = 1.0;
/// Least standard deviation of a component, in the feature's.
const LEAST: f64 = 0.05;

/// A sample of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mixtures {
    scales: Vec<Scale>,
    samples: Reservoir<Vec<f32>>,
}

impl Mixtures {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { scales: scales.to_vec(), samples: Reservoir::new(SAMPLES) }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let right = |row: &Vec<f32>| row.len() == trail.features() && row.iter().all(|value| !value.is_infinite());
        self.scales == trail.scales() && self.samples.is_consistent(SAMPLES, right)
    }
}

impl Fit for Mixtures {
    type Input = Trail;
    type Fitted = MixtureModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, _: Option<&MixtureModel>, weight: f32) {
        self.samples.offer(weight, || trail.now().to_vec());
    }

    fn fit(&mut self) -> Option<MixtureModel> {
        let rows = self.samples.samples();
        if (rows.len() as f64) < FIRST_FIT {
            return None;
        }
        let of = |(feature, scale): (usize, &Scale)| normal(rows.iter().map(|row| row[feature]), *scale);
        let normal: Vec<(f32, f32)> = self.scales.iter().enumerate().map(of).collect();
        let data =
            Array2::from_shape_fn((rows.len(), normal.len()), |(row, column)| z(rows[row][column], normal[column]));
        let components = (rows.len() / WINDOWS_EACH).clamp(1, COMPONENTS);
        let data = DatasetBase::from(data);
        // Its default generator has a fixed seed.
        let centres = KMeans::params(components).n_runs(1).max_n_iterations(ROUNDS).tolerance(1e-3).fit(&data).ok()?;
        let start = |centre: ndarray::ArrayView1<f32>| Component {
            share: 1.0 / components as f64,
            normal: centre.iter().map(|mean| (f64::from(*mean), 1.0)).collect(),
        };
        let mut model =
            MixtureModel { normal, components: centres.centroids().rows().into_iter().map(start).collect() };
        let samples: Vec<Vec<f32>> = data.records.rows().into_iter().map(|row| row.to_vec()).collect();
        (0..REFINEMENTS).for_each(|_| model.refine(&samples));
        model.is_consistent(self.scales.len()).then_some(model)
    }
}

/// One mode.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Component {
    /// Share of the windows.
    share: f64,
    /// Mean and standard deviation of each feature, in the whole sample's deviations.
    normal: Vec<(f64, f64)>,
}

impl Component {
    /// ln of its density at its mean, but for a constant.
    fn peak(&self) -> f64 {
        self.share.ln() - self.normal.iter().map(|(_, deviation)| deviation.ln()).sum::<f64>()
    }

    /// Squared offsets of a window, in its deviations.
    fn squares(&self, window: &[f32]) -> impl Iterator<Item = f64> {
        window.iter().zip(&self.normal).map(|(z, (mean, deviation))| ((f64::from(*z) - mean) / deviation).powi(2))
    }

    /// ln of its density, but for a constant.
    fn density(&self, window: &[f32]) -> f64 {
        self.peak() - 0.5 * self.squares(window).sum::<f64>()
    }
}

/// The mixture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MixtureModel {
    /// Mean and standard deviation of each feature over the whole sample.
    normal: Vec<(f32, f32)>,
    components: Vec<Component>,
}

impl MixtureModel {
    /// One round of expectation and maximisation.
    fn refine(&mut self, samples: &[Vec<f32>]) {
        let belongs: Vec<Vec<f64>> = samples
            .iter()
            .map(|sample| {
                let densities: Vec<f64> = self.components.iter().map(|one| one.density(sample)).collect();
                let all = sum_of_exponentials(&densities);
                densities.into_iter().map(|density| (density - all).exp()).collect()
            })
            .collect();
        for (index, component) in self.components.iter_mut().enumerate() {
            let weight: f64 = belongs.iter().map(|shares| shares[index]).sum();
            // One that emptied stays where it was, at next to no share.
            component.share = (weight / samples.len() as f64).max(1e-3);
            if weight < 1.0 {
                continue;
            }
            for (feature, (mean, deviation)) in component.normal.iter_mut().enumerate() {
                let of = |value: &dyn Fn(f64) -> f64| -> f64 {
                    let each = samples.iter().zip(&belongs);
                    each.map(|(sample, shares)| shares[index] * value(f64::from(sample[feature]))).sum()
                };
                *mean = of(&|z| z) / weight;
                let squares = of(&|z| (z - *mean).powi(2));
                *deviation = ((squares + PRIOR) / (weight + PRIOR)).sqrt().max(LEAST);
            }
        }
    }

    fn z(&self, trail: &Trail) -> Vec<f32> {
        trail.now().iter().zip(&self.normal).map(|(value, normal)| z(*value, *normal)).collect()
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        let sound = |(mean, deviation): &(f64, f64)| mean.abs() < 1e9 && (LEAST..1e9).contains(deviation);
        let usual = |(mean, deviation): &(f32, f32)| mean.is_finite() && deviation.is_finite() && *deviation > 0.0;
        self.normal.len() == features
            && self.normal.iter().all(usual)
            && !self.components.is_empty()
            && self.components.iter().all(|component| {
                component.share > 0.0
                    && component.share <= 1.0
                    && component.normal.len() == features
                    && component.normal.iter().all(sound)
            })
    }
}

/// ln of the sum of exponentials.
fn sum_of_exponentials(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
}

impl Fitted for MixtureModel {
    type Input = Trail;

    /// As for one Gaussian alone: the offset in deviations that would be as unlikely, against the likeliest state.
    fn score(&self, trail: &Trail) -> f64 {
        let window = self.z(trail);
        let densities: Vec<f64> = self.components.iter().map(|component| component.density(&window)).collect();
        let peaks: Vec<f64> = self.components.iter().map(Component::peak).collect();
        let below = sum_of_exponentials(&peaks) - sum_of_exponentials(&densities);
        (2.0 * below.max(0.0) / window.len() as f64).sqrt()
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        let window = self.z(trail);
        let likeliest = self.components.iter().max_by(|a, b| a.density(&window).total_cmp(&b.density(&window)));
        likeliest.map_or_else(Vec::new, |component| Share::of(component.squares(&window)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tight mode at (1, 1) and a loose one at (9, 9).
    fn fitted() -> (Trail, MixtureModel) {
        let mut trail = Trail::new(&["a".to_owned(), "b".to_owned()], crate::chance::pace::Pace::Events);
        let mut mixtures = Mixtures::new(trail.scales());
        for window in 0..240 {
            let unrest = ((window * 7) % 11) as f32 - 5.0;
            let other = ((window * 5) % 13) as f32 - 6.0;
            let values = if window % 2 == 0 {
                [1.0 + 0.02 * unrest, 1.0 + 0.02 * other]
            } else {
                [9.0 + 0.3 * unrest, 9.0 + 0.3 * other]
            };
            trail.push(&values, false);
            mixtures.learn(&trail, None, 1.0);
        }
        (trail, mixtures.fit().unwrap())
    }

    fn score(trail: &mut Trail, model: &MixtureModel, values: [f32; 2]) -> f64 {
        trail.push(&values, false);
        model.score(trail)
    }

    #[test]
    fn the_same_offset_is_unlikelier_where_the_mode_is_tight() {
        let (mut trail, model) = fitted();
        let (tight, loose) = (score(&mut trail, &model, [2.5, 1.0]), score(&mut trail, &model, [10.5, 9.0]));
        assert!(tight > 1.5 * loose, "{tight} {loose}");
    }

    #[test]
    fn a_state_between_the_modes_is_unlikely() {
        let (mut trail, model) = fitted();
        let between = score(&mut trail, &model, [9.0, 1.0]);
        assert!(between > 2.0 * score(&mut trail, &model, [9.5, 8.5]), "{between}");
        assert_eq!(model.components.len(), COMPONENTS);
    }

    #[test]
    fn missing_features_are_as_expected() {
        let (mut trail, model) = fitted();
        assert!(score(&mut trail, &model, [f32::NAN; 2]).is_finite());
    }
}
