//! How many observations a window usually has. In far fewer, what describes them is mostly chance.
//!
//! Spread, quantiles and numbers of different items of 30 observations aren't those of 300. A night or weekend thinner than
//! any before would be unusual in all of them, though nothing but its traffic is, which counts already tell.

use crate::layout::Block;
use crate::numbers::feature;
use serde::{Deserialize, Serialize};

/// A window with less than this part of the usual observations describes nothing,
const PART: f64 = 0.25;
/// unless it has so many.
const ENOUGH: f64 = 250.0;
/// Standard deviations of a Poisson count by which a window may be smaller than the last ones by chance.
const BY_CHANCE: f64 = 3.0;
/// Windows remembered.
const HORIZON: f64 = 20_000.0;
/// Windows that say how many there just were.
const RECENT: f64 = 30.0;

/// The usual number of observations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Volume {
    /// Mean of ln(1 + observations), and its weight.
    mean: f64,
    weight: f64,
    /// The same of the last windows.
    recent: f64,
    latest: u64,
}

impl Volume {
    /// Takes a window of so many observations in; whether these are too few. Where they became few at once it isn't the night
    /// that came: an outage shows in whatever it takes away.
    pub(crate) fn is_thin(&mut self, n: u64) -> bool {
        self.latest = n;
        let (n, size, least) = (n as f64, (n as f64).ln_1p(), PART.ln());
        let just = self.recent.exp_m1().max(0.0);
        let fell = size < self.recent + least && n < just - BY_CHANCE * just.sqrt();
        n < ENOUGH && size < self.mean + least && !fell
    }

    pub(crate) fn learn(&mut self, weight: f32) {
        self.weight = (self.weight + f64::from(weight)).min(HORIZON);
        let size = (self.latest as f64).ln_1p();
        self.mean += f64::from(weight) / self.weight * (size - self.mean);
        self.recent += f64::from(weight) / self.weight.min(RECENT) * (size - self.recent);
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.mean.is_finite() && self.recent.is_finite() && (0.0..=HORIZON).contains(&self.weight)
    }
}

/// Leaves out of a thin window's block what describes observations: it is missing.
pub(crate) fn leave_out_descriptions(block: &Block, values: &mut [f32]) {
    if let Block::Numeric { names } = block {
        let described = values.iter_mut().zip(names).filter(|(_, name)| feature::describes(name));
        described.for_each(|(value, _)| *value = f32::NAN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(windows: impl Iterator<Item = u64>) -> Volume {
        let mut volume = Volume::default();
        for n in windows {
            volume.is_thin(n);
            volume.learn(1.0);
        }
        volume
    }

    #[test]
    fn a_window_is_thin_next_to_the_usual_ones_only() {
        // An evening that comes slowly.
        let evening = (0..100).map(|window| 200 - 3 * window / 2);
        let mut volume = after(std::iter::repeat_n(200, 5_000).chain(evening));
        assert_eq!([200, 60, 40, 30].map(|n| volume.is_thin(n)), [false, false, true, true]);
        // Few are usual here, and many are enough there.
        assert!(!after(std::iter::repeat_n(3, 100)).is_thin(2));
        assert!(!after(std::iter::repeat_n(100_000, 100)).is_thin(300));
        assert!(!Volume::default().is_thin(0));
    }

    #[test]
    fn a_window_thin_at_once_is_an_outage_and_no_night() {
        let mut volume = after(std::iter::repeat_n(200, 100));
        assert_eq!([40, 0].map(|n| volume.is_thin(n)), [false, false]);
    }

    #[test]
    fn only_descriptions_are_left_out() {
        let names = ["count", "a:distinct", "a:new", "a:entropy", "ms:p95", "load"].map(str::to_owned).to_vec();
        let mut values = [1.0; 6];
        leave_out_descriptions(&Block::Numeric { names }, &mut values);
        assert_eq!(values.map(f32::is_nan), [false, true, false, true, true, false]);
    }
}
