//! What is counted for the items of one dimension (or joint dimensions): this window and long ago.

use crate::surprise::Counts;
use eddyline_sketch::{CountMin, Distinct, HeavyHitters, Hitter, ItemHash, Novelty};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

const DEPTH: usize = 4;
/// Heavy hitters of a window.
pub(crate) const HITTERS: usize = 32;
const DISTINCT_PRECISION: u8 = 10;
const NOVEL_ITEMS: u32 = 4096;
const NOVEL_FALSE_POSITIVES: f64 = 0.01;
/// Longest item that is counted, in bytes; a longer one is left out and said so.
pub(crate) const MAX_ITEM: usize = 1024;
/// Windows after which the long memory is halved, so that it follows slow change.
const LONG_WINDOWS: u32 = 8192;
/// Windows after which an item that wasn't seen is new again, at the latest twice this.
const NOVEL_WINDOWS: u32 = 8192;

/// What one window counted of a dimension's items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counted {
    counts: CountMin,
    hitters: HeavyHitters,
}

/// The sketches of one dimension.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Items {
    window: Counted,
    distinct: Distinct,
    new: u32,
    novelty: Novelty,
    generation: u32,
    long: CountMin,
    long_windows: u32,
}

/// The four numeric features of a dimension, and the item behind the last of them.
pub(crate) struct Summary {
    pub distinct: f32,
    pub new: f32,
    pub entropy: f32,
    pub burst: f32,
    pub startling: Option<ItemHash>,
}

impl Counted {
    /// Nothing, in count-min rows of `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        Self {
            counts: CountMin::new(width, DEPTH).expect("a width of 128 to 2047 columns"),
            hitters: HeavyHitters::new(HITTERS).expect("a constant within the sketch's range"),
        }
    }

    /// Estimated count of an item.
    pub(crate) fn estimate(&self, item: ItemHash) -> u32 {
        self.counts.estimate(item)
    }

    /// The `k` heaviest items, largest first, with their counts.
    pub(crate) fn top(&self, k: usize) -> impl Iterator<Item = (&[u8], u64, ItemHash)> {
        self.hitters.top(k).into_iter().map(|hitter| (hitter.item, self.exact(&hitter), hitter.hash))
    }

    /// Count of a heavy hitter, as exactly as it is known: neither sketch counts too little.
    fn exact(&self, hitter: &Hitter<'_>) -> u64 {
        u64::from(self.counts.estimate(hitter.hash)).min(hitter.count)
    }

    /// Back to nothing.
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.hitters.clear();
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.counts.bytes() + self.hitters.bytes()
    }

    /// Whether this has the shape that [`Counted::new`] gives it; a dump may claim another.
    pub(crate) fn has_shape(&self, width: usize) -> bool {
        self.counts.width() == width && self.counts.depth() == DEPTH && self.hitters.capacity() == HITTERS
    }
}

