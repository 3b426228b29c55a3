use serde::{Deserialize, Serialize};

use crate::SketchError;

/// Most bins kept, those of the greatest values.
pub(super) const MAX_BINS: usize = 1024;

/// Bins to a factor of two. Bin `j` of a binade holds `2^e * [1 + j/50, 1 + (j+1)/50)`: neighbouring edges differ
/// by at most the factor 1.02, so the harmonic middle is off by at most .01 / 1.01 < 1 %.
const PER_BINADE: i32 = 50;

const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const EXPONENT_BIAS: i32 = f64::MAX_EXP - 1;

/// Bin indexes of the least and greatest normal number.
const INDEXES: std::ops::Range<i32> = (f64::MIN_EXP - 1) * PER_BINADE..f64::MAX_EXP * PER_BINADE;

/// Counters of consecutive bins. The first and last are in use (or the first has taken in those below it), so
/// equal contents have equal bytes whatever the order they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub(super) struct Bins {
    /// Index of `counts[0]`; 0 when empty.
    first: i32,
    counts: Vec<u64>,
}

impl Bins {
    /// Counts a positive, normal number.
    #[inline]
    pub(super) fn add(&mut self, value: f64) {
        let index = index_of(value);
        let at = index.wrapping_sub(self.first) as u32 as usize; // huge when below the first
        match self.counts.get_mut(at) {
            Some(count) => *count += 1,
            None => *self.open(index) += 1,
        }
    }

    /// The counter for a bin that isn't there yet: grows the row to reach it, or, when the row would be too long,
    /// merges the lowest bins.
    #[cold]
    fn open(&mut self, index: i32) -> &mut u64 {
        if self.counts.is_empty() {
            self.first = index;
            self.counts.push(0);
        }
        let last = self.first + self.counts.len() as i32 - 1;
        let lowest = last.max(index) - (MAX_BINS as i32 - 1);
        if self.first < lowest {
            let merged = ((lowest - self.first) as usize).min(self.counts.len());
            let below: u64 = self.counts.drain(..merged).sum();
            self.first = lowest;
            match self.counts.first_mut() {
                Some(count) => *count += below,
                None => self.counts.push(below),
            }
        }
        let index = index.max(lowest);
        if index < self.first {
            let missing = (self.first - index) as usize;
            self.counts.splice(..0, std::iter::repeat_n(0, missing));
            self.first = index;
        }
        let at = (index - self.first) as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        &mut self.counts[at]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (index, &count) in (other.first..).zip(&other.counts) {
            if count > 0 {
                *self.open(index) += count;
            }
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(super) fn clear(&mut self) {
        self.first = 0;
        self.counts.clear();
    }

    /// Middle of the bin that holds the number of this rank (from 0, ascending); the last bin's past the end.
    pub(super) fn value_at(&self, rank: u64) -> f64 {
        let mut index = self.first;
        let mut passed = 0;
        for (at, &count) in (self.first..).zip(&self.counts) {
            index = at;
            passed += count;
            if passed > rank {
                break;
            }
        }
        middle_of(index)
    }
}

/// Bin of a positive, normal number: integer arithmetic on its bits, alike on every platform.
#[inline]
fn index_of(value: f64) -> i32 {
    let bits = value.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i32 - EXPONENT_BIAS;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    let within = (mantissa * PER_BINADE as u64) >> MANTISSA_BITS;
    exponent * PER_BINADE + within as i32
}

/// Harmonic middle of a bin's edges, which is equally far from both in relative terms.
fn middle_of(index: i32) -> f64 {
    let exponent = index.div_euclid(PER_BINADE);
    let power = f64::from_bits(((exponent + EXPONENT_BIAS) as u64) << MANTISSA_BITS);
    let low = f64::from(PER_BINADE + index.rem_euclid(PER_BINADE));
    let high = low + 1.0;
    power * (2.0 * low * high / ((low + high) * f64::from(PER_BINADE)))
}

#[derive(Deserialize)]
struct Unchecked {
    first: i32,
    counts: Vec<u64>,
}

impl TryFrom<Unchecked> for Bins {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        let Unchecked { first, counts } = raw;
        if counts.is_empty() && first == 0 {
            return Ok(Self::default());
        }
        let beyond = i64::from(first) + counts.len() as i64;
        let in_range = i64::from(INDEXES.start) <= i64::from(first) && beyond <= i64::from(INDEXES.end);
        if counts.len() > MAX_BINS || !in_range {
            return Err(SketchError::Corrupt("bins out of range"));
        }
        let used = |end: Option<&u64>| end.is_some_and(|&count| count > 0);
        if !used(counts.first()) || !used(counts.last()) {
            return Err(SketchError::Corrupt("unused bins at an end"));
        }
        if counts.iter().try_fold(0, |sum: u64, &count| sum.checked_add(count)).is_none() {
            return Err(SketchError::Corrupt("bins overflow their sum"));
        }
        Ok(Self { first, counts })
    }
}
