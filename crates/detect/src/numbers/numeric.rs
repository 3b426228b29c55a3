//! A numeric block: levels, forecasts and changes joined into one score.
//!
//! Each detector's score in units of its own median; the geometric mean of them (`algorithms.md` §3: diversity of mechanism
//! is what helps, and a geometric mean keeps one noisy detector from deciding alone).

use crate::chance::pace::Pace;
use crate::detector::{Expectation, Share};
use crate::numbers::change::Changes;
use crate::numbers::forecast::Forecasts;
use crate::numbers::level::Levels;
use crate::numbers::trail::Trail;
use crate::numbers::unit::Unit;
use crate::track::Track;
use serde::{Deserialize, Serialize};

/// Detectors joined.
const DETECTORS: usize = 3;
/// How much level, forecast and change have to say. Levels that an incident has shifted stay in the past that they are
/// compared with; what moves says more.
const SAY: [f64; DETECTORS] = [0.25, 0.375, 0.375];
/// Detectors of a numeric block with their short memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Numeric {
    trail: Trail,
    level: Track<Levels>,
    forecast: Track<Forecasts>,
    change: Track<Changes>,
    /// What each detector's scores are told in.
    units: [Unit; DETECTORS],
    /// This window's scores; none before the first fit.
    latest: Option<[f64; DETECTORS]>,
}

impl Numeric {
    pub(crate) fn new(names: &[String], pace: Pace) -> Self {
        let trail = Trail::new(names, pace);
        let scales = trail.scales();
        Self {
            level: Track::new(Levels::new(scales)),
            forecast: Track::new(Forecasts::new(scales)),
            change: Track::new(Changes::new(scales)),
            units: std::array::from_fn(|_| Unit::new()),
            latest: None,
            trail,
        }
    }

    /// Takes a window in and scores it.
    pub(crate) fn score(&mut self, values: &[f32], gap: bool) -> Option<f64> {
        self.trail.push(values, gap);
        self.trail.surprise(self.forecast.model());
        let trail = &self.trail;
        self.latest = match (self.level.score(trail), self.forecast.score(trail), self.change.score(trail)) {
            (Some(level), Some(forecast), Some(change)) => Some([level, forecast, change]),
            _ => None,
        };
        self.surprises().map(|logs| logs.iter().zip(SAY).map(|(log, say)| log * say).sum::<f64>().exp())
    }

    /// ln of each detector's score in units of its median.
    fn surprises(&self) -> Option<[f64; DETECTORS]> {
        let [level, forecast, change] = self.latest?;
        let [levels, forecasts, changes] = &self.units;
        Some([levels.surprise(level)?, forecasts.surprise(forecast)?, changes.surprise(change)?])
    }

    /// Why: the detectors' shares, weighted by how surprised each is.
    pub(crate) fn explain(&self) -> Vec<Share> {
        let Some(surprises) = self.surprises() else { return Vec::new() };
        let trail = &self.trail;
        let shares = [self.level.explain(trail), self.forecast.explain(trail), self.change.explain(trail)];
        let mut parts = vec![0.0; trail.features()];
        for ((shares, surprise), say) in shares.iter().zip(surprises).zip(SAY) {
            for share in shares {
                parts[share.feature] += share.share * surprise.max(0.0) * say;
            }
        }
        Share::of(parts.into_iter())
    }

    /// What a feature is against what it should be; none where it is missing.
    pub(crate) fn expectation(&self, feature: usize) -> Option<Expectation> {
        let value = self.trail.now()[feature];
        let model = self.level.model().filter(|_| !value.is_nan())?;
        Some(Expectation::around(self.trail.scales()[feature], self.trail.raw(feature), model.normal(feature)))
    }

    pub(crate) fn learn(&mut self, weight: f32) {
        let trail = &self.trail;
        self.level.learn(trail, weight);
        self.forecast.learn(trail, weight);
        self.change.learn(trail, weight);
        for (unit, score) in self.units.iter_mut().zip(self.latest.iter().flatten()) {
            unit.add(*score, weight);
        }
    }

    /// Reads the detectors' units off anew.
    pub(crate) fn renew(&mut self) {
        self.units.iter_mut().for_each(Unit::renew);
    }

    pub(crate) fn fit(&mut self) {
        self.level.fit();
        self.forecast.fit();
        self.change.fit();
    }

    pub(crate) fn set_apart(&mut self) {
        self.level.set_apart();
        self.forecast.set_apart();
        self.change.set_apart();
    }

    pub(crate) fn settle(&mut self, accept: bool) {
        self.level.settle(accept);
        self.forecast.settle(accept);
        self.change.settle(accept);
    }

    pub(crate) fn is_consistent(&self, names: &[String], pace: Pace) -> bool {
        let (trail, features) = (&self.trail, names.len());
        trail.is_consistent(names, pace)
            && self.level.is_consistent(|levels| levels.is_consistent(trail), |model| model.is_consistent(features))
            && self
                .forecast
                .is_consistent(|forecasts| forecasts.is_consistent(trail), |model| model.is_consistent(features))
            && self.change.is_consistent(|changes| changes.is_consistent(trail), |model| model.is_consistent(features))
            && self.units.iter().all(Unit::is_consistent)
            && self.latest.iter().flatten().all(|score| score.is_finite() && *score >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(window: u32) -> [f32; 3] {
        let phase = window as f32;
        [phase.sin(), phase.cos() * 2.0 + (phase * 1.7).sin() * 0.2, (phase * 0.31).sin()]
    }

    fn settled() -> Numeric {
        let mut numeric = Numeric::new(&["a", "b", "c"].map(str::to_owned), Pace::Events);
        for window in 0..400 {
            numeric.score(&wave(window), false);
            numeric.learn(1.0);
            if window % 10 == 9 {
                numeric.renew();
                numeric.fit();
            }
        }
        numeric
    }

    #[test]
    fn a_value_against_the_forecast_scores_though_its_level_is_usual() {
        let mut usual = settled();
        let ordinary = usual.score(&wave(400), false).unwrap();
        let mut odd = settled();
        let [a, b, c] = wave(400);
        let score = odd.score(&[-a, b, c], false).unwrap();
        assert!(score > 2.0 * ordinary, "{score} {ordinary}");
        assert_eq!(odd.explain()[0].feature, 0);
    }

    #[test]
    fn missing_everything_is_no_surprise() {
        let mut numeric = settled();
        let score = numeric.score(&[f32::NAN; 3], false).unwrap();
        assert!(score < 2.0, "{score}");
        assert_eq!(numeric.expectation(0), None);
    }
}
