//! Between the words of the wire and the monitor's: a definition one way, schema and fingerprint the other. The module
//! has the same, byte for byte.

use eddyline_monitor::{self as monitor, Definition, Hashed};
use eddyline_wire::command::create::{Clock, Create, Measure};
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::schema::{self, Block, Schema};

/// What was asked for, as the monitor takes it.
#[must_use]
pub fn definition(create: &Create) -> Definition {
    let measure = |measure: &Measure| monitor::Measure { field: measure.field.clone(), first_edge: measure.first_edge };
    Definition {
        window_ms: create.window_ms,
        buckets: create.buckets,
        memory: create.memory,
        retention: create.retention,
        clock: match create.clock {
            Clock::Server => monitor::Clock::Server,
            Clock::Stream => monitor::Clock::Stream,
        },
        sources: create.sources.clone(),
        dimensions: create.dimensions.clone(),
        crosses: create.crosses.iter().map(|parts| parts.iter().map(measure).collect()).collect(),
        measures: create.measures.iter().map(measure).collect(),
        uniques: create.uniques.clone(),
        hashed: Hashed { fields: create.hashed.clone(), key: create.salt.unwrap_or_default() },
    }
}

/// The record of a schema.
#[must_use]
pub fn record(names: &monitor::Schema) -> Schema {
    let blocks = names.blocks.iter().map(|block| match block.clone() {
        monitor::Block::Numeric { features } => Block::Numeric { features },
        monitor::Block::Counts { name, buckets } => Block::Counts { name, buckets },
        monitor::Block::Histogram { name, group, measure, slots, edges } => {
            Block::Histogram { name, group, measure, slots, edges }
        }
    });
    Schema { v: schema::VERSION, window_ms: names.window_ms, blocks: blocks.collect() }
}

/// The entry of a closed window.
#[must_use]
pub fn fingerprint(closed: &monitor::Closed, names: &monitor::Schema) -> Fingerprint {
    Fingerprint {
        end_ms: closed.end_ms,
        n: closed.n,
        schema: names.id,
        values: closed.values.clone(),
        top: Top::of(closed.named_top(names)),
        gap_ms: closed.gap_ms,
        partial: closed.partial,
    }
}
