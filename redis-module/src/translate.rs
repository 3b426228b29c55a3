//! Between the words of the wire and the monitor's.

use eddyline_monitor::{self as monitor, Definition, EntryId, Hashed};
use eddyline_wire::command::create::{Clock, Create, Measure};
use eddyline_wire::fingerprint::{Fingerprint, Top};
use eddyline_wire::{command, schema};

/// What `EDDY.CREATE` asked for.
pub(crate) fn definition(create: &Create) -> Definition {
    let measure = |m: &Measure| monitor::Measure { field: m.field.clone(), first_edge: m.first_edge };
    Definition {
        window_ms: create.window_ms,
        buckets: create.buckets,
        memory: create.memory,
        retention: create.retention,
        clock: clock(create.clock),
        sources: create.sources.clone(),
        dimensions: create.dimensions.clone(),
        crosses: create.crosses.iter().map(|parts| parts.iter().map(measure).collect()).collect(),
        measures: create.measures.iter().map(measure).collect(),
        uniques: create.uniques.clone(),
        hashed: Hashed { fields: create.hashed.clone(), key: create.salt.unwrap_or_default() },
    }
}

/// Who moves time.
pub(crate) fn clock(clock: Clock) -> monitor::Clock {
    match clock {
        Clock::Server => monitor::Clock::Server,
        Clock::Stream => monitor::Clock::Stream,
    }
}

/// An entry id as a command carries it.
pub(crate) fn entry_id(id: command::EntryId) -> EntryId {
    EntryId { ms: id.ms, seq: id.seq }
}

/// The record of a schema.
pub(crate) fn schema(from: &monitor::Schema) -> schema::Schema {
    let block = |block: &monitor::Block| match block.clone() {
        monitor::Block::Numeric { features } => schema::Block::Numeric { features },
        monitor::Block::Counts { name, buckets } => schema::Block::Counts { name, buckets },
        monitor::Block::Histogram { name, group, measure, slots, edges } => {
            schema::Block::Histogram { name, group, measure, slots, edges }
        }
    };
    schema::Schema { v: schema::VERSION, window_ms: from.window_ms, blocks: from.blocks.iter().map(block).collect() }
}

/// The stream entry of a closed window.
pub(crate) fn fingerprint(closed: &monitor::Closed, schema: &monitor::Schema) -> Fingerprint {
    Fingerprint {
        end_ms: closed.end_ms,
        n: closed.n,
        schema: schema.id,
        values: closed.values.clone(),
        top: Top::of(closed.named_top(schema)),
        gap_ms: closed.gap_ms,
        partial: closed.partial,
    }
}
