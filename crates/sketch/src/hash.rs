//! One 64-bit hash an item, from which every sketch takes its positions.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Part of the persisted format: another seed makes every stored sketch unreadable in meaning.
const SEED: u64 = 0x6564_6479_6c69_6e65; // "eddyline"

/// The hash of an item's bytes: xxh3 (64 bits) with a fixed seed, the same on every platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemHash(u64);

impl ItemHash {
    /// Hashes the item's bytes.
    #[inline]
    pub fn of(item: &[u8]) -> Self {
        Self(xxh3_64_with_seed(item, SEED))
    }

    /// The hash as a number.
    #[inline]
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    #[inline]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Column of `row` in a count-min sketch of `width` columns (1 to 2^32 - 1).
    ///
    /// Double hashing (Kirsch, Mitzenmacher 2006): the low half is the start, the high half, made odd, the step.
    /// A remainder and not a multiply-shift, so that row 0 folds: for any `buckets` that divides `width`,
    /// `column(0, width) % buckets == bucket(buckets)`. Powers of two are masked.
    #[inline]
    pub fn column(self, row: usize, width: usize) -> usize {
        let start = self.0 as u32;
        let step = (self.0 >> 32) as u32 | 1;
        remainder(start.wrapping_add(step.wrapping_mul(row as u32)), width)
    }

    /// Bucket of the item among `buckets` (at least 1): its column of row 0, folded.
    #[inline]
    pub fn bucket(self, buckets: usize) -> usize {
        remainder(self.0 as u32, buckets)
    }
}

/// `place % width`; a mask where the width allows it.
#[inline]
fn remainder(place: u32, width: usize) -> usize {
    let width = width as u32;
    if width & width.wrapping_sub(1) == 0 { (place & width.wrapping_sub(1)) as usize } else { (place % width) as usize }
}
