//! Vectors that somebody else made, as fingerprints: what a vector monitor and a replay of vectors share.

use crate::judge::NamedSchema;
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::schema::{self, Block, Schema};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Most features of a vector monitor: a model's memory grows with them.
pub const MAX_FEATURES: usize = 1024;

/// The schema of vectors of these features, one every `period_ms`. Its id is a function of both.
#[must_use]
pub fn named_schema(period_ms: u64, features: Vec<String>) -> Arc<NamedSchema> {
    let blocks = vec![Block::Numeric { features }];
    let record = Schema { v: schema::VERSION, window_ms: period_ms, blocks };
    Arc::new(NamedSchema { id: xxh3_64(record.to_json().as_bytes()), record })
}

/// The fingerprint of one vector.
#[must_use]
pub fn fingerprint(end_ms: u64, schema: u64, values: Vec<f32>) -> Fingerprint {
    Fingerprint { end_ms, n: 1, schema, values, top: Top::default(), gap_ms: 0, partial: false }
}
