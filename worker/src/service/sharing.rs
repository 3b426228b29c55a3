//! Who should have which monitor: by rendezvous hashing over the workers that are alive, so that each of N has about an N-th
//! of the monitors, and one that comes or goes moves only those that are its own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Whoever is next in line waits this much longer before it takes a free lease.
const PER_PLACE: Duration = Duration::from_millis(300);
/// Longest wait: after it, whoever sees a free lease takes it.
pub const LONGEST: Duration = Duration::from_millis(1500);

/// Where a worker stands in line for a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// How many live workers should rather have it.
    pub place: usize,
    /// Which set of workers this is about: another number whenever one came or went.
    pub round: u64,
}

impl Turn {
    /// How long a lease is left free for those before.
    #[must_use]
    pub fn wait(self) -> Duration {
        PER_PLACE.saturating_mul(u32::try_from(self.place).unwrap_or(u32::MAX)).min(LONGEST)
    }
}

#[derive(Debug, Default)]
struct Round {
    others: Vec<u64>,
    number: u64,
}

/// The workers that are alive, as this one knows them.
#[derive(Debug)]
pub struct Peers {
    me: u64,
    round: Mutex<Round>,
}

impl Peers {
    /// Knows only itself.
    #[must_use]
    pub fn new(me: &str) -> Self {
        Self { me: hash(me.as_bytes()), round: Mutex::default() }
    }

    /// These are alive now; this worker always is. Says whether that is news.
    pub fn hear(&self, alive: &[Vec<u8>]) -> bool {
        let mut others: Vec<u64> = alive.iter().map(|name| hash(name)).filter(|other| *other != self.me).collect();
        others.sort_unstable();
        let mut round = self.round();
        let is_news = round.others != others;
        if is_news {
            round.others = others;
            round.number += 1;
        }
        is_news
    }

    /// Where this worker stands in line for `monitor`.
    #[must_use]
    pub fn turn(&self, monitor: &[u8]) -> Turn {
        let round = self.round();
        let mine = weight(self.me, monitor);
        let place = round.others.iter().filter(|other| weight(**other, monitor) > mine).count();
        Turn { place, round: round.number }
    }

    /// How much this worker, of all that are alive, is one for `monitor`.
    #[must_use]
    pub fn weight(&self, monitor: &[u8]) -> u64 {
        weight(self.me, monitor).0
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(worker: &[u8]) -> u64 {
    xxh3_64_with_seed(worker, 0)
}

/// The highest has it; the worker's own hash decides between equals.
fn weight(worker: u64, monitor: &[u8]) -> (u64, u64) {
    (xxh3_64_with_seed(monitor, worker), worker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(count: usize) -> (Vec<Vec<u8>>, Vec<Peers>) {
        let names: Vec<String> = (0..count).map(|i| format!("{i}-worker")).collect();
        let peers: Vec<Peers> = names.iter().map(|name| Peers::new(name)).collect();
        let names: Vec<Vec<u8>> = names.into_iter().map(String::into_bytes).collect();
        peers.iter().for_each(|each| assert_eq!(each.hear(&names), count > 1));
        (names, peers)
    }

    fn owner(peers: &[Peers], monitor: &str) -> usize {
        let mut places: Vec<usize> = peers.iter().map(|each| each.turn(monitor.as_bytes()).place).collect();
        let owner = places.iter().position(|place| *place == 0).expect("somebody should have it");
        places.sort_unstable();
        assert_eq!(places, (0..peers.len()).collect::<Vec<_>>(), "each has a place of its own");
        owner
    }

    #[test]
    fn monitors_are_spread_evenly_and_each_is_one_workers() {
        let (_, peers) = workers(4);
        let mut counts = [0; 4];
        (0..1000).for_each(|i| counts[owner(&peers, &format!("shop-{i}"))] += 1);
        assert!(counts.iter().all(|count| (200..=300).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_worker_that_goes_moves_only_what_it_had() {
        let (names, peers) = workers(3);
        let monitors: Vec<String> = (0..300).map(|i| format!("shop-{i}")).collect();
        let before: Vec<usize> = monitors.iter().map(|monitor| owner(&peers, monitor)).collect();
        for each in &peers[..2] {
            assert!(each.hear(&names[..2]));
            assert!(!each.hear(&names[..2]), "the same again is no news");
        }
        for (monitor, before) in monitors.iter().zip(before) {
            let after = owner(&peers[..2], monitor);
            assert!(after == before || before == 2, "{monitor}: {before} to {after}");
        }
    }

    #[test]
    fn who_is_first_takes_at_once_and_the_last_waits_no_longer_than_the_longest() {
        let wait = |place| Turn { place, round: 0 }.wait();
        assert_eq!((wait(0), wait(1), wait(1000)), (Duration::ZERO, PER_PLACE, LONGEST));
    }

    #[test]
    fn a_worker_that_was_forgotten_still_counts_itself() {
        let (names, peers) = workers(2);
        peers[0].hear(&names[1..]);
        assert_eq!(owner(&peers, "shop"), owner(&workers(2).1, "shop"));
    }
}
