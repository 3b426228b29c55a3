//! Detector for unforeseen values: recent energy of the residuals of a ridge vector autoregression over three windows
//! (`algorithms.md` §9, V; there of one window's residuals, which lose sight of an incident after its first jolt).

use crate::detector::{Fit, Fitted, Share};
use crate::numbers::cholesky::{Cholesky, dot};
use crate::numbers::feature::Scale;
use crate::numbers::level::{FIRST_FIT, HORIZON};
use crate::numbers::moments::Moments;
use crate::numbers::trail::{LAGS, Trail};
use serde::{Deserialize, Serialize};

/// Weight of the prior that nothing forecasts anything, in windows.
const RIDGE: f64 = 10.0;
/// Least residual that is believed, in standard deviations of the feature.
const LEAST_RESIDUAL: f64 = 0.1;
/// Values and residuals are clipped here.
const CLIP: f64 = 10.0;
const CLIP_RESIDUAL: f64 = 20.0;
/// Recent sizes of a feature's residuals are clipped here, in usual residuals.
const CLIP_UNREST: f32 = 10.0;

/// What is known of how windows follow each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Forecasts {
    scales: Vec<Scale>,
    /// Of the lags, newest first, and then the value.
    moments: Moments,
    /// Squared residuals of forecasts made before the value was known, and their weight.
    errors: Vec<f64>,
    error_weight: f64,
}

impl Forecasts {
    pub(crate) fn new(scales: &[Scale]) -> Self {
        let features = scales.len();
        Self {
            scales: scales.to_vec(),
            moments: Moments::new(features * (LAGS + 1)),
            errors: vec![0.0; features],
            error_weight: 0.0,
        }
    }

    pub(crate) fn is_consistent(&self, trail: &Trail) -> bool {
        let features = trail.features();
        self.scales == trail.scales()
            && self.moments.is_consistent(features * (LAGS + 1))
            && self.errors.len() == features
            && self.errors.iter().all(|error| error.is_finite() && *error >= 0.0)
            && self.error_weight.is_finite()
            && self.error_weight >= 0.0
    }
}

impl Fit for Forecasts {
    type Input = Trail;
    type Fitted = ForecastModel;

    fn blank(&self) -> Self {
        Self::new(&self.scales)
    }

    fn learn(&mut self, trail: &Trail, model: Option<&ForecastModel>, weight: f32) {
        let features = trail.features();
        let mut values = Vec::with_capacity(features * (LAGS + 1));
        for lag in (1..=LAGS).chain([0]) {
            for feature in 0..features {
                let value = trail.value(lag, feature, self.moments.mean(LAGS * features + feature));
                let spread = self.moments.deviation(LAGS * features + feature);
                values.push(match model.map(|model| model.normal[feature]) {
                    // What was constant so far has no spread to clip by.
                    Some((mean, deviation)) if spread > 0.5 * deviation => {
                        value.clamp(mean - CLIP * deviation, mean + CLIP * deviation)
                    }
                    _ => value,
                });
            }
        }
        self.moments.add(&values, f64::from(weight));
        if let Some(model) = model {
            for ((error, surprise), known) in self.errors.iter_mut().zip(trail.surprises()).zip(&model.residual) {
                *error += (f64::from(*surprise) * known).powi(2) * f64::from(weight);
            }
            self.error_weight += f64::from(weight);
        }
    }

    fn fit(&mut self) -> Option<ForecastModel> {
        if self.moments.weight() < FIRST_FIT {
            return None;
        }
        self.moments.fade_to(HORIZON);
        if self.error_weight > HORIZON {
            let keep = HORIZON / self.error_weight;
            self.errors.iter_mut().for_each(|error| *error *= keep);
            self.error_weight *= keep;
        }
        let (moments, features) = (&self.moments, self.scales.len());
        let now = LAGS * features;
        let normal: Vec<(f64, f64)> = (0..features)
            .map(|feature| {
                let mean = moments.mean(now + feature);
                let least = self.scales[feature].least_deviation(mean, moments.range(now + feature));
                (mean, moments.deviation(now + feature).max(least))
            })
            .collect();
        let scaled = |row: usize, column: usize| {
            moments.covariance(row, column) / (normal[row % features].1 * normal[column % features].1)
        };
        let ridge = RIDGE / moments.weight();
        let factor =
            Cholesky::factor(now, |row, column| scaled(row, column) + if row == column { ridge } else { 0.0 })?;
        let mut weights = Vec::with_capacity(features * now);
        for feature in 0..features {
            let mut row: Vec<f32> = (0..now).map(|lagged| scaled(now + feature, lagged) as f32).collect();
            factor.forward(&mut row);
            factor.backward(&mut row);
            weights.extend(row);
        }
        let error = |feature: usize| {
            if self.error_weight < FIRST_FIT / 2.0 { 1.0 } else { (self.errors[feature] / self.error_weight).sqrt() }
        };
        let residual = (0..features).map(|feature| error(feature).max(LEAST_RESIDUAL)).collect();
        Some(ForecastModel { normal, weights, residual })
    }
}

/// The fitted forecast.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ForecastModel {
    /// Mean and standard deviation of each feature.
    normal: Vec<(f64, f64)>,
    /// For each feature, the weights of all lagged features.
    weights: Vec<f32>,
    /// Usual residual of each feature, in its standard deviations.
    residual: Vec<f64>,
}

impl ForecastModel {
    /// Residual of each feature in usual residuals; 0 where it is missing.
    pub(crate) fn surprises(&self, trail: &Trail) -> Vec<f32> {
        let features = trail.features();
        let z = |lag: usize, feature: usize| {
            let (mean, deviation) = self.normal[feature];
            ((trail.value(lag, feature, mean) - mean) / deviation).clamp(-CLIP, CLIP)
        };
        let lagged: Vec<f32> = (1..=LAGS)
            .flat_map(|lag| (0..features).map(move |feature| (lag, feature)))
            .map(|(lag, feature)| z(lag, feature) as f32)
            .collect();
        let surprise = |(feature, weights): (usize, &[f32])| {
            if trail.now()[feature].is_nan() {
                return 0.0;
            }
            let forecast = f64::from(dot(weights, &lagged));
            ((z(0, feature) - forecast) / self.residual[feature]).clamp(-CLIP_RESIDUAL, CLIP_RESIDUAL) as f32
        };
        self.weights.chunks_exact(lagged.len()).enumerate().map(surprise).collect()
    }

    fn unrest(&self, trail: &Trail) -> impl Iterator<Item = f64> {
        (0..trail.features()).map(|feature| f64::from(trail.unrest(feature).min(CLIP_UNREST)))
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        let sound = |(mean, deviation): &(f64, f64)| mean.is_finite() && deviation.is_finite() && *deviation > 0.0;
        self.normal.len() == features
            && self.normal.iter().all(sound)
            && self.weights.len() == features * features * LAGS
            && self.weights.iter().all(|weight| weight.is_finite())
            && self.residual.len() == features
            && self.residual.iter().all(|residual| residual.is_finite() && *residual >= LEAST_RESIDUAL)
    }
}

impl Fitted for ForecastModel {
    type Input = Trail;

    fn score(&self, trail: &Trail) -> f64 {
        self.unrest(trail).sum::<f64>() / self.residual.len() as f64
    }

    fn explain(&self, trail: &Trail) -> Vec<Share> {
        Share::of(self.unrest(trail).map(|unrest| unrest * unrest))
    }
}
