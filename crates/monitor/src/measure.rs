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
    plain_number(value)
        .or_else(|| std::str::from_utf8(value).ok()?.parse().ok())
        .filter(|number: &f64| number.is_finite())
}

/// The quick way for most numbers: at most 15 digits, perhaps with a point between two of them. Both the digits and the power
/// of ten are exact then, so that one division rounds as the long way does.
fn plain_number(value: &[u8]) -> Option<f64> {
    const POWERS: [f64; 15] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
    let (mut digits, mut point) = (0u64, None);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() && at > 0 => point = Some(at),
            _ => return None,
        }
        if at == 15 {
            return None;
        }
    }
    match point {
        None if value.is_empty() => None,
        None => Some(digits as f64),
        Some(at) => match value.len() - 1 - at {
            0 => None,
            decimals => Some(digits as f64 / POWERS[decimals]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{number, plain_number};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quick_way_gives_the_very_bits_of_the_long_one(text in "[0-9]{0,16}[.]?[0-9]{0,16}|[-+.e0-9]{0,6}") {
            let long = text.parse::<f64>().ok();
            if let Some(quick) = plain_number(text.as_bytes()) {
                prop_assert_eq!(Some(quick.to_bits()), long.map(f64::to_bits));
            }
            prop_assert_eq!(number(text.as_bytes()), long.filter(|number| number.is_finite()));
        }
    }

    #[test]
    fn usual_numbers_go_the_quick_way_and_odd_ones_are_none_of_its() {
        assert_eq!(plain_number(b"000000512345"), Some(512_345.0));
        assert_eq!(plain_number(b"12.25"), Some(12.25));
        for odd in ["", ".", "1.", ".5", "1.2.3", "-1", "1e3", "inf", "1234567890123456"] {
            assert_eq!(plain_number(odd.as_bytes()), None, "{odd}");
        }
    }
}
