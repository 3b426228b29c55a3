//! Detector for unusual movement of single features: two clusters of each feature's recent steps (`linfa-clustering`), as
//! Netdata's anomaly advisor has them.
//!
//! What is clustered is how a feature moved over its last windows: six differences, each smoothed over three. A window is
//! as unusual as it is far from the nearer of the two centres.

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::feature::Scale;
use crate::numbers::level::FIRST_FIT;
use crate::numbers::trail::{ROWS, Trail};
use crate::numbers::zscore::ZScores;
use crate::reservoir::Reservoir;
use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_clustering::KMeans;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Windows that a difference is smoothed over, and differences that make a movement.
const SMOOTHED: usize = 3;
const STEPS: usize = ROWS - SMOOTHED;
/// Clusters of a feature.
const CLUSTERS: usize = 2;
/// Windows sampled from the past.
const SAMPLES: usize = 256;
/// Rounds of k-means: it only has to be near a solution.
const ROUNDS: u64 = 30;
/// Steps are clipped here, in the feature's standard deviations.
const CLIP: f32 = 10.0;
/// Least distance that is believed to be usual, in the feature's standard deviations.
const LEAST: f32 = 0.02;
/// A feature counts at most so many usual distances.
const CLIP_SCORE: f32 = 10.0;

/// How every feature moved: a sample of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Clusters {
    usual: ZScores,
    movements: Reservoir<Vec<f32>>,
}

impl Clusters {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        Self { usual: ZScores::new(scales), movements: Reservoir::new(SAMPLES) }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let right = |row: &Vec<f32>| row.len() == trail.features() * STEPS && row.iter().all(|step| step.is_finite());
        self.usual.is_consistent(trail) && self.movements.is_consistent(SAMPLES, right)
    }
}

/// The last steps of a feature, newest first; 0 where one isn't known.
fn movement(trail: &Trail, feature: usize) -> impl Iterator<Item = f32> {
    (0..STEPS).map(move |lag| {
        let step = trail.value(lag, feature, f64::NAN) - trail.value(lag + SMOOTHED, feature, f64::NAN);
        if step.is_nan() { 0.0 } else { (step / SMOOTHED as f64) as f32 }
    })
}

impl Fit for Clusters {
    type Input = Trail;
    type Fitted = ClusterModel;

    fn blank(&self) -> Self {
        Self { usual: self.usual.blank(), movements: Reservoir::new(SAMPLES) }
    }

    fn learn(&mut self, trail: &Trail, _: Option<&ClusterModel>, weight: f32) {
        self.usual.learn(trail, None, weight);
        let features = 0..trail.features();
        self.movements.offer(weight, || features.flat_map(|feature| movement(trail, feature)).collect());
    }

    fn fit(&mut self) -> Option<ClusterModel> {
        let rows = self.movements.samples();
        let usual = self.usual.fit().filter(|_| rows.len() as f64 >= FIRST_FIT)?;
        let features = rows[0].len() / STEPS;
        let mut model = ClusterModel { features: Vec::with_capacity(features) };
        for feature in 0..features {
            let deviation = usual.normal(feature).1 as f32;
            let steps = |row: usize, step: usize| clipped(rows[row][feature * STEPS + step], deviation);
            model.features.push(Movements::of(rows.len(), deviation, steps)?);
        }
        Some(model)
    }
}

fn clipped(step: f32, deviation: f32) -> f32 {
    (step / deviation).clamp(-CLIP, CLIP)
}

/// The usual movements of every feature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClusterModel {
    features: Vec<Movements>,
}

/// The usual movements of one feature, in its standard deviations.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Movements {
    deviation: f32,
    centres: [[f32; STEPS]; CLUSTERS],
    /// Usual distance from the nearer centre.
    usual: f32,
}

