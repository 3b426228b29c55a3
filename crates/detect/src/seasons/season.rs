//! What hour and weekday say about a numeric block, in a time zone: a baseline by [`Profile`] for each feature that it helps.
//!
//! Its first use is to the detectors of the block: they see the values as they would be at an average hour, so that a usual
//! noon and a usual night are the same to them. The second is a detector of its own, for traffic that is usual at another hour
//! (the night's at noon): residuals of the profiles, and two smoothings of them as in `level.rs`. It speaks for blocks that
//! count observations only: features of own vectors that follow the hour mostly do so in bursts, whose residuals say less
//! than what the other detectors know (smd: VUS-PR .35 without, .19 with it).
//!
//! Where no profile helps it changes nothing and says nothing. About 1.3 kB a feature.

use crate::detector::{Expectation, Share};
use crate::numbers::feature::Scale;
use crate::numbers::trail::SMOOTH;
use crate::seasons::hours::{Grid, Place};
use crate::seasons::profile::{Outlook, Profile};
use crate::zone::LocalTime;
use serde::{Deserialize, Serialize};

/// The residual and its smoothings.
const VIEWS: usize = 1 + SMOOTH.len();
/// Residuals are clipped here, in standard deviations.
const CLIP: f32 = 10.0;
/// Least usual size of a view that is believed, as a part of what independent residuals would have.
const LEAST: f32 = 0.5;

/// Profiles of a numeric block with their short memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Season {
    features: Vec<Feature>,
    place: Place,
    /// Local day of the last window; none before the first.
    day: Option<i64>,
    grid: Grid,
    /// Whether it scores.
    speaks: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Feature {
    scale: Scale,
    profile: Profile,
    /// This window's value as it came and on its scale; NaN = missing.
    raw: f32,
    value: f32,
    /// What the hour adds to it.
    shift: f32,
    /// Residual in standard deviations, and smoothed; 0 where nothing is known.
    views: [f32; VIEWS],
    /// Mean square of each view, and the weight that it stands on.
    squares: [f32; VIEWS],
    weight: f32,
}

impl Feature {
    fn outlook(&self, place: Place) -> Option<Outlook> {
        self.profile.outlook(place, self.value, self.scale).filter(|_| !self.value.is_nan())
    }

    fn goes_by_hour(&self) -> bool {
        self.profile.is_used() || self.shift != 0.0
    }

    /// This window against what was usual, squared and summed over the views; none where its profile doesn't help.
    fn energy(&self) -> Option<f32> {
        if !self.profile.is_used() {
            return None;
        }
        let views = self.views.iter().zip(self.squares).zip(independent());
        Some(views.map(|((view, square), least)| view * view / square.max(LEAST * LEAST * least)).sum())
    }
}

/// Mean square of each view of independent residuals of deviation 1.
fn independent() -> [f32; VIEWS] {
    [1.0, SMOOTH[0] / (2.0 - SMOOTH[0]), SMOOTH[1] / (2.0 - SMOOTH[1])]
}

impl Season {
    pub(crate) fn new(names: &[String], window_ms: u64) -> Self {
        let (grid, speaks) = (Grid::of(window_ms), names.iter().any(|name| name == "count"));
        let feature = |name: &String| Feature {
            scale: Scale::of(name),
            profile: Profile::new(grid),
            raw: f32::NAN,
            value: f32::NAN,
            shift: 0.0,
            views: [0.0; VIEWS],
            squares: independent(),
            weight: 0.0,
        };
        Self { features: names.iter().map(feature).collect(), place: Place::default(), day: None, grid, speaks }
    }