impl Items {
    /// Empty sketches with count-min rows of `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        const CONSTANT: &str = "constants within the sketch's range";
        Self {
            window: Counted::new(width),
            distinct: Distinct::new(DISTINCT_PRECISION).expect(CONSTANT),
            new: 0,
            novelty: Novelty::new(NOVEL_ITEMS, NOVEL_FALSE_POSITIVES).expect(CONSTANT),
            generation: 0,
            long: CountMin::new(width, DEPTH).expect("a width of 128 to 2047 columns"),
            long_windows: 0,
        }
    }

    /// The most bytes that [`Items::new`] with this width and what the last window counted can grow to.
    pub(crate) fn bytes_at_most(width: usize) -> usize {
        let novelty = 4 * NOVEL_ITEMS as usize;
        let hitters = HeavyHitters::bytes_at_most(HITTERS, MAX_ITEM);
        3 * 4 * DEPTH * width + 2 * hitters + (1 << DISTINCT_PRECISION) + novelty
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.window.bytes() + self.distinct.bytes() + self.novelty.bytes() + self.long.bytes()
    }

    /// Whether this has the shape that [`Items::new`] gives it; a dump may claim another.
    pub(crate) fn has_shape(&self, width: usize) -> bool {
        let fresh = Self::new(width);
        self.window.has_shape(width)
            && (self.long.width(), self.long.depth()) == (width, DEPTH)
            && self.distinct.bytes() == fresh.distinct.bytes()
            && self.novelty.bytes() == fresh.novelty.bytes()
            && self.long_windows < LONG_WINDOWS
            && self.generation < NOVEL_WINDOWS
    }

    /// Counts one item of this hash.
    pub(crate) fn add(&mut self, item: &[u8], hash: ItemHash) {
        self.window.counts.add(hash, 1);
        if self.window.hitters.add(item, hash, 1) {
            return; // tracked since earlier in this window: neither new nor another distinct item
        }
        self.distinct.add(hash);
        self.new = self.new.saturating_add(u32::from(self.novelty.first_seen(hash)));
    }

    /// The numeric features of the open window; `last` is what the window before counted.
    pub(crate) fn summary(&self, last: &Counted) -> Summary {
        let startling = self.startling(last);
        Summary {
            distinct: self.distinct.estimate() as f32,
            new: self.new as f32,
            entropy: self.entropy() as f32,
            burst: startling.map_or(0.0, |(_, surprise)| surprise as f32),
            startling: startling.map(|(item, _)| item),
        }
    }

    /// The window's counts in hashed buckets, appended to `out`.
    pub(crate) fn fold(&self, buckets: usize, out: &mut Vec<f32>) {
        self.window.counts.fold(buckets, out).expect("the width is a multiple of the buckets");
    }

    /// Heavy hitters of the window, `first` before the others, which come largest first: item, count, bucket.
    pub(crate) fn top(&self, first: Option<ItemHash>, buckets: usize) -> impl Iterator<Item = (&[u8], u64, u32)> {
        let mut hitters = self.window.hitters.top(HITTERS);
        if let Some(at) = first.and_then(|first| hitters.iter().position(|hitter| hitter.hash == first)) {
            hitters[..=at].rotate_right(1);
        }
        hitters
            .into_iter()
            .map(move |hitter| (hitter.item, self.window.exact(&hitter), hitter.hash.bucket(buckets) as u32))
    }

    /// What the open window counted.
    pub(crate) fn window(&self) -> &Counted {
        &self.window
    }

    /// Mean count of an item in the closed windows that the long memory still knows.
    pub(crate) fn long_run_mean(&self, item: ItemHash) -> f64 {
        f64::from(self.long.estimate(item)) / f64::from(self.long_windows.max(1))
    }

    /// The window is over: what it counted becomes part of the long memory and takes the place of `last`.
    pub(crate) fn close(&mut self, last: &mut Counted) {
        self.long.merge(&self.window.counts).expect("both have the same shape");
        self.pass_empty(1);
        std::mem::swap(&mut self.window, last);
        self.window.clear();
        self.distinct.clear();
        self.new = 0;
    }

    /// `windows` windows pass in which nothing is counted.
    pub(crate) fn pass_empty(&mut self, windows: u32) {
        self.long_windows += windows;
        while self.long_windows >= LONG_WINDOWS {
            self.long.halve();
            self.long_windows /= 2;
        }
        self.generation += windows;
        if self.generation >= NOVEL_WINDOWS {
            self.novelty.rotate();
            self.generation = 0;
        }
    }

    /// Shannon entropy of the window's items in bits, over the columns of one row: collisions join rare items.
    fn entropy(&self) -> f64 {
        let n = self.window.counts.total() as f64;
        if n == 0.0 {
            return 0.0;
        }
        let small = small_counts_bits();
        let bits = |&c: &u32| small.get(c as usize).copied().unwrap_or_else(|| bits(c));
        let sum: f64 = self.window.counts.row(0).iter().map(bits).sum();
        (libm::log2(n) - sum / n).max(0.0)
    }

    /// How surprising the count of an item in the open window is; `last` is what the window before counted.
    pub(crate) fn surprise(&self, item: ItemHash, last: &Counted) -> f64 {
        let (open, last) = (self.window.estimate(item).into(), last.estimate(item).into());
        Counts { open, last, long: self.long.estimate(item).into(), windows: self.long_windows.into() }.surprise()
    }

    /// The heavy hitter whose count surprises most, and how much; of equal ones the least hash, whatever their places.
    fn startling(&self, last: &Counted) -> Option<(ItemHash, f64)> {
        let surprises = self.window.hitters.iter().map(|hitter| (hitter.hash, self.surprise(hitter.hash, last)));
        let most = |a: (ItemHash, f64), b: (ItemHash, f64)| if (b.1, a.0) > (a.1, b.0) { b } else { a };
        surprises.filter(|(_, surprise)| *surprise > 0.0).reduce(most)
    }
}

/// `c log2 c`, 0 for 0.
fn bits(c: u32) -> f64 {
    if c > 1 { f64::from(c) * libm::log2(f64::from(c)) } else { 0.0 }
}

/// The same of every small count: most columns of a row have one.
fn small_counts_bits() -> &'static [f64; 1024] {
    static BITS: LazyLock<[f64; 1024]> = LazyLock::new(|| std::array::from_fn(|c| bits(c as u32)));
    &BITS
}
