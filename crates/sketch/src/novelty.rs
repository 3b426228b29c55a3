mod reader;

use std::mem;

use bloomfilter::Bloom;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::reader::{Reader, knows};
use crate::{ItemHash, SketchError};

/// Part of the persisted format, like the seed of [`ItemHash`]. (The crate's plain constructor draws a random one.)
const SEED: [u8; 32] = *b"eddyline: novelty, rotating pair";

/// Most items a generation: 4 MiB of filter each at 1 %.
const MAX_ITEMS: u32 = 1 << 22;

/// Whether an item was seen lately: a rotating pair of Bloom filters.
///
/// Items go into the current generation; when that holds as many as it is made for, or on
/// [`rotate`](Self::rotate), it becomes the previous one and the previous is forgotten. A single filter would fill
/// up and go blind. An item is known from its last sighting for at least one full generation. Between two
/// sightings without a rotation it is never new twice; a new item is taken for a known one with a probability of
/// at most twice the given rate.
#[derive(Clone, Debug)]
pub struct Novelty {
    items_per_generation: u32,
    false_positives: f64,
    /// Items put into the current generation.
    held: u32,
    current: Bloom<u64>,
    previous: Bloom<u64>,
    /// Of both filters: their shapes are the same.
    reader: Reader,
}

impl Novelty {
    /// Filters for `items_per_generation` items each (1 to 4194304) that take a new item for a known one with
    /// probability `false_positives` (0.000001 to 0.5) when full.
    pub fn new(items_per_generation: u32, false_positives: f64) -> Result<Self, SketchError> {
        let bytes = filter_bytes(items_per_generation, false_positives)?;
        let empty = Bloom::new_with_seed(bytes, items_per_generation as usize, &SEED).map_err(SketchError::Corrupt)?;
        let reader = Reader::new(empty.len(), empty.number_of_hash_functions(), &SEED);
        Ok(Self { items_per_generation, false_positives, held: 0, current: empty.clone(), previous: empty, reader })
    }

    /// True when neither generation knows the item. It is in the current one afterwards.
    #[inline]
    pub fn first_seen(&mut self, hash: ItemHash) -> bool {
        let (known, before) = self.reader.with_places(hash, |places| {
            let known = knows(self.current.as_slice(), places);
            (known, known || knows(self.previous.as_slice(), places))
        });
        if known {
            return false;
        }
        self.current.set(&key_of(hash));
        self.held += 1;
        if self.held >= self.items_per_generation {
            self.rotate();
        }
        !before
    }

    /// Forgets the previous generation and starts a new one.
    pub fn rotate(&mut self) {
        mem::swap(&mut self.current, &mut self.previous);
        self.current.clear();
        self.held = 0;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rotate();
        self.rotate();
    }

    /// Items put into the current generation, below the number it is made for.
    pub fn held(&self) -> u32 {
        self.held
    }

    /// Memory held, in bytes; fixed at construction.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.current.as_slice().len() + self.previous.as_slice().len()
    }
}

/// The filter hashes a number's bytes in the platform's order; this makes them little-endian everywhere.
#[inline]
fn key_of(hash: ItemHash) -> u64 {
    hash.to_bits().to_le()
}

/// Optimal size of one filter: `-items * ln(rate) / ln(2)^2` bits. By libm, unlike the crate's own function.
fn filter_bytes(items: u32, rate: f64) -> Result<usize, SketchError> {
    const LN_2: f64 = std::f64::consts::LN_2;
    if !(1..=MAX_ITEMS).contains(&items) {
        return Err(SketchError::OutOfRange { what: "items per generation", allowed: "1 to 4194304" });
    }
    if !(1e-6..=0.5).contains(&rate) {
        return Err(SketchError::OutOfRange { what: "false positive rate", allowed: "0.000001 to 0.5" });
    }
    Ok(libm::ceil(-f64::from(items) * libm::log(rate) / (8.0 * LN_2 * LN_2)) as usize)
}

#[derive(Serialize)]
struct Borrowed<'a> {
    items_per_generation: u32,
    false_positives: f64,
    held: u32,
    current: &'a [u8],
    previous: &'a [u8],
}

impl Serialize for Novelty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed {
            items_per_generation: self.items_per_generation,
            false_positives: self.false_positives,
            held: self.held,
            current: self.current.as_slice(),
            previous: self.previous.as_slice(),
        }
        .serialize(serializer)
    }
}

#[derive(Deserialize)]
struct Unchecked {
    items_per_generation: u32,
    false_positives: f64,
    held: u32,
    current: Vec<u8>,
    previous: Vec<u8>,
}

impl<'de> Deserialize<'de> for Novelty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Unchecked::deserialize(deserializer)?;
        Self::try_from(raw).map_err(D::Error::custom)
    }
}

impl TryFrom<Unchecked> for Novelty {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        // Before filters of that size are made: a few bytes mustn't ask for megabytes.
        let bytes = filter_bytes(raw.items_per_generation, raw.false_positives)?;
        if raw.current.len() < bytes || raw.previous.len() < bytes {
            return Err(SketchError::Corrupt("filter too short for its parameters"));
        }
        let mut checked = Self::new(raw.items_per_generation, raw.false_positives)?;
        if raw.held >= raw.items_per_generation {
            return Err(SketchError::Corrupt("generation fuller than it is made for"));
        }
        checked.held = raw.held;
        for (filter, bytes) in [(&mut checked.current, raw.current), (&mut checked.previous, raw.previous)] {
            // Size, hash functions and seed all stand in the filter's header and must be those of its parameters.
            let read = Bloom::from_bytes(bytes).map_err(SketchError::Corrupt)?;
            let same = read.len() == filter.len()
                && read.number_of_hash_functions() == filter.number_of_hash_functions()
                && read.seed() == filter.seed();
            if !same {
                return Err(SketchError::Corrupt("filter doesn't fit its parameters"));
            }
            *filter = read;
        }
        Ok(checked)
    }
}
