//! The heavy items of a block of counts, window by window: what a fingerprint tells of them, and what its buckets say of
//! those that it doesn't tell.

use crate::counts::recent::{MEMORY, MOST};
use crate::window::Item;
use serde::{Deserialize, Serialize};

/// Most items that are followed.
pub(crate) const PLACES: usize = 32;
/// An item is followed once it has this part of a window.
const HEAVY: f32 = 1.0 / 64.0;
/// Windows without a word of an item after which another may take its place.
const FORGOTTEN: u32 = 8_192;
/// Longest item that is followed, in bytes: a longer one is cut anyway.
const LONGEST: usize = 128;

/// Counts of the last windows, newest first; those before the start or a gap are none.
type Short = [f32; MEMORY];

/// An item that is followed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Followed {
    item: String,
    bucket: usize,
    /// Number of this item among all that were ever followed: whoever has its place later has another.
    number: u32,
    recent: Short,
    /// Windows since it was told last.
    untold: u32,
}

/// The heavy items of a block.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Heavy {
    dimension: String,
    followed: Vec<Followed>,
    /// Items ever followed.
    numbered: u32,
    totals: Short,
    /// Windows since the start or the last gap, at most [`MEMORY`].
    windows: usize,
    /// Counts of the buckets in the newest window.
    buckets: Vec<f32>,
}

impl Heavy {
    /// None followed yet, in a block of so many buckets.
    pub(crate) fn new(dimension: &str, buckets: usize) -> Self {
        Self {
            dimension: dimension.to_owned(),
            followed: Vec::new(),
            numbered: 0,
            totals: [0.0; MEMORY],
            windows: 0,
            buckets: vec![0.0; buckets],
        }
    }

    /// Takes a window in: its buckets, and what is told of its items. `gap` says that time is missing before it.
    ///
    /// Of an item that isn't told, its bucket says how often it can have been at most: what is left when those of its bucket
    /// are taken away that are told; nor was it more frequent than the least of all that are told. So an item that is gone is
    /// seen to be, whoever is in its bucket; one that is merely too rare to be told isn't taken for gone.
    pub(crate) fn push(&mut self, buckets: &[f32], items: &[Item], gap: bool) {
        if gap {
            self.windows = 0;
            self.totals = [0.0; MEMORY];
            self.followed.iter_mut().for_each(|followed| followed.recent = [0.0; MEMORY]);
        }
        self.windows = (self.windows + 1).min(MEMORY);
        for (kept, count) in self.buckets.iter_mut().zip(buckets) {
            *kept = if count.is_finite() { count.clamp(0.0, MOST) } else { 0.0 };
        }
        let total: f32 = self.buckets.iter().sum();
        shift(&mut self.totals, total);
        let told = || items.iter().filter(|item| item.dimension == self.dimension && item.bucket < self.buckets.len());
        // the heaviest are told, and the most surprising one before them
        let least = told().skip(1).map(|item| item.count).min().map_or(f32::INFINITY, |least| least as f32);
        for followed in &mut self.followed {
            followed.untold = followed.untold.saturating_add(1);
            let mut left = self.buckets[followed.bucket];
            let mut own = None;
            for item in told().filter(|item| item.bucket == followed.bucket) {
                if item.item == followed.item {
                    own = Some(item.count as f32);
                } else {
                    left -= item.count as f32;
                }
            }
            if own.is_some() {
                followed.untold = 0;
            }
            // no more than the bucket: the two come from different sketches
            let most = self.buckets[followed.bucket];
            shift(&mut followed.recent, own.unwrap_or(left.clamp(0.0, least)).min(most));
        }
        let newcomers: Vec<&Item> = told().filter(|item| item.count as f32 >= HEAVY * total).collect();
        newcomers.into_iter().for_each(|item| self.follow(item));
    }

    fn follow(&mut self, item: &Item) {
        if item.item.len() > LONGEST || self.followed.iter().any(|followed| followed.item == item.item) {
            return;
        }
        let mut recent = [0.0; MEMORY];
        recent[0] = (item.count as f32).min(self.buckets[item.bucket]);
        let newcomer =
            Followed { item: item.item.clone(), bucket: item.bucket, number: self.numbered, recent, untold: 0 };
        if self.followed.len() < PLACES {
            self.followed.push(newcomer);
        } else if let Some(place) = self.followed.iter_mut().find(|followed| followed.untold >= FORGOTTEN) {
            *place = newcomer;
        } else {
            return;
        }
        self.numbered = self.numbered.wrapping_add(1);
    }

    /// Number of buckets.
    pub(crate) fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Observations of the block in the last `windows`.
    pub(crate) fn total(&self, windows: usize) -> f32 {
        self.totals[..windows.min(MEMORY)].iter().sum()
    }

    /// Windows since the start or the last gap, at most [`MEMORY`].
    pub(crate) fn windows(&self) -> usize {
        self.windows
    }

