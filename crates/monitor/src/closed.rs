//! A closed window, as it leaves the monitor.

use crate::schema::{Block, Schema};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most items in a fingerprint's `top`.
pub(crate) const MAX_TOP_ITEMS: usize = 64;
/// Bytes that the items of a waiting fingerprint take at most.
pub(crate) const TOP_BYTES: usize = 4096;
/// A closed window: what its fingerprint says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// End of the window, ms since the epoch.
    pub end_ms: u64,
    /// Observations in it.
    pub n: u64,
    /// The features in the schema's order; NaN = missing.
    pub values: Vec<f32>,
    /// Milliseconds before what was observed of the window of which nothing is known.
    pub gap_ms: u64,
    /// Whether only a part of the window was observed: time was unknown at its start or its end.
    pub partial: bool,
    /// Heavy hitters behind the buckets, in order of priority; shared by the copies of a window.
    pub top: Arc<[TopItem]>,
}

impl Closed {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let items: usize = self.top.iter().map(|item| size_of::<TopItem>() + item.item.len()).sum();
        size_of_val(self.values.as_slice()) + items
    }

    /// The heavy hitters with the names of their blocks, in order of priority: block, item, count, bucket.
    pub fn named_top<'a>(&'a self, schema: &'a Schema) -> impl Iterator<Item = (&'a str, &'a [u8], u64, u32)> {
        self.top.iter().filter_map(|item| match schema.blocks.get(usize::from(item.block))? {
            Block::Counts { name, .. } | Block::Histogram { name, .. } => {
                Some((name.as_str(), item.item.as_slice(), item.count, item.bucket))
            }
            Block::Numeric { .. } => None,
        })
    }
}

/// A heavy hitter behind a bucket of a counts block or a row of a histogram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopItem {
    /// Number of the block in the schema.
    pub block: u16,
    /// The item, cut after 96 bytes.
    pub item: Vec<u8>,
    /// Its observations in the window.
    pub count: u64,
    /// Its bucket, or its slot.
    pub bucket: u32,
}
