mod bins;

use serde::{Deserialize, Serialize};

use self::bins::Bins;
use crate::SketchError;

/// Quantiles of numbers within 1 % of the true value: DDSketch (Masson, Rim, Lee 2019) with the linearly
/// interpolated logarithm as mapping, so a bin is found by integer arithmetic on the number's own bits.
///
/// Count, sum, least and greatest value are exact. At most 1024 bins each for positive and negative numbers, 50
/// to a factor of two. When a range needs more, the bins nearest to zero are merged: the guarantee holds for
/// values within a factor of 2^20 of the largest magnitude of their sign; smaller ones are then only known to be
/// small. Numbers too small for a normal `f64` count as zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Quantiles {
    count: u64,
    zeros: u64,
    sum: f64,
    min: f64,
    max: f64,
    positive: Bins,
    negative: Bins,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self::new()
    }
}

impl Quantiles {
    /// Memory of a sketch with every bin in use.
    pub const BYTES_AT_MOST: usize = size_of::<Self>() + 2 * bins::MAX_BINS * size_of::<u64>();

    /// An empty sketch.
    pub fn new() -> Self {
        Self {
            count: 0,
            zeros: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            positive: Bins::default(),
            negative: Bins::default(),
        }
    }

    /// Adds a number. NaN and infinities are no measurements and are left out; count them where they are read.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = value + 0.0; // -0.0 becomes 0.0: which of the two `min` keeps is up to the platform
        self.count += 1;
        self.sum = (self.sum + value).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if value >= f64::MIN_POSITIVE {
            self.positive.add(value);
        } else if value <= -f64::MIN_POSITIVE {
            self.negative.add(-value);
        } else {
            self.zeros += 1;
        }
    }

    /// The value of rank `floor(q * (count - 1))` in ascending order, within 1 %; exact for `q` of 0 and 1.
    /// `None` when empty or `q` is outside 0 to 1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        if q == 0.0 {
            return Some(self.min);
        }
        if q == 1.0 {
            return Some(self.max);
        }
        let rank = (q * (self.count - 1) as f64) as u64;
        let negatives = self.negative.total();
        let value = if rank < negatives {
            -self.negative.value_at(negatives - 1 - rank)
        } else if rank < negatives + self.zeros {
            0.0
        } else {
            self.positive.value_at(rank - negatives - self.zeros)
        };
        Some(value.clamp(self.min, self.max))
    }

    /// Arithmetic mean, exact up to rounding; `None` when empty.
    pub fn mean(&self) -> Option<f64> {
        self.max()?;
        Some((self.sum / self.count as f64).clamp(self.min, self.max))
    }

    /// Greatest value; `None` when empty.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// Least value; `None` when empty.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Numbers added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of the numbers added; stays at the greatest finite `f64` where it would overflow.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Adds all that another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.zeros += other.zeros;
        self.sum = (self.sum + other.sum).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    /// Back to empty; the memory is kept for the next window.
    pub fn clear(&mut self) {
        self.count = 0;
        self.zeros = 0;
        self.sum = 0.0;
        self.min = f64::INFINITY;
        self.max = f64::NEG_INFINITY;
        self.positive.clear();
        self.negative.clear();
    }

    /// Memory in use, in bytes: grows with the range of the numbers up to
    /// [`BYTES_AT_MOST`](Self::BYTES_AT_MOST).
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + (self.positive.len() + self.negative.len()) * size_of::<u64>()
    }
}

/// Most numbers of a stored sketch: far from where counting on would overflow.
const MAX_COUNT: u64 = 1 << 53;

#[derive(Deserialize)]
struct Unchecked {
    count: u64,
    zeros: u64,
    sum: f64,
    min: f64,
    max: f64,
    positive: Bins,
    negative: Bins,
}

impl TryFrom<Unchecked> for Quantiles {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        let checked = Self {
            count: raw.count,
            zeros: raw.zeros,
            sum: raw.sum,
            min: raw.min,
            max: raw.max,
            positive: raw.positive,
            negative: raw.negative,
        };
        let binned = [&checked.positive, &checked.negative]
            .into_iter()
            .try_fold(checked.zeros, |sum, bins| sum.checked_add(bins.total()));
        if binned != Some(checked.count) || checked.count > MAX_COUNT {
            return Err(SketchError::Corrupt("bins don't sum to the count"));
        }
        if checked.count == 0 {
            return if checked == Self::new() {
                Ok(checked)
            } else {
                Err(SketchError::Corrupt("an empty sketch with a sum or a range"))
            };
        }
        let range = [checked.sum, checked.min, checked.max];
        if !range.iter().all(|value| value.is_finite()) || checked.min > checked.max {
            return Err(SketchError::Corrupt("sum or range isn't finite and in order"));
        }
        Ok(checked)
    }
}
