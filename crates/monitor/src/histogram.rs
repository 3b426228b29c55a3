//! A histogram of a measure for each item of a group: one row an item, because a row's sum is its denominator.

use crate::items::MAX_ITEM;
use crate::schema::{LEVELS, SLOTS};
use eddyline_sketch::ItemHash;
use serde::{Deserialize, Serialize};

/// Rows looked at together.
const GROUP: usize = 8;

/// An item and the row it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Slot {
    hash: ItemHash,
    item: Vec<u8>,
}

/// Rows are given first come and kept for good; what comes after the last free row shares one by hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    slots: Vec<Slot>,
    counts: Vec<u32>,
}

impl Histogram {
    /// The most bytes a histogram grows to.
    pub(crate) const BYTES_AT_MOST: usize = SLOTS * (4 * LEVELS + size_of::<Slot>() + MAX_ITEM);

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let items: usize = self.slots.iter().map(|slot| size_of::<Slot>() + slot.item.len()).sum();
        size_of_val(self.counts.as_slice()) + items
    }

    /// No row given yet.
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), counts: vec![0; SLOTS * LEVELS] }
    }

    /// Whether this has the shape that [`Histogram::new`] gives it; a dump may claim another.
    pub(crate) fn has_shape(&self) -> bool {
        self.counts.len() == SLOTS * LEVELS
            && self.slots.len() <= SLOTS
            && self.slots.iter().all(|slot| slot.item.len() <= MAX_ITEM && slot.hash == ItemHash::of(&slot.item))
    }

    /// Counts `value` for the item of this hash. Bucket `j` holds values from `edges[j - 1]` up to below `edges[j]`.
    pub(crate) fn add(&mut self, item: &[u8], hash: ItemHash, value: f64, edges: &[f64]) {
        let level = edges.iter().filter(|edge| value >= **edge).count();
        let slot = self.slot(item, hash);
        let cell = &mut self.counts[slot * LEVELS + level];
        *cell = cell.saturating_add(1);
    }

    /// The window's counts, row after row, appended to `out`.
    pub(crate) fn append(&self, out: &mut Vec<f32>) {
        out.extend(self.counts.iter().map(|&count| count as f32));
    }

    /// The rows that counted something: item, count, slot. Starts at another row every window, so that where not all fit
    /// into a fingerprint's `top`, each is told in time.
    pub(crate) fn top(&self, turn: u64) -> impl Iterator<Item = (&[u8], u64, u32)> {
        let n = self.slots.len();
        let start = if n == 0 { 0 } else { (turn % n as u64) as usize };
        (0..n).map(move |i| (start + i) % n).filter_map(|slot| {
            let row = &self.counts[slot * LEVELS..(slot + 1) * LEVELS];
            let count: u64 = row.iter().map(|&c| u64::from(c)).sum();
            (count > 0).then(|| (self.slots[slot].item.as_slice(), count, slot as u32))
        })
    }

    /// The window is over; rows keep their items.
    pub(crate) fn close(&mut self) {
        self.counts.fill(0);
    }

    fn slot(&mut self, item: &[u8], hash: ItemHash) -> usize {
        // groups are compared without a branch for each: most items of a wide group have no row
        for (group, slots) in self.slots.chunks(GROUP).enumerate() {
            if slots.iter().fold(false, |hit, slot| hit | (slot.hash == hash))
                && let Some(at) = slots.iter().position(|slot| slot.hash == hash)
            {
                return group * GROUP + at;
            }
        }
        if self.slots.len() < SLOTS {
            self.slots.push(Slot { hash, item: item.to_vec() });
            return self.slots.len() - 1;
        }
        hash.bucket(SLOTS)
    }
}
