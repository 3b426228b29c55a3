//! What to watch, as the user gave it.

use crate::hashed::Hashed;
use serde::{Deserialize, Serialize};

/// Most dimensions, crosses and measures.
pub const MAX_FIELDS: usize = 16;
/// Most unique fields.
pub const MAX_UNIQUES: usize = 8;
/// Most fields of which only a hash is stored.
pub const MAX_HASHED: usize = 16;
/// Most sources.
pub const MAX_SOURCES: usize = 16;
/// Longest name of a field or source, in bytes.
pub const MAX_NAME: usize = 1024;
/// Longest vector.
pub const MAX_FEATURES: usize = 16_384;
/// Latest time a monitor accepts, ms since the epoch.
pub const MAX_MS: u64 = 1 << 48;

/// Who moves a monitor's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Clock {
    /// The server's clock, as well as entries: a jump by an entry is time of which nothing is known.
    #[default]
    Server,
    /// Entries and closings alone: a jump by an entry is a run of empty windows.
    Stream,
}

/// A numeric field, or any field as part of a cross.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The field.
    pub field: String,
    /// Upper edge of the first log bucket, in the field's unit; the next ones are ×4 apart.
    pub first_edge: Option<f64>,
}

/// What to watch. With all four lists empty, the fields are inferred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Window length in ms, 100 to 86,400,000.
    pub window_ms: u64,
    /// Buckets of a counts block, 8 to 1024.
    pub buckets: u32,
    /// Bytes that the monitor may take.
    pub memory: u64,
    /// Fingerprints kept in the stream.
    pub retention: u64,
    /// Who moves time.
    pub clock: Clock,
    /// Streams to read.
    pub sources: Vec<Vec<u8>>,
    /// Categorical fields.
    pub dimensions: Vec<String>,
    /// Joint items of two or three fields, at most one of them a measure.
    pub crosses: Vec<Vec<Measure>>,
    /// Numeric fields.
    pub measures: Vec<Measure>,
    /// Fields of which the distinct values are counted.
    pub uniques: Vec<String>,
    /// Fields of which only a keyed hash is stored. Stands apart in the encoding, which didn't have it at first.
    #[serde(skip)]
    pub hashed: Hashed,
}

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A number or list out of its limits.
    #[error("{0}")]
    OutOfLimits(&'static str),
    /// The fields don't fit into the memory allowed.
    #[error("MEMORY {allowed} is too small: these fields take at least {needed} bytes")]
    Memory {
        /// Bytes that the fields take at least.
        needed: u64,
        /// Bytes that were allowed.
        allowed: u64,
    },
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            window_ms: 5000,
            buckets: 32,
            memory: 1 << 20,
            retention: 20_000,
            clock: Clock::Server,
            sources: Vec::new(),
            dimensions: Vec::new(),
            crosses: Vec::new(),
            measures: Vec::new(),
            uniques: Vec::new(),
            hashed: Hashed::default(),
        }
    }
}

impl Definition {
    /// Whether no field is given, so that all are inferred.
    #[must_use]
    pub fn inferred(&self) -> bool {
        self.dimensions.is_empty() && self.crosses.is_empty() && self.measures.is_empty() && self.uniques.is_empty()
    }

    /// Whether `part` of a cross is its measure.
    pub(crate) fn is_measure(&self, part: &Measure) -> bool {
        part.first_edge.is_some() || self.measures.iter().any(|measure| measure.field == part.field)
    }

    /// Checks every limit; a definition that came from a dump is checked like one that came from a user.
    pub(crate) fn check(&self) -> Result<(), DefinitionError> {
        let lists = [self.dimensions.len(), self.crosses.len(), self.measures.len()];
        let names = self
            .dimensions
            .iter()
            .chain(&self.uniques)
            .chain(&self.hashed.fields)
            .chain(self.measures.iter().map(|m| &m.field));
        let parts = self.crosses.iter().flatten();
        let edges = self.measures.iter().chain(self.crosses.iter().flatten()).filter_map(|m| m.first_edge);
        let limits = [
            ((100..=86_400_000).contains(&self.window_ms), "WINDOW must be 100 to 86400000 ms"),
            ((8..=1024).contains(&self.buckets), "BUCKETS must be 8 to 1024"),
            ((1..=10_000_000).contains(&self.retention), "RETENTION must be at most 10000000"),
            (self.memory <= 1 << 26, "MEMORY must be at most 67108864 bytes"),
            (lists.iter().all(|&n| n <= MAX_FIELDS), "at most 16 dimensions, crosses and measures"),
            (self.uniques.len() <= MAX_UNIQUES, "at most 8 uniques"),
            (self.sources.len() <= MAX_SOURCES, "at most 16 sources"),
            (self.hashed.fields.len() <= MAX_HASHED, "at most 16 hashed fields"),
            (
                names.chain(parts.map(|part| &part.field)).all(|name| (1..=MAX_NAME).contains(&name.len())),
                "names are 1 to 1024 bytes",
            ),
            (
                self.sources.iter().all(|source| (1..=MAX_NAME).contains(&source.len())),
                "sources are 1 to 1024 bytes long",
            ),
            (
                self.crosses.iter().all(|parts| {
                    let measures = parts.iter().filter(|part| self.is_measure(part)).count();
                    (2..=3).contains(&parts.len()) && measures <= 1
                }),
                "a cross has two or three parts, at most one of them a measure",
            ),
            (
                !self.measures.iter().any(|m| self.hashed.fields.contains(&m.field)),
                "a measure can't be hashed: its numbers are needed",
            ),
            (edges.into_iter().all(|edge| (1e-12..=1e12).contains(&edge)), "first edges are 1e-12 to 1e12"),
        ];
        match limits.iter().find(|(holds, _)| !holds) {
            Some((_, message)) => Err(DefinitionError::OutOfLimits(message)),
            None => Ok(()),
        }
    }
}
