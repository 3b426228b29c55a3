//! Names for the features, block by block in vector order.

use serde::Serialize;

/// Rows of a histogram block.
pub(crate) const SLOTS: usize = 32;
/// Log buckets of a row.
pub(crate) const LEVELS: usize = 8;

/// A run of features that one model scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Block {
    /// Plain numbers.
    Numeric {
        /// Names in vector order.
        features: Vec<String>,
    },
    /// Hashed buckets of a dimension or of joint items.
    Counts {
        /// The dimension.
        name: String,
        /// Number of buckets.
        buckets: u32,
    },
    /// Rows of log buckets, one row an item of the group.
    Histogram {
        /// The cross, `group*measure`.
        name: String,
        /// Its categorical part.
        group: String,
        /// Its measure.
        measure: String,
        /// Number of rows.
        slots: u32,
        /// Upper edges of all buckets of a row but the last.
        edges: Vec<f64>,
    },
}

/// The features of a monitor's fingerprints.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Hash of all that follows: the same fields give the same id.
    pub id: u64,
    /// Window length in ms.
    pub window_ms: u64,
    /// Blocks in vector order.
    pub blocks: Vec<Block>,
}

impl Schema {
    pub(crate) fn new(window_ms: u64, blocks: Vec<Block>) -> Self {
        let bytes = postcard::to_stdvec(&(window_ms, &blocks)).expect("plain values always serialise");
        Self { id: xxhash_rust::xxh3::xxh3_64(&bytes), window_ms, blocks }
    }

    /// Names of the features in vector order: `service:entropy`, `service[5]`, `peer*latency_ms[3]<16`, `…[3]>=1024`.
    pub fn features(&self) -> impl Iterator<Item = String> {
        self.blocks.iter().flat_map(|block| -> Box<dyn Iterator<Item = String>> {
            match block {
                Block::Numeric { features } => Box::new(features.iter().cloned()),
                Block::Counts { name, buckets } => Box::new((0..*buckets).map(move |b| format!("{name}[{b}]"))),
                Block::Histogram { name, slots, edges, .. } => Box::new((0..*slots).flat_map(move |slot| {
                    let below = edges.iter().map(move |edge| format!("{name}[{slot}]<{edge}"));
                    below.chain(edges.last().map(|edge| format!("{name}[{slot}]>={edge}")))
                })),
            }
        })
    }

    /// Length of the vector.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features().count()
    }

    /// Never: `count` is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}
