//! The last few windows of a numeric block: lags, smoothed values, energy of changes and of surprises.

use crate::chance::pace::Pace;
use crate::numbers::energy::Energy;
use crate::numbers::feature::Scale;
use crate::numbers::forecast::ForecastModel;
use serde::{Deserialize, Serialize};

/// Windows held, this one included.
pub(crate) const ROWS: usize = 9;
/// Windows before this one that a forecast sees.
pub(crate) const LAGS: usize = 3;
/// Weights of the newest value in the smoothed values.
pub(crate) const SMOOTH: [f32; 2] = [0.3, 0.1];

/// Short memory of a numeric block, on the features' scales. NaN = missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trail {
    scales: Vec<Scale>,
    /// This window's values as they came.
    raw: Vec<f32>,
    /// This window and the ones before, newest first; only this one after a gap.
    rows: Vec<Vec<f32>>,
    /// Exponentially smoothed values and the weight they hold, so that an empty one counts as the mean.
    smooth: Vec<Vec<(f32, f32)>>,
    /// Of the steps from window to window.
    changes: Energy,
    /// How far this window was from its forecast, in usual residuals; empty without a forecast.
    surprises: Vec<f32>,
    /// Of these.
    unrest: Energy,
}

impl Trail {
    pub(crate) fn new(names: &[String], pace: Pace) -> Self {
        let scales: Vec<Scale> = names.iter().map(|name| Scale::of(name)).collect();
        let smooth = SMOOTH.map(|_| vec![(0.0, 0.0); scales.len()]).to_vec();
        let changes = Energy::new(scales.len(), pace.changes());
        let unrest = Energy::new(scales.len(), pace.surprises());
        Self { scales, raw: Vec::new(), rows: Vec::new(), smooth, changes, surprises: Vec::new(), unrest }
    }

    /// Takes a window in; `gap` says that time is missing before it, which neither sums nor differences cross. Such a window
    /// may have begun late, so what grows with its length counts as missing.
    pub(crate) fn push(&mut self, values: &[f32], gap: bool) {
        if gap {
            self.rows.clear();
            self.changes.clear();
            self.unrest.clear();
            self.smooth.iter_mut().flatten().for_each(|sum| *sum = (0.0, 0.0));
        }
        self.raw.clear();
        self.raw.extend_from_slice(values);
        let scaled = |(value, scale): (&f32, &Scale)| if gap && scale.grows() { f32::NAN } else { scale.apply(*value) };
        let mut row = if self.rows.len() == ROWS { self.rows.pop().unwrap_or_default() } else { Vec::new() };
        row.clear();
        row.extend(values.iter().zip(&self.scales).map(scaled));
        for (sums, alpha) in self.smooth.iter_mut().zip(SMOOTH) {
            for ((sum, weight), value) in sums.iter_mut().zip(&row) {
                let (add, held) = if value.is_nan() { (0.0, 0.0) } else { (alpha * value, alpha) };
                *sum = (1.0 - alpha) * *sum + add;
                *weight = (1.0 - alpha) * *weight + held;
            }
        }
        self.rows.insert(0, row);
        self.surprises.clear();
        if let [now, before, ..] = &self.rows[..] {
            let step = |(now, before): (&f32, &f32)| if now.is_nan() || before.is_nan() { 0.0 } else { now - before };
            self.changes.push(now.iter().zip(before).map(step));
        }
    }

    /// Takes in how far this window was from its forecast, where there is one.
    pub(crate) fn surprise(&mut self, model: Option<&ForecastModel>) {
        if let Some(model) = model {
            self.surprises = model.surprises(self);
            self.unrest.push(self.surprises.iter().copied());
        }
    }

    /// The scale of each feature.
    pub(crate) fn scales(&self) -> &[Scale] {
        &self.scales
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.scales.len()
    }

    /// This window's value as it came: the number that a person would read.
    pub(crate) fn raw(&self, feature: usize) -> f64 {
        // By way of the shortest text: 0.1 as f32 isn't 0.10000000149 to anyone.
        self.raw[feature].to_string().parse().unwrap_or_default()
    }

    /// This window's values, on their scales.
    pub(crate) fn now(&self) -> &[f32] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// A feature `lag` windows ago; `mean` where it is missing.
    pub(crate) fn value(&self, lag: usize, feature: usize, mean: f64) -> f64 {
        match self.rows.get(lag).map(|row| row[feature]) {
            Some(value) if !value.is_nan() => f64::from(value),
            _ => mean,
        }
    }

    /// A smoothed feature; what is missing counts as `mean`.
    pub(crate) fn smoothed(&self, which: usize, feature: usize, mean: f64) -> f64 {
        let (sum, weight) = self.smooth[which][feature];
        f64::from(sum) + (1.0 - f64::from(weight)) * mean
    }

    /// Recent size of a feature's steps.
    pub(crate) fn change(&self, feature: usize) -> f32 {
        self.changes.root(feature)
    }

    /// This window's surprises; empty without a forecast.
    pub(crate) fn surprises(&self) -> &[f32] {
        &self.surprises
    }

    /// Recent size of a feature's surprises.
    pub(crate) fn unrest(&self, feature: usize) -> f32 {
        self.unrest.root(feature)
    }

    pub(crate) fn is_consistent(&self, names: &[String], pace: Pace) -> bool {
        let features = names.len();
        let right = |row: &Vec<f32>| row.len() == features && row.iter().all(|value| !value.is_infinite());
        self.scales.iter().copied().eq(names.iter().map(|name| Scale::of(name)))
            && self.raw.len() == self.rows.first().map_or(0, Vec::len)
            && self.rows.len() <= ROWS
            && self.rows.iter().all(right)
            && self.smooth.len() == SMOOTH.len()
            && self.smooth.iter().all(|sums| {
                sums.len() == features
                    && sums.iter().all(|(sum, weight)| sum.is_finite() && (0.0..=1.001).contains(weight))
            })
            && self.changes.is_consistent(features, pace.changes())
            && self.unrest.is_consistent(features, pace.surprises())
            && (self.surprises.is_empty() || self.surprises.len() == features)
            && self.surprises.iter().all(|surprise| surprise.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        Trail::new(&["a".to_owned(), "b".to_owned()], Pace::Vectors)
    }

    #[test]
    fn missing_values_count_as_the_mean() {
        let mut trail = trail();
        trail.push(&[f32::NAN, 2.0], false);
        assert_eq!(trail.value(0, 0, 5.0), 5.0);
        assert_eq!(trail.smoothed(0, 0, 5.0), 5.0);
        assert!((trail.smoothed(0, 1, 0.0) - 0.6).abs() < 1e-6);
        assert_eq!(trail.value(2, 1, 7.0), 7.0);
    }

    #[test]
    fn a_window_after_a_gap_has_no_count() {
        let mut trail = Trail::new(&["count".to_owned(), "load".to_owned()], Pace::Vectors);
        trail.push(&[7.0, 7.0], true);
        assert_eq!((trail.value(0, 0, -1.0), trail.value(0, 1, -1.0)), (-1.0, 7.0));
    }

    #[test]
    fn differences_do_not_cross_a_gap() {
        let mut trail = trail();
        for step in 0..8 {
            trail.push(&[step as f32, 0.0], false);
        }
        assert!(trail.change(0) > 0.5);
        trail.push(&[1000.0, 0.0], true);
        assert_eq!((trail.change(0), trail.value(1, 0, -1.0)), (0.0, -1.0));
    }
}
