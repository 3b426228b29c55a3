//! Chance that comes from a seed, and the values that are worth trying.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers at which sizes, times and counters change their minds.
const EDGES: [u64; 22] = [
    0,
    1,
    2,
    7,
    8,
    63,
    64,
    127,
    128,
    255,
    1000,
    1024,
    65_535,
    65_536,
    1 << 31,
    u32::MAX as u64,
    1 << 48,
    (1 << 48) + 1,
    1_795_166_105_000,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

/// A row of random choices, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// From a seed; every `purpose` has a row of its own.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed ^ xxhash_rust::xxh3::xxh3_64(purpose.as_bytes())))
    }

    /// 0 to `end` - 1; 0 where there is nothing to choose from.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { self.0.random_range(0..end) }
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of `choices`.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A byte.
    pub(crate) fn byte(&mut self) -> u8 {
        self.0.random()
    }

    /// A number: mostly at an edge, sometimes anywhere.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.0.random(),
            1 => self.below(5000) as u64,
            _ => *self.pick(&EDGES),
        }
    }

    /// Up to `most` bytes: text, text that isn't UTF-8, or anything.
    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        const ODD: [&[u8]; 12] =
            [b"", b"*", b"@", b"{", b"}", b"\0", b"\r\n", b"\xff", b"%s%n", b"\xc3\xa9", b"-1", b"1e999"];
        let length = self.below(most + 1);
        match self.below(4) {
            0 => (0..length).map(|_| self.byte()).collect(),
            1 => self.pick(&ODD).to_vec(),
            _ => (0..length).map(|_| b' ' + self.byte() % 95).collect(),
        }
    }

    /// A number as people write it: whole, broken, negative, huge, or none at all.
    pub(crate) fn number_text(&mut self) -> Vec<u8> {
        const ODD: [&str; 10] = ["nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "0x10", "+5", "-0", "1_000"];
        match self.below(6) {
            0 => format!("{}.{}", self.below(2000), self.below(1000)).into_bytes(),
            1 => format!("-{}", self.number()).into_bytes(),
            2 => self.pick(&ODD).as_bytes().to_vec(),
            _ => self.number().to_string().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_seed_gives_the_same_row_and_every_purpose_its_own() {
        let row = |seed, purpose| {
            let mut chance = Chance::new(seed, purpose);
            (0..20).map(|_| chance.bytes(30)).collect::<Vec<_>>()
        };
        assert_eq!(row(7, "a"), row(7, "a"));
        assert_ne!(row(7, "a"), row(8, "a"));
        assert_ne!(row(7, "a"), row(7, "b"));
    }
}
