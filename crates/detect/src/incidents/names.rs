//! Which items stand behind rows and buckets, remembered beyond the window that named them: an item that vanished is in no
//! window any more.

use crate::incidents::verdict::{CauseItem, Direction};
use crate::layout::{Block, Layout};
use crate::window::{Item, SlotName, Window};
use serde::{Deserialize, Serialize};

/// Items remembered of a bucket.
const EACH: usize = 3;
/// Longest text remembered, in bytes.
const LONGEST: usize = 128;
/// How fast the usual count of an item follows.
const RATE: f32 = 0.02;

/// How fast its recent count does, about as long as counts are summed.
const RECENT_RATE: f32 = 0.3;

/// An item and how often it usually occurs in a window, and did in the last few.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    item: String,
    usual: f32,
    recent: f32,
}

impl Known {
    fn new(item: &str) -> Self {
        Self { item: shorten(item), usual: 0.0, recent: 0.0 }
    }

    fn occurred(&mut self, count: f32, calm: bool) {
        self.recent += RECENT_RATE * count;
        if calm {
            self.usual += RATE * count;
        }
    }
}

/// Items by block and then by row or bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Names {
    blocks: Vec<Vec<Vec<Known>>>,
}

impl Names {
    pub(crate) fn new(layout: &Layout) -> Self {
        let places = |block: &Block| match block {
            Block::Numeric { .. } => 0,
            Block::Counts { buckets, .. } => *buckets,
            Block::Histogram { slots, .. } => *slots,
        };
        Self { blocks: layout.blocks.iter().map(|block| vec![Vec::new(); places(block)]).collect() }
    }

    /// Takes in the names of rows; before the window is judged.
    pub(crate) fn name_rows(&mut self, layout: &Layout, slots: &[SlotName]) {
        for SlotName { block, slot, item } in slots {
            let named =
                |(_, layout): &(usize, &Block)| matches!(layout, Block::Histogram { name, .. } if name == block);
            if let Some((index, _)) = layout.blocks.iter().enumerate().find(named)
                && let Some(row) = self.blocks[index].get_mut(*slot)
                && row.len() < EACH
                && row.iter().all(|known| known.item != *item)
            {
                row.push(Known::new(item));
            }
        }
    }

    /// Takes in how often items occurred; after the window is judged. What is usual doesn't change while it isn't `calm`.
    pub(crate) fn learn(&mut self, layout: &Layout, items: &[Item], calm: bool) {
        for (index, block) in layout.blocks.iter().enumerate() {
            let Block::Counts { name, .. } = block else { continue };
            for known in self.blocks[index].iter_mut().flatten() {
                known.recent *= 1.0 - RECENT_RATE;
                if calm {
                    known.usual *= 1.0 - RATE;
                }
            }
            for item in items.iter().filter(|item| item.dimension == *name) {
                if let Some(bucket) = self.blocks[index].get_mut(item.bucket) {
                    remember(bucket, item, calm);
                }
            }
        }
    }

    /// Items of a histogram's row, which has so many observations in this window.
    pub(crate) fn of_row(&self, block: usize, row: usize, count: u64) -> Vec<CauseItem> {
        self.blocks[block][row].iter().map(|known| CauseItem { item: known.item.clone(), count }).collect()
    }

    /// Items of a bucket of a `Counts` block with their counts in this window, the one that tells most first: what rose
    /// most above its usual count, or fell most below it.
    pub(crate) fn of_bucket(
        &self,
        block: usize,
        bucket: usize,
        direction: Direction,
        dimension: &str,
        window: &Window,
    ) -> Vec<CauseItem> {
        let known = &self.blocks[block][bucket];
        let here = window.items.iter().filter(|item| item.dimension == dimension && item.bucket == bucket);
        let mut items: Vec<CauseItem> =
            here.map(|item| CauseItem { item: item.item.clone(), count: item.count }).collect();
        let absent = |known: &&Known| items.iter().all(|item| item.item != known.item);
        let absent: Vec<&Known> = known.iter().filter(absent).collect();
        items.extend(absent.into_iter().map(|known| CauseItem { item: known.item.clone(), count: 0 }));
        // The bucket may be summed over a few windows, so an item's last few count as well as this one.
        let rise = |item: &CauseItem| {
            let known = known.iter().find(|known| known.item == item.item);
            let (usual, recent) = known.map_or((0.0, 0.0), |known| (f64::from(known.usual), f64::from(known.recent)));
            match direction {
                Direction::Up => (item.count as f64).max(recent) - usual,
                Direction::Down => item.count as f64 - usual,
            }
        };
        items.sort_by(|a, b| {
            let order = match direction {
                Direction::Up => rise(b).total_cmp(&rise(a)),
                Direction::Down => rise(a).total_cmp(&rise(b)),
            };
            order.then_with(|| a.item.cmp(&b.item))
        });
        items.truncate(EACH);
        // Of what rose, one that isn't in this window is named only if it leads.
        let mut first = true;
        items.retain(|item| std::mem::take(&mut first) || item.count > 0 || direction == Direction::Down);
        items
    }

