//! The record that names a fingerprint's features, kept as JSON in `{monitor}:schemas` under the schema's id.

use serde::{Deserialize, Serialize};

/// Version of the record's shape.
pub const VERSION: u32 = 1;

/// A schema: the window's length and the blocks in vector order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// [`VERSION`].
    pub v: u32,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// Blocks in vector order.
    pub blocks: Vec<Block>,
}

/// A run of features that one model scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Block {
    /// Plain numbers.
    Numeric {
        /// Names in vector order, such as `service:entropy`.
        features: Vec<String>,
    },
    /// Hashed buckets of a dimension.
    Counts {
        /// The dimension, or the joined dimensions of a cross.
        name: String,
        /// Number of buckets.
        buckets: u32,
    },
    /// Rows of log buckets: one row an item of `group`, side by side.
    Histogram {
        /// The cross, such as `peer*latency_ms`.
        name: String,
        /// Its categorical part.
        group: String,
        /// Its measure.
        measure: String,
        /// Number of rows.
        slots: u32,
        /// Upper edges of all buckets but the last, in the measure's unit; a row has one bucket more.
        edges: Vec<f64>,
    },
}

impl Block {
    /// Number of features in the block.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric { features } => features.len(),
            Self::Counts { buckets, .. } => *buckets as usize,
            Self::Histogram { slots, edges, .. } => *slots as usize * (edges.len() + 1),
        }
    }

    /// Whether the block has no feature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Longest window: a day.
const MAX_WINDOW_MS: u64 = 86_400_000;

/// Why a schema record was refused.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not the JSON of a schema.
    #[error("schema record can't be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by a newer release.
    #[error("schema record has version {0}, this release reads up to {VERSION}")]
    Version(u32),
    /// More features than a fingerprint may have, or an impossible block.
    #[error("schema record is out of limits: {0}")]
    Limits(&'static str),
}

impl Schema {
    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    /// Whether there is no feature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the features in vector order, as `EDDY.SCHEMA` tells them.
    pub fn features(&self) -> impl Iterator<Item = String> {
        self.blocks.iter().flat_map(|block| -> Box<dyn Iterator<Item = String>> {
            match block {
                Block::Numeric { features } => Box::new(features.iter().cloned()),
                Block::Counts { name, buckets } => {
                    Box::new((0..*buckets).map(move |bucket| format!("{name}[{bucket}]")))
                }
                Block::Histogram { name, slots, edges, .. } => Box::new((0..*slots).flat_map(move |slot| {
                    let below = edges.iter().map(move |edge| format!("{name}[{slot}]<{edge}"));
                    let rest = edges.last().map_or_else(String::new, |edge| format!(">={edge}"));
                    below.chain(std::iter::once(format!("{name}[{slot}]{rest}")))
                })),
            }
        })
    }

    /// The record.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and finite numbers always serialise")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Anything that isn't a schema of a version and size this release reads.
    pub fn from_json(json: &[u8]) -> Result<Self, SchemaError> {
        let schema: Self = serde_json::from_slice(json)?;
        if schema.v > VERSION {
            return Err(SchemaError::Version(schema.v));
        }
        if !(1..=MAX_WINDOW_MS).contains(&schema.window_ms) {
            return Err(SchemaError::Limits("a window of 0 ms, or of more than a day"));
        }
        for block in &schema.blocks {
            let sane = match block {
                Block::Numeric { features } => features.len() <= crate::fingerprint::MAX_FEATURES,
                Block::Counts { buckets, .. } => *buckets <= 1024,
                Block::Histogram { slots, edges, .. } => {
                    *slots <= 1024 && edges.len() < 64 && edges.windows(2).all(|pair| pair[0] < pair[1])
                }
            };
            if !sane || block.is_empty() {
                return Err(SchemaError::Limits("an empty, oversized or unordered block"));
            }
        }
        if schema.is_empty() || schema.len() > crate::fingerprint::MAX_FEATURES {
            return Err(SchemaError::Limits("the number of features"));
        }
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOLDEN: &str = include_str!("../fixtures/schema.json");

    #[test]
    fn the_record_has_its_golden_text() {
        let schema = Schema {
            v: VERSION,
            window_ms: 5000,
            blocks: vec![
                Block::Numeric { features: vec!["count".into(), "service:distinct".into()] },
                Block::Counts { name: "service".into(), buckets: 32 },
                Block::Histogram {
                    name: "peer*latency_ms".into(),
                    group: "peer".into(),
                    measure: "latency_ms".into(),
                    slots: 32,
                    edges: vec![0.25, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0],
                },
            ],
        };
        assert_eq!(schema.to_json(), GOLDEN.trim());
        assert_eq!(Schema::from_json(GOLDEN.as_bytes()).unwrap(), schema);
        assert_eq!(schema.len(), 2 + 32 + 32 * 8);
    }

    #[test]
    fn every_feature_has_a_name() {
        let schema = Schema::from_json(GOLDEN.as_bytes()).unwrap();
        let names: Vec<String> = schema.features().collect();
        assert_eq!(names.len(), schema.len());
        assert_eq!((names[1].as_str(), names[2].as_str()), ("service:distinct", "service[0]"));
        assert_eq!((names[34].as_str(), names[41].as_str()), ("peer*latency_ms[0]<0.25", "peer*latency_ms[0]>=1024"));
    }

    #[test]
    fn a_newer_or_impossible_record_is_refused() {
        let newer = GOLDEN.replace("\"v\":1", "\"v\":2");
        assert!(matches!(Schema::from_json(newer.as_bytes()), Err(SchemaError::Version(2))));
        let huge = GOLDEN.replace("\"buckets\":32", "\"buckets\":4294967295");
        assert!(matches!(Schema::from_json(huge.as_bytes()), Err(SchemaError::Limits(_))));
        for window in ["0", "86400001", "18446744073709551615"] {
            let odd = GOLDEN.replace("\"window_ms\":5000", &format!("\"window_ms\":{window}"));
            assert!(matches!(Schema::from_json(odd.as_bytes()), Err(SchemaError::Limits(_))), "{window}");
        }
    }

    proptest! {
        #[test]
        fn a_truncated_record_is_refused(end in 0..GOLDEN.trim_end().len()) {
            prop_assert!(Schema::from_json(&GOLDEN.as_bytes()[..end]).is_err());
        }
    }
}