impl Movements {
    fn of(rows: usize, deviation: f32, step: impl Fn(usize, usize) -> f32) -> Option<Self> {
        let data = Array2::from_shape_fn((rows, STEPS), |(row, column)| step(row, column));
        // Its default generator has a fixed seed.
        let fitted = KMeans::params(CLUSTERS)
            .n_runs(1)
            .max_n_iterations(ROUNDS)
            .tolerance(1e-3)
            .fit(&DatasetBase::from(data))
            .ok()?;
        let mut centres = [[0.0; STEPS]; CLUSTERS];
        for (centre, found) in centres.iter_mut().zip(fitted.centroids().rows()) {
            for (value, found) in centre.iter_mut().zip(found) {
                *value = if found.is_finite() { *found } else { return None };
            }
        }
        let mut model = Self { deviation, centres, usual: 1.0 };
        let squares: f32 = (0..rows).map(|row| model.distance(|column| step(row, column)).powi(2)).sum();
        model.usual = (squares / rows as f32).sqrt().max(LEAST);
        Some(model)
    }

    /// Distance of a movement from the nearer centre.
    fn distance(&self, step: impl Fn(usize) -> f32) -> f32 {
        let squares = |centre: &[f32; STEPS]| {
            centre.iter().enumerate().map(|(column, value)| (step(column) - value).powi(2)).sum::<f32>()
        };
        self.centres.iter().map(squares).fold(f32::INFINITY, f32::min).sqrt()
    }

    fn is_consistent(&self) -> bool {
        self.deviation > 0.0
            && self.deviation.is_finite()
            && self.centres.iter().flatten().all(|value| value.is_finite())
            && self.usual.is_finite()
            && self.usual >= LEAST
    }
}

impl ClusterModel {
    /// How far each feature's movement is from the nearer centre, in usual distances.
    fn ratios(&self, trail: &Trail) -> impl Iterator<Item = f64> {
        self.features.iter().enumerate().map(|(feature, usual)| {
            if trail.now()[feature].is_nan() {
                return 0.0;
            }
            let mut steps = [0.0; STEPS];
            for (step, moved) in steps.iter_mut().zip(movement(trail, feature)) {
                *step = clipped(moved, usual.deviation);
            }
            f64::from((usual.distance(|column| steps[column]) / usual.usual).min(CLIP_SCORE))
        })
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        self.features.len() == features && self.features.iter().all(Movements::is_consistent)
    }
}

impl Fitted for ClusterModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        self.ratios(trail).sum::<f64>() / self.features.len() as f64
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        Share::of(self.ratios(trail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A saw tooth of ten windows beside a constant.
    fn saw(window: u32) -> [f32; 2] {
        [(window % 10) as f32, 5.0]
    }

    fn fitted() -> (Trail, ClusterModel) {
        let mut trail = Trail::new(&["saw".to_owned(), "constant".to_owned()], crate::chance::pace::Pace::Events);
        let mut clusters = Clusters::new(trail.scales());
        for window in 0..400 {
            trail.push(&saw(window), false);
            clusters.learn(&trail, None, 1.0);
        }
        (trail, clusters.fit().unwrap())
    }

    #[test]
    fn a_movement_against_the_pattern_is_unusual_at_a_usual_level() {
        let (mut trail, model) = fitted();
        let mut usual: f64 = 0.0;
        for window in 400..420 {
            trail.push(&saw(window), false);
            usual = usual.max(model.score(&trail));
        }
        for value in [3.0, 9.0, 0.0, 9.0, 0.0, 9.0] {
            trail.push(&[value, 5.0], false);
        }
        assert!(model.score(&trail) > 1.3 * usual, "{} {usual}", model.score(&trail));
        assert_eq!(model.explain(&trail)[0].feature, 0);
    }

    #[test]
    fn a_constant_that_moves_is_unusual() {
        let (mut trail, model) = fitted();
        trail.push(&[0.0, 5.0], false);
        assert!(model.explain(&trail).iter().all(|share| share.feature == 0));
        trail.push(&[1.0, 6.0], false);
        assert_eq!(model.explain(&trail)[0].feature, 1);
    }

    #[test]
    fn the_same_past_gives_the_same_clusters() {
        let bytes = || postcard::to_stdvec(&fitted().1).unwrap();
        assert_eq!(bytes(), bytes());
    }
}
