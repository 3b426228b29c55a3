//! What the demo breaks, and when.

use std::fmt;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Milliseconds of ordinary traffic before the first fault.
const CALM_MS: u64 = 8_000;
/// Shortest and longest fault, and pause between two, in ms.
const FAULT_MS: std::ops::RangeInclusive<u64> = 12_000..=15_000;
const PAUSE_MS: std::ops::RangeInclusive<u64> = 22_000..=27_000;

const SERVICES: [&str; 4] = ["pay", "cart", "ship", "account"];
const PEERS: [&str; 5] = ["bank", "search", "carrier", "stock", "users-db"];
const VANISHING: [&str; 3] = ["/cart", "/cart/add", "/charge"];
const SCANNERS: [&str; 3] = ["u017", "u203", "u388"];

/// The four ways in which the shop breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Errors,
    Slow,
    Vanished,
    Scan,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Errors, Self::Slow, Self::Vanished, Self::Scan];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Errors => "error burst",
            Self::Slow => "slow dependency",
            Self::Vanished => "vanished endpoint",
            Self::Scan => "scan by one user",
        })
    }
}

/// What is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Break {
    /// A service answers 500 to much of what it is asked.
    Errors { service: &'static str },
    /// Calls of a dependency take 20 times as long.
    Slow { peer: &'static str },
    /// Nobody calls an endpoint any more.
    Vanished { endpoint: &'static str },
    /// One user asks for endpoints that don't exist.
    Scan { user: &'static str },
}

impl Break {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Errors { .. } => Kind::Errors,
            Self::Slow { .. } => Kind::Slow,
            Self::Vanished { .. } => Kind::Vanished,
            Self::Scan { .. } => Kind::Scan,
        }
    }

    /// The item that a good explanation names.
    pub(crate) fn culprit(&self) -> &'static str {
        match self {
            Self::Errors { service } => service,
            Self::Slow { peer } => peer,
            Self::Vanished { endpoint } => endpoint,
            Self::Scan { user } => user,
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors { service } => write!(f, "{service} answers 500 to every other call"),
            Self::Slow { peer } => write!(f, "calls of {peer} take 20 times as long"),
            Self::Vanished { endpoint } => write!(f, "{endpoint} is not called any more"),
            Self::Scan { user } => write!(f, "{user} asks for endpoints that don't exist"),
        }
    }
}

/// Something broken for a while, times in ms since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) broken: Break,
    pub(crate) start_ms: u64,
    /// First millisecond after it.
    pub(crate) end_ms: u64,
}

impl Fault {
    pub(crate) fn covers(&self, at_ms: u64) -> bool {
        (self.start_ms..self.end_ms).contains(&at_ms)
    }
}

/// Faults without end, one at a time: rounds of all kinds, each in an order of its own.
pub(crate) struct Schedule {
    chance: ChaCha8Rng,
    round: Vec<Kind>,
    next_ms: u64,
}

impl Schedule {
    pub(crate) fn new(seed: u64, live_ms: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        // the shop draws from stream 0 of the same seed
        chance.set_stream(1);
        Self { chance, round: Vec::new(), next_ms: live_ms + CALM_MS }
    }

    pub(crate) fn next_fault(&mut self) -> Fault {
        let kind = self.round.pop().unwrap_or_else(|| {
            self.round = Kind::ALL.to_vec();
            self.round.shuffle(&mut self.chance);
            self.round.pop().unwrap_or(Kind::Errors)
        });
        let broken = match kind {
            Kind::Errors => Break::Errors { service: self.pick(&SERVICES) },
            Kind::Slow => Break::Slow { peer: self.pick(&PEERS) },
            Kind::Vanished => Break::Vanished { endpoint: self.pick(&VANISHING) },
            Kind::Scan => Break::Scan { user: self.pick(&SCANNERS) },
        };
        let start_ms = self.next_ms;
        let end_ms = start_ms + self.chance.random_range(FAULT_MS);
        self.next_ms = end_ms + self.chance.random_range(PAUSE_MS);
        Fault { broken, start_ms, end_ms }
    }

    fn pick(&mut self, among: &[&'static str]) -> &'static str {
        among.choose(&mut self.chance).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Kind, Schedule};
    use crate::demo::live::FAREWELL_MS;

    const LIVE_MS: u64 = 1_000_000;

    fn faults(seed: u64, count: usize) -> Vec<Fault> {
        let mut schedule = Schedule::new(seed, LIVE_MS);
        (0..count).map(|_| schedule.next_fault()).collect()
    }

    fn kinds(faults: &[Fault]) -> Vec<Kind> {
        faults.iter().map(|fault| fault.broken.kind()).collect()
    }

    #[test]
    fn same_seed_breaks_the_same() {
        assert_eq!(faults(1, 12), faults(1, 12));
        assert_ne!(faults(1, 12), faults(2, 12));
    }

    #[test]
    fn every_round_has_every_kind_and_orders_differ() {
        let mut orders = std::collections::BTreeSet::new();
        for seed in 0..20 {
            for round in faults(seed, 12).chunks(4) {
                let mut all = kinds(round);
                orders.insert(all.clone());
                all.sort_unstable();
                assert_eq!(all, Kind::ALL);
            }
        }
        assert!(orders.len() > 10, "{}", orders.len());
    }

    #[test]
    fn faults_last_and_pause_as_long_as_said() {
        let mut end_ms = LIVE_MS;
        for (number, fault) in faults(3, 40).iter().enumerate() {
            let (pause, length) = (fault.start_ms - end_ms, fault.end_ms - fault.start_ms);
            assert!(if number == 0 { pause == 8_000 } else { (22_000..=27_000).contains(&pause) }, "{pause}");
            assert!((12_000..=15_000).contains(&length), "{length}");
            assert!(fault.covers(fault.start_ms) && !fault.covers(fault.start_ms - 1) && !fault.covers(fault.end_ms));
            end_ms = fault.end_ms;
        }
    }

    #[test]
    fn one_round_fits_into_three_minutes() {
        for seed in 0..500 {
            let last = faults(seed, 4).pop().expect("four faults");
            assert!(last.end_ms + FAREWELL_MS <= LIVE_MS + 180_000, "seed {seed}");
        }
    }
}