    /// How often an item of a block usually occurs in a window; 0 for one never heard of.
    pub(crate) fn usual(&self, block: usize, item: &str) -> f64 {
        self.blocks[block].iter().flatten().find(|known| known.item == item).map_or(0.0, |known| f64::from(known.usual))
    }

    /// Items of a dimension that occur far more often than usual.
    pub(crate) fn risen(&self, dimension: &str, window: &Window, layout: &Layout) -> Vec<CauseItem> {
        let counts = |block: &Block| matches!(block, Block::Counts { name, .. } if name == dimension);
        let Some(block) = layout.blocks.iter().position(counts) else { return Vec::new() };
        let risen =
            |item: &&Item| item.dimension == dimension && item.count as f64 > 2.0 * self.usual(block, &item.item) + 3.0;
        let mut items: Vec<&Item> = window.items.iter().filter(risen).collect();
        let rise = |item: &Item| item.count as f64 - self.usual(block, &item.item);
        items.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
        items.into_iter().take(EACH).map(|item| CauseItem { item: item.item.clone(), count: item.count }).collect()
    }

    pub(crate) fn is_consistent(&self, layout: &Layout) -> bool {
        let made = Self::new(layout);
        let sound = |known: &Known| known.item.len() <= LONGEST && known.usual.is_finite() && known.recent.is_finite();
        self.blocks.len() == made.blocks.len()
            && self.blocks.iter().zip(&made.blocks).all(|(places, made)| places.len() == made.len())
            && self.blocks.iter().flatten().all(|place| place.len() <= EACH && place.iter().all(sound))
    }
}

/// Moves an item's usual count towards this one, pushing out the least usual item where the bucket is full.
fn remember(bucket: &mut Vec<Known>, item: &Item, calm: bool) {
    let count = item.count as f32;
    if let Some(known) = bucket.iter_mut().find(|known| known.item == item.item) {
        known.occurred(count, calm);
        return;
    }
    let mut known = Known::new(&item.item);
    known.occurred(count, calm);
    if bucket.len() < EACH {
        bucket.push(known);
    } else if let Some(least) =
        bucket.iter_mut().min_by(|a, b| a.usual.total_cmp(&b.usual)).filter(|least| least.usual < known.usual)
    {
        *least = known;
    }
}

fn shorten(item: &str) -> String {
    let mut end = item.len().min(LONGEST);
    while !item.is_char_boundary(end) {
        end -= 1;
    }
    item[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout { blocks: vec![Block::Counts { name: "endpoint".to_owned(), buckets: 4 }] }
    }

    fn item(item: &str, count: u64, bucket: usize) -> Item {
        Item { dimension: "endpoint".to_owned(), item: item.to_owned(), count, bucket }
    }

    fn window(items: &[Item]) -> Window<'_> {
        Window { end_ms: 1, n: 0, values: &[], gap_ms: 0, items, slots: &[] }
    }

    #[test]
    fn a_vanished_item_is_still_known() {
        let layout = layout();
        let mut names = Names::new(&layout);
        (0..50).for_each(|_| names.learn(&layout, &[item("/pay", 20, 2), item("/rare", 1, 2)], true));
        (0..20).for_each(|_| names.learn(&layout, &[], false));
        let behind = names.of_bucket(0, 2, Direction::Down, "endpoint", &window(&[]));
        assert_eq!(behind.iter().map(|item| item.item.as_str()).collect::<Vec<_>>(), ["/pay", "/rare"]);
    }

    #[test]
    fn of_two_items_in_a_bucket_the_one_that_vanished_comes_first() {
        let layout = layout();
        let mut names = Names::new(&layout);
        (0..500).for_each(|_| names.learn(&layout, &[item("/login", 9, 2), item("/quote", 8, 2)], true));
        let here = [item("/login", 9, 2)];
        let first = |direction| names.of_bucket(0, 2, direction, "endpoint", &window(&here))[0].item.clone();
        assert_eq!((first(Direction::Down).as_str(), first(Direction::Up).as_str()), ("/quote", "/login"));
    }

    #[test]
    fn a_full_bucket_keeps_what_is_usual() {
        let layout = layout();
        let mut names = Names::new(&layout);
        (0..50).for_each(|_| names.learn(&layout, &[item("/a", 20, 0), item("/b", 20, 0), item("/c", 20, 0)], true));
        (0..50).for_each(|scan| names.learn(&layout, &[item(&format!("/scan{scan}"), 1, 0)], true));
        assert!(names.usual(0, "/a") > 0.0 && names.usual(0, "/scan3") == 0.0);
    }

    #[test]
    fn only_what_rose_is_named() {
        let layout = layout();
        let mut names = Names::new(&layout);
        (0..500).for_each(|_| names.learn(&layout, &[item("/a", 20, 0)], true));
        let items = [item("/a", 25, 0), item("/new", 30, 1)];
        let risen = names.risen("endpoint", &window(&items), &layout);
        assert_eq!(risen, [CauseItem { item: "/new".to_owned(), count: 30 }]);
    }

    #[test]
    fn long_items_are_cut_at_a_character() {
        assert_eq!(shorten(&"é".repeat(100)).len(), 128);
        assert_eq!(shorten(&format!("a{}", "é".repeat(100))).len(), 127);
    }
}