    /// Takes a window in, whose middle was at `time`, and scores it; none while no profile helps. After a gap, what grows with
    /// the length of a window counts as missing.
    pub(crate) fn score(&mut self, values: &[f32], gap: bool, time: LocalTime) -> Option<f64> {
        if self.day.is_some_and(|day| day != time.day) {
            let (over, grid) = (self.place.weekday, self.grid);
            self.features.iter_mut().for_each(|feature| feature.profile.end_day(over, grid));
        }
        self.day = Some(time.day);
        self.place = Place::of(time, self.grid.slots);
        let (mut energy, mut used) = (0.0, 0);
        for (feature, value) in self.features.iter_mut().zip(values) {
            feature.raw = *value;
            feature.value = if gap && feature.scale.grows() { f32::NAN } else { feature.scale.apply(*value) };
            let residual = feature
                .outlook(self.place)
                .map_or(0.0, |outlook| ((feature.value - outlook.mean) / outlook.deviation).clamp(-CLIP, CLIP));
            feature.views[0] = residual;
            for (view, newest) in feature.views[1..].iter_mut().zip(SMOOTH) {
                *view = if gap { newest * residual } else { *view + newest * (residual - *view) };
            }
            feature.shift = if feature.value.is_nan() { 0.0 } else { feature.profile.shift(self.place, feature.value) };
            if let Some(of_feature) = feature.energy() {
                energy += of_feature;
                used += VIEWS;
            }
        }
        (self.speaks && used > 0).then(|| f64::from(energy / used as f32).sqrt())
    }

    /// Why: each feature's part.
    pub(crate) fn explain(&self) -> Vec<Share> {
        Share::of(self.features.iter().map(|feature| feature.energy().map_or(0.0, f64::from)))
    }

    /// Turns the block's values into those of an average hour.
    pub(crate) fn take_out_hour(&self, values: &mut [f32]) {
        for (value, feature) in values.iter_mut().zip(&self.features).filter(|(_, feature)| feature.shift != 0.0) {
            *value = feature.scale.revert(f64::from(feature.value - feature.shift)) as f32;
        }
    }

    /// What a feature is against what it should be at this hour; none where the hour plays no part.
    pub(crate) fn expectation(&self, feature: usize) -> Option<Expectation> {
        let feature = &self.features[feature];
        let Outlook { mean, deviation } = feature.outlook(self.place).filter(|_| feature.goes_by_hour())?;
        let (mean, wide, scale) = (f64::from(mean), 2.0 * f64::from(deviation), feature.scale);
        Some(Expectation {
            // By way of the shortest text: 0.1 as f32 isn't 0.10000000149 to anyone.
            observed: feature.raw.to_string().parse().unwrap_or_default(),
            expected: scale.revert(mean),
            low: if mean > -1e-6 { scale.least(mean - wide) } else { scale.revert(mean - wide) },
            high: scale.revert(mean + wide),
            windows: 1,
        })
    }

    pub(crate) fn learn(&mut self, weight: f32) {
        for feature in self.features.iter_mut().filter(|feature| !feature.value.is_nan()) {
            let (outlook, grid) = (feature.outlook(self.place), self.grid);
            feature.profile.learn(self.place, feature.value, outlook, weight, grid);
            if outlook.is_some() {
                feature.weight = (feature.weight + weight).min(grid.windows);
                for (square, view) in feature.squares.iter_mut().zip(feature.views) {
                    *square += weight / (feature.weight + 10.0) * (view * view - *square);
                }
            }
        }
    }

    /// An incident ends, or is accepted as the new normal.
    pub(crate) fn settle(&mut self, accept: bool) {
        if accept {
            self.features.iter_mut().for_each(|feature| feature.profile.accept());
        }
    }

    pub(crate) fn is_consistent(&self, made: &Self) -> bool {
        let sound = |feature: &Feature| {
            let squares = feature.squares.iter().chain([&feature.weight]);
            feature.views.iter().all(|view| view.abs() <= CLIP)
                && (feature.value.is_nan() || feature.value.abs() <= 1e16)
                && feature.shift.abs() <= 1e16
                && squares.clone().all(|square| (0.0..=1e9).contains(square))
                && feature.profile.is_consistent(made.grid)
        };
        let scales = |season: &Self| season.features.iter().map(|feature| feature.scale).collect::<Vec<Scale>>();
        scales(self) == scales(made)
            && self.speaks == made.speaks
            && self.features.iter().all(sound)
            && self.grid == made.grid
            && self.place.is_consistent(made.grid.slots)
    }
}
