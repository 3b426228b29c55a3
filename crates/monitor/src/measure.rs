//! The numeric features of a measure in one window.

use eddyline_sketch::Quantiles;
use serde::{Deserialize, Serialize};

/// Sum, quantiles and largest value of a window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MeasureState {
    quantiles: Quantiles,
}

impl MeasureState {
    /// The most bytes for the open and the last window.
    pub(crate) const BYTES_AT_MOST: usize = 2 * Quantiles::BYTES_AT_MOST;
    /// Bytes that values over four decades come to take beyond a new sketch.
    pub(crate) const GROWTH: usize = 600 * size_of::<u64>();

    pub(crate) fn new() -> Self {
        Self { quantiles: Quantiles::new() }
    }

    /// Counts one finite value.
    pub(crate) fn add(&mut self, value: f64) {
        self.quantiles.add(value);
    }

    /// `mean p50 p95 p99 max`; NaN, which means missing, where there was no value.
    pub(crate) fn summary(&self) -> [f32; 5] {
        let q = |q| self.quantiles.quantile(q);
        let features = [self.quantiles.mean(), q(0.5), q(0.95), q(0.99), self.quantiles.max()];
        features.map(|feature| feature.map_or(MISSING, |value| value as f32))
    }

    /// Value of rank `q` (0 to 1) within 1 %; none where there was no value.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        self.quantiles.quantile(q)
    }

    /// The window is over and takes the place of `last`.
    pub(crate) fn close(&mut self, last: &mut Self) {
        std::mem::swap(self, last);
        self.clear();
    }

    /// Back to nothing.
    pub(crate) fn clear(&mut self) {
        self.quantiles.clear();
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.quantiles.bytes()
    }
}

/// The one NaN that is ever written, so that equal windows are equal bytes.
pub(crate) const MISSING: f32 = f32::from_bits(0x7fc0_0000);

/// A number as clients write it; none where it isn't finite.
pub(crate) fn number(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}
