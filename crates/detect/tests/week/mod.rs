//! A shop over days: busy at noon and quiet at night, half as busy at weekends, never twice the same.
#![allow(dead_code, reason = "each test and example uses its own part")]

#[path = "../shop/mod.rs"]
pub(crate) mod shop;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shop::{Fault, Fingerprint, Shop};

pub(crate) const DAY_MS: u64 = 86_400_000;
/// Monday, 5 January 1970, 00:00 UTC.
pub(crate) const MONDAY_MS: u64 = 4 * DAY_MS;
/// Noon's traffic in units of the night's.
const DAY_AND_NIGHT: f64 = 8.0;
/// A weekend's traffic in units of a weekday's.
const WEEKEND: f64 = 0.5;
/// Spread of the traffic around what hour and day say, beyond the noise of counting, and how long it stays on one side.
const SPREAD: f64 = 0.1;
const MEMORY_MS: f64 = 600_000.0;

/// Traffic in units of a weekday's noon at this time of the shop's local clock.
pub(crate) fn traffic(local_ms: u64) -> f64 {
    let hour = (local_ms % DAY_MS) as f64 / 3_600_000.0;
    // The least at 3:00, the most at 15:00.
    let day = (1.0 - ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos()) / 2.0;
    let busy = DAY_AND_NIGHT.powf(day - 1.0);
    // 1 January 1970 was a Thursday.
    let weekend = (local_ms / DAY_MS + 3) % 7 >= 5;
    if weekend { busy * WEEKEND } else { busy }
}

pub(crate) struct Week {
    shop: Shop,
    rng: ChaCha8Rng,
    noon_rate: f64,
    window_ms: u64,
    start_ms: u64,
    windows: u64,
    /// Logarithm of what the traffic is beyond the usual.
    wander: f64,
}

impl Week {
    /// Windows of this length from a time on (in UTC), with so many events a second at noon of a weekday.
    pub(crate) fn new(seed: u64, noon_rate: f64, window_ms: u64, start_ms: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed + 1_000);
        Self {
            shop: Shop::new(seed, noon_rate, window_ms),
            rng,
            noon_rate,
            window_ms,
            start_ms,
            windows: 0,
            wander: 0.0,
        }
    }

    /// Where the next window begins.
    pub(crate) fn now_ms(&self) -> u64 {
        self.start_ms + self.windows * self.window_ms
    }

    /// The next window as it comes when the shop's clock, which its customers live by, shows this time.
    pub(crate) fn next_at(&mut self, local_ms: u64, fault: Fault) -> Fingerprint {
        let keep = (-(self.window_ms as f64) / MEMORY_MS).exp();
        self.wander = keep * self.wander + SPREAD * (1.0 - keep * keep).sqrt() * self.normal();
        self.shop.set_rate(self.noon_rate * traffic(local_ms) * self.wander.exp());
        self.windows += 1;
        let fingerprint = self.shop.next(fault);
        Fingerprint { end_ms: self.now_ms(), ..fingerprint }
    }

    /// The next window of a shop in UTC.
    pub(crate) fn next(&mut self, fault: Fault) -> Fingerprint {
        self.next_at(self.now_ms(), fault)
    }

    fn normal(&mut self) -> f64 {
        let (a, b): (f64, f64) = (self.rng.random(), self.rng.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}
