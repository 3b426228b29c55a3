//! What the numbers of a fingerprint mean, as far as detection needs to know.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Most features a layout may have.
pub const MAX_FEATURES: usize = 16_384;

/// The schema as detection sees it: blocks in vector order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// The blocks, side by side in the vector.
    pub blocks: Vec<Block>,
}

/// A stretch of the vector that is scored by one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Block {
    /// Features of any scale, one name each: `count`, `service:distinct`, `latency_ms:p95`.
    Numeric {
        /// Name of each feature, in order.
        names: Vec<String>,
    },
    /// Counts of the items of one dimension or cross, hashed into buckets. Their sum is the block's total.
    Counts {
        /// The dimension or cross: `endpoint`, `service*status`.
        name: String,
        /// Number of buckets.
        buckets: usize,
    },
    /// A cross of a dimension with a measure: one row of buckets for each slot, row-major.
    Histogram {
        /// The cross: `peer*latency_ms`.
        name: String,
        /// The dimension (or cross) whose items have the rows: `peer`.
        group: String,
        /// The measure whose values choose the bucket: `latency_ms`.
        measure: String,
        /// Number of rows.
        slots: usize,
        /// Upper bounds of all buckets of a row but the last, ascending, in the measure's unit.
        edges: Vec<f64>,
    },
}

impl Block {
    /// Features of this block.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric { names } => names.len(),
            Self::Counts { buckets, .. } => *buckets,
            Self::Histogram { slots, edges, .. } => slots.saturating_mul(edges.len() + 1),
        }
    }

    /// Whether the block has no features. A checked layout has no such block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Layout {
    /// Length of the vector.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.iter().fold(0, |sum, block| sum.saturating_add(block.len()))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each block with its stretch of a vector as long as the layout.
    pub(crate) fn slices<'a>(&'a self, vector: &'a mut [f32]) -> impl Iterator<Item = (&'a Block, &'a mut [f32])> {
        let mut rest = vector;
        self.blocks.iter().map(move |block| {
            let (values, after) = std::mem::take(&mut rest).split_at_mut(block.len());
            rest = after;
            (block, values)
        })
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.blocks.iter().any(Block::is_empty) {
            return Err(Error::EmptyBlock);
        }
        match self.len() {
            0 => return Err(Error::EmptyLayout),
            1..=MAX_FEATURES => {}
            features => return Err(Error::TooManyFeatures(features)),
        }
        for block in &self.blocks {
            if let Block::Histogram { name, edges, .. } = block {
                let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
                if !ascending || edges.iter().any(|edge| !edge.is_finite()) {
                    return Err(Error::Edges(name.clone()));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(slots: usize, edges: &[f64]) -> Layout {
        let edges = edges.to_vec();
        let (name, group, measure) = ("p*ms".to_owned(), "p".to_owned(), "ms".to_owned());
        Layout { blocks: vec![Block::Histogram { name, group, measure, slots, edges }] }
    }

    #[test]
    fn a_histogram_has_a_bucket_more_than_edges() {
        assert_eq!(histogram(32, &[1.0, 4.0, 16.0]).len(), 128);
    }

    #[test]
    fn edges_that_do_not_ascend_are_refused() {
        assert_eq!(histogram(2, &[1.0, 1.0]).check(), Err(Error::Edges("p*ms".to_owned())));
        assert_eq!(histogram(2, &[1.0, f64::NAN]).check(), Err(Error::Edges("p*ms".to_owned())));
    }

    #[test]
    fn empty_and_boundless_layouts_are_refused() {
        assert_eq!(Layout { blocks: vec![] }.check(), Err(Error::EmptyLayout));
        assert_eq!(histogram(0, &[1.0]).check(), Err(Error::EmptyBlock));
        assert_eq!(histogram(usize::MAX, &[1.0]).check(), Err(Error::TooManyFeatures(usize::MAX)));
    }
}
