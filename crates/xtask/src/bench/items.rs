//! Random items out of 10⁶, the same every time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Where they come from.
pub(super) struct Items(ChaCha8Rng);

impl Items {
    pub(super) fn new() -> Self {
        Self(ChaCha8Rng::seed_from_u64(1))
    }

    /// The next one.
    pub(super) fn draw(&mut self) -> u32 {
        self.0.random_range(0..1_000_000)
    }
}
