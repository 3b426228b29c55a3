//! One closed window as it comes in.

use serde::{Deserialize, Serialize};

/// A fingerprint with the names behind its numbers.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// End of the window, ms since the epoch; later than the window before.
    pub end_ms: u64,
    /// Observations in the window.
    pub n: u64,
    /// The vector, as long as the layout; NaN = missing.
    pub values: &'a [f32],
    /// Milliseconds before this window of which nothing is known; 0 when it follows the one before.
    pub gap_ms: u64,
    /// Heavy hitters of the `Counts` blocks in this window.
    pub items: &'a [Item],
    /// Rows of `Histogram` blocks that got their item since the window before (repeats do no harm).
    pub slots: &'a [SlotName],
}

/// A heavy hitter behind a bucket of a `Counts` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Name of the block.
    pub dimension: String,
    /// The item, printable; the parts of a cross are joined by `*`.
    pub item: String,
    /// Observations of it in the window.
    pub count: u64,
    /// Bucket it falls into.
    pub bucket: usize,
}

/// From this window on, row `slot` of histogram `block` is `item`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotName {
    /// Name of the block.
    pub block: String,
    /// Row.
    pub slot: usize,
    /// The item, printable.
    pub item: String,
}