    /// The items by their places.
    pub(crate) fn items(&self) -> impl Iterator<Item = HeavyItem<'_>> {
        self.followed.iter().map(|followed| HeavyItem { followed, in_bucket: self.buckets[followed.bucket] })
    }

    /// Whether it could have come of `made`.
    pub(crate) fn is_consistent(&self, made: &Self) -> bool {
        let sound = |count: &f32| count.is_finite() && *count >= 0.0;
        let known = |followed: &Followed| {
            followed.bucket < made.buckets.len() && followed.item.len() <= LONGEST && followed.recent.iter().all(sound)
        };
        self.dimension == made.dimension
            && self.buckets.len() == made.buckets.len()
            && self.buckets.iter().chain(&self.totals).all(sound)
            && self.windows <= MEMORY
            && self.followed.len() <= PLACES
            && self.followed.iter().all(known)
    }
}

/// An item in the newest window and the few before.
#[derive(Clone, Copy)]
pub(crate) struct HeavyItem<'a> {
    followed: &'a Followed,
    /// Count of its bucket in the newest window.
    pub in_bucket: f32,
}

impl HeavyItem<'_> {
    pub(crate) fn bucket(&self) -> usize {
        self.followed.bucket
    }

    pub(crate) fn number(&self) -> u32 {
        self.followed.number
    }

    /// Its count in the newest window.
    pub(crate) fn newest(&self) -> f32 {
        self.followed.recent[0]
    }

    /// Its count in the last `windows`.
    pub(crate) fn sum(&self, windows: usize) -> f32 {
        self.followed.recent[..windows.min(MEMORY)].iter().sum()
    }
}

fn shift(recent: &mut Short, newest: f32) {
    recent.rotate_right(1);
    recent[0] = newest;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(item: &str, count: u64, bucket: usize) -> Item {
        Item { dimension: "endpoint".to_owned(), item: item.to_owned(), count, bucket }
    }

    fn newest(heavy: &Heavy) -> Vec<f32> {
        heavy.items().map(|item| item.newest()).collect()
    }

    #[test]
    fn an_item_that_is_gone_leaves_nothing_behind_the_other_of_its_bucket() {
        let mut heavy = Heavy::new("endpoint", 2);
        heavy.push(&[14.0, 50.0], &[item("/quote", 8, 0), item("/login", 6, 0)], false);
        heavy.push(&[15.0, 50.0], &[item("/quote", 15, 0)], false);
        assert_eq!(newest(&heavy), [15.0, 0.0]);
    }

    #[test]
    fn an_item_that_is_only_not_told_is_not_taken_for_gone() {
        let mut heavy = Heavy::new("endpoint", 2);
        heavy.push(&[14.0, 50.0], &[item("/quote", 8, 0), item("/login", 6, 0)], false);
        heavy.push(&[15.0, 50.0], &[item("/quote", 8, 0)], false);
        assert_eq!(newest(&heavy), [8.0, 7.0]);
        heavy.push(&[15.0, 50.0], &[item("/a", 9, 1), item("/quote", 8, 0), item("/b", 5, 1)], false);
        assert_eq!(newest(&heavy)[..2], [8.0, 5.0]);
    }

    #[test]
    fn what_is_rare_or_of_another_block_is_not_followed() {
        let mut heavy = Heavy::new("endpoint", 2);
        let other = Item { dimension: "service".to_owned(), ..item("pay", 80, 1) };
        heavy.push(&[20.0, 180.0], &[item("/a", 19, 0), item("/b", 1, 0), other], false);
        assert_eq!(heavy.items().count(), 1);
    }

    #[test]
    fn a_place_goes_to_another_only_when_nothing_was_heard_of_its_item_for_long() {
        let mut heavy = Heavy::new("endpoint", 64);
        let all: Vec<Item> = (0..PLACES).map(|at| item(&format!("/{at}"), 10, at)).collect();
        heavy.push(&[10.0; 64], &all, false);
        heavy.push(&[10.0; 64], &[item("/late", 640, 40)], false);
        assert!(heavy.items().all(|item| item.bucket() != 40));
        (0..FORGOTTEN).for_each(|_| heavy.push(&[10.0; 64], &all[1..], false));
        heavy.push(&[10.0; 64], &[item("/late", 640, 40)], false);
        let numbers: Vec<u32> = heavy.items().map(|item| item.number()).collect();
        assert_eq!((numbers[0], numbers[1], heavy.items().next().unwrap().bucket()), (PLACES as u32, 1, 40));
    }

    #[test]
    fn nothing_is_summed_across_a_gap() {
        let mut heavy = Heavy::new("endpoint", 1);
        (0..4).for_each(|_| heavy.push(&[10.0], &[item("/a", 10, 0)], false));
        heavy.push(&[7.0], &[item("/a", 7, 0)], true);
        assert_eq!((heavy.windows(), heavy.total(6), heavy.items().next().unwrap().sum(6)), (1, 7.0, 7.0));
    }
}
