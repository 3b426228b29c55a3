use serde::{Deserialize, Serialize};

use crate::{ItemHash, SketchError};

/// Most columns of a row.
const MAX_WIDTH: usize = 1 << 26;
/// Most rows.
const MAX_DEPTH: usize = 64;
/// Most counters in all: 256 MiB.
const MAX_CELLS: usize = 1 << 26;

/// Count-min sketch (Cormode, Muthukrishnan 2005): counts of items, never too low.
///
/// `depth` rows of `width` saturating 32-bit counters. With plain updates an estimate is at most
/// `e / width * total` too high with probability `1 - exp(-depth)`. Row 0 folds to any divisor of the width.
///
/// Use one kind of update on one sketch: the conservative one is never worse on a single sketch, but only plain
/// rows sum to [`total`](Self::total).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct CountMin {
    width: u32,
    depth: u32,
    total: u64,
    /// Row after row.
    cells: Vec<u32>,
}

impl CountMin {
    /// An empty sketch of `depth` rows (1 to 64) with `width` columns each (at least 1, any number; powers of two
    /// are a little faster), at most 2^26 counters in all.
    pub fn new(width: usize, depth: usize) -> Result<Self, SketchError> {
        let cells = check_shape(width, depth)?;
        Ok(Self { width: width as u32, depth: depth as u32, total: 0, cells: vec![0; cells] })
    }

    /// Adds `n` to the item's counter in every row.
    #[inline]
    pub fn add(&mut self, hash: ItemHash, n: u32) {
        let width = self.width();
        for row in 0..self.depth() {
            let cell = &mut self.cells[row * width + hash.column(row, width)];
            *cell = cell.saturating_add(n);
        }
        self.total = self.total.saturating_add(u64::from(n));
    }

    /// Adds `n` with conservative update (Estan, Varghese 2002): raises only the counters below the item's new
    /// estimate, so other items are overestimated less.
    #[inline]
    pub fn add_conservative(&mut self, hash: ItemHash, n: u32) {
        let width = self.width();
        let raised = self.estimate(hash).saturating_add(n);
        for (row, cells) in self.cells.chunks_exact_mut(width).enumerate() {
            let cell = &mut cells[hash.column(row, width)];
            *cell = (*cell).max(raised);
        }
        self.total = self.total.saturating_add(u64::from(n));
    }

    /// Estimated count of the item; never below the true one.
    #[inline]
    pub fn estimate(&self, hash: ItemHash) -> u32 {
        let width = self.width();
        let mut least = u32::MAX;
        for row in 0..self.depth() {
            least = least.min(self.cells[row * width + hash.column(row, width)]);
        }
        least
    }

    /// The counters of row `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[u32] {
        let width = self.width();
        &self.cells[index * width..][..width]
    }

    /// Appends row 0, folded to `buckets` sums, to `out`: an item's counter goes into [`ItemHash::bucket`].
    /// Values above 2^24 are rounded to the nearest `f32`. The width must be a multiple of `buckets`.
    pub fn fold(&self, buckets: usize, out: &mut Vec<f32>) -> Result<(), SketchError> {
        let width = self.width();
        if buckets == 0 || !width.is_multiple_of(buckets) {
            return Err(SketchError::NotFoldable { width, buckets });
        }
        let mut sums = vec![0u64; buckets];
        for cells in self.row(0).chunks_exact(buckets) {
            for (sum, &cell) in sums.iter_mut().zip(cells) {
                *sum += u64::from(cell);
            }
        }
        out.extend(sums.iter().map(|&sum| sum as f32));
        Ok(())
    }

    /// Adds the counters of a sketch of the same shape.
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if (self.width, self.depth) != (other.width, other.depth) {
            return Err(SketchError::ShapeMismatch);
        }
        let cells = self.cells.iter_mut().zip(&other.cells);
        // no counter exceeds its total: as long as the sum of those fits, plain additions do, which are several at once
        if self.total.saturating_add(other.total) <= u64::from(u32::MAX) {
            cells.for_each(|(cell, more)| *cell = cell.wrapping_add(*more));
        } else {
            cells.for_each(|(cell, more)| *cell = cell.saturating_add(*more));
        }
        self.total = self.total.saturating_add(other.total);
        Ok(())
    }

    /// Halves every counter and the total, rounding down: a long memory that forgets.
    pub fn halve(&mut self) {
        for cell in &mut self.cells {
            *cell /= 2;
        }
        self.total /= 2;
    }

    /// Back to empty.
    pub fn clear(&mut self) {
        self.cells.fill(0);
        self.total = 0;
    }

    /// Sum of all `n` added, halved with the counters.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Columns of a row.
    #[inline]
    pub fn width(&self) -> usize {
        self.width as usize
    }

    /// Number of rows.
    pub fn depth(&self) -> usize {
        self.depth as usize
    }

    /// Memory held, in bytes; fixed at construction.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.cells.as_slice())
    }
}

/// The number of counters of a shape within limits.
fn check_shape(width: usize, depth: usize) -> Result<usize, SketchError> {
    if !(1..=MAX_WIDTH).contains(&width) {
        return Err(SketchError::OutOfRange { what: "width", allowed: "1 to 67108864" });
    }
    if !(1..=MAX_DEPTH).contains(&depth) {
        return Err(SketchError::OutOfRange { what: "depth", allowed: "1 to 64" });
    }
    match width.checked_mul(depth) {
        Some(cells) if cells <= MAX_CELLS => Ok(cells),
        _ => Err(SketchError::OutOfRange { what: "width times depth", allowed: "at most 67108864" }),
    }
}

#[derive(Deserialize)]
struct Unchecked {
    width: u32,
    depth: u32,
    total: u64,
    cells: Vec<u32>,
}

impl TryFrom<Unchecked> for CountMin {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        let width = raw.width as usize;
        if raw.cells.len() != check_shape(width, raw.depth as usize)? {
            return Err(SketchError::Corrupt("counters don't fit the shape"));
        }
        // Equal after plain updates, less after conservative ones, saturation and halving; never more.
        for row in raw.cells.chunks_exact(width) {
            if row.iter().map(|&cell| u64::from(cell)).sum::<u64>() > raw.total {
                return Err(SketchError::Corrupt("counters exceed their total"));
            }
        }
        Ok(Self { width: raw.width, depth: raw.depth, total: raw.total, cells: raw.cells })
    }
}
