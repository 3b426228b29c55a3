//! The definition made concrete: every field has a number, every measure its edges, everything its size.

use crate::closed::{MAX_TOP_ITEMS, TOP_BYTES, TopItem};
use crate::definition::{Definition, DefinitionError, MAX_FEATURES, MAX_FIELDS, MAX_UNIQUES, Measure};
use crate::histogram::Histogram;
use crate::items::{HITTERS, Items};
use crate::measure::MeasureState;
use crate::outbox::MAX_WAITING;
use crate::schema::{Block, LEVELS, SLOTS, Schema};
use eddyline_sketch::Distinct;
use serde::{Deserialize, Serialize};

/// Widest and narrowest count-min row, before rounding up to a multiple of the buckets.
const WIDTHS: [usize; 4] = [1024, 512, 256, 128];
/// Precision of a unique field's distinct count: 4096 registers, 1.6 % standard error.
pub(crate) const UNIQUE_PRECISION: u8 = 12;

/// Items of one field, or joint items of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Joint {
    /// Name in the schema.
    pub name: String,
    /// Numbers of its fields.
    pub parts: Vec<u16>,
}

/// A histogram of a measure for each item of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cross {
    /// Group.
    pub group: Joint,
    /// Number of the measure's field.
    pub measure: u16,
    /// Upper edges of all buckets but the last.
    pub edges: Vec<f64>,
}

/// What to count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fields {
    /// Field names; the others refer to them by number.
    pub names: Vec<String>,
    /// Dimensions, then crosses without a measure.
    pub joints: Vec<Joint>,
    /// Numbers of the measures' fields.
    pub measures: Vec<u16>,
    /// Numbers of the unique fields.
    pub uniques: Vec<u16>,
    /// Crosses with a measure.
    pub crosses: Vec<Cross>,
    /// Columns of a count-min row.
    pub width: usize,
    /// Buckets of a counts block.
    pub buckets: usize,
}

impl Fields {
    /// Makes `definition` concrete, with a `learned` first edge where none is given or known by the unit; the widest sketches
    /// that fit its memory.
    pub(crate) fn resolve(
        definition: &Definition,
        learned: impl Fn(&str) -> Option<f64>,
    ) -> Result<Self, DefinitionError> {
        let mut fields = Self::named(definition, learned);
        if fields.features() > MAX_FEATURES {
            return Err(DefinitionError::OutOfLimits(
                "more than 16384 features: fewer BUCKETS or DIMENSIONS are needed",
            ));
        }
        for width in WIDTHS {
            fields.width = width.next_multiple_of(fields.buckets);
            if fields.bytes_at_most() <= definition.memory {
                return Ok(fields);
            }
        }
        Err(DefinitionError::Memory { needed: fields.bytes_at_most(), allowed: definition.memory })
    }

    /// The fields of `definition` by their numbers, without a width yet.
    fn named(definition: &Definition, learned: impl Fn(&str) -> Option<f64>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut number = |field: &String| {
            let at = names.iter().position(|name| name == field).unwrap_or_else(|| {
                names.push(field.clone());
                names.len() - 1
            });
            at as u16
        };
        let mut joints: Vec<Joint> =
            definition.dimensions.iter().map(|d| Joint { name: d.clone(), parts: vec![number(d)] }).collect();
        let measures = definition.measures.iter().map(|m| number(&m.field)).collect();
        let uniques = definition.uniques.iter().map(&mut number).collect();
        let mut crosses = Vec::new();
        for parts in &definition.crosses {
            let (measure, group): (Vec<&Measure>, Vec<&Measure>) = parts.iter().partition(|p| definition.is_measure(p));
            let name = group.iter().map(|part| part.field.as_str()).collect::<Vec<_>>().join("*");
            let group = Joint { name, parts: group.iter().map(|part| number(&part.field)).collect() };
            match measure.first() {
                None => joints.push(group),
                Some(part) => {
                    let listed = definition.measures.iter().find(|m| m.field == part.field);
                    let first = part
                        .first_edge
                        .or(listed.and_then(|m| m.first_edge))
                        .or_else(|| edge_by_unit(&part.field))
                        .or_else(|| learned(&part.field))
                        .unwrap_or(1.0);
                    crosses.push(Cross { group, measure: number(&part.field), edges: edges(first) });
                }
            }
        }
        Self { names, joints, measures, uniques, crosses, width: 0, buckets: definition.buckets as usize }
    }

    /// What a new monitor of these fields comes to take beyond its first bytes, when it has counted ordinary traffic: items
    /// of some 12 bytes, measures over four decades, the last fingerprint.
    pub(crate) fn growth(&self) -> usize {
        const ITEM: usize = 12;
        let items = 2 * self.joints.len() * HITTERS * ITEM;
        let rows = self.crosses.len() * SLOTS * (ITEM + size_of::<Vec<u8>>() + size_of::<u64>());
        let measures = 2 * self.measures.len() * MeasureState::GROWTH;
        let told = (HITTERS * (self.joints.len() + self.crosses.len())).min(MAX_TOP_ITEMS);
        items + rows + measures + 4 * self.features() + told * (size_of::<TopItem>() + ITEM)
    }

    /// The most bytes that counting these fields takes, the waiting fingerprints included.
    pub(crate) fn bytes_at_most(&self) -> u64 {
        let joints = self.joints.len() * Items::bytes_at_most(self.width);
        let measures = self.measures.len() * MeasureState::BYTES_AT_MOST;
        let uniques = self.uniques.len() << UNIQUE_PRECISION;
        let crosses = self.crosses.len() * Histogram::BYTES_AT_MOST;
        let waiting = MAX_WAITING * (4 * self.features() + TOP_BYTES);
        (joints + measures + uniques + crosses + waiting) as u64
    }

    /// Length of the vector.
    pub(crate) fn features(&self) -> usize {
        let numeric = 1 + 4 * self.joints.len() + 5 * self.measures.len() + self.uniques.len();
        numeric + self.joints.len() * self.buckets + self.crosses.len() * SLOTS * LEVELS
    }

    /// The schema that these fields leave in fingerprints.
    pub(crate) fn schema(&self, window_ms: u64) -> Schema {
        let mut features = vec!["count".to_owned()];
        for joint in &self.joints {
            features.extend(["distinct", "new", "entropy", "burst"].map(|what| format!("{}:{what}", joint.name)));
        }
        for &measure in &self.measures {
            let name = &self.names[usize::from(measure)];
            features.extend(["mean", "p50", "p95", "p99", "max"].map(|what| format!("{name}:{what}")));
        }
        features.extend(self.uniques.iter().map(|&u| format!("{}:distinct", self.names[usize::from(u)])));
        let mut blocks = vec![Block::Numeric { features }];
        blocks.extend(
            self.joints.iter().map(|joint| Block::Counts { name: joint.name.clone(), buckets: self.buckets as u32 }),
        );
        blocks.extend(self.crosses.iter().map(|cross| {
            let measure = self.names[usize::from(cross.measure)].clone();
            Block::Histogram {
                name: format!("{}*{measure}", cross.group.name),
                group: cross.group.name.clone(),
                measure,
                slots: SLOTS as u32,
                edges: cross.edges.clone(),
            }
        }));
        Schema::new(window_ms, blocks)
    }

    /// Fresh sketches for a unique field.
    pub(crate) fn unique_sketch() -> Distinct {
        Distinct::new(UNIQUE_PRECISION).expect("a constant precision within the sketch's range")
    }
}

/// ×4 edges from `first` up.
fn edges(first: f64) -> Vec<f64> {
    std::iter::successors(Some(first), |edge| Some(edge * 4.0)).take(LEVELS - 1).collect()
}

/// 250 µs in the unit that a latency's name ends in: with ×4 buckets the last one then opens at 1.024 s.
pub(crate) fn edge_by_unit(field: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 6] = [
        ("_ns", 250_000.0),
        ("_us", 250.0),
        ("_ms", 0.25),
        ("_s", 0.000_25),
        ("_sec", 0.000_25),
        ("_seconds", 0.000_25),
    ];
    UNITS.iter().find(|(suffix, _)| field.ends_with(suffix)).map(|(_, edge)| *edge)
}

impl Fields {
    /// Whether a dump's fields can come from `definition`: every number names a field, every list is within limits.
    pub(crate) fn is_sane(&self, definition: &Definition) -> bool {
        let known = |&part: &u16| usize::from(part) < self.names.len();
        let is_joint = |joint: &Joint| (1..=3).contains(&joint.parts.len()) && joint.parts.iter().all(known);
        // not held against MEMORY: an older release may have needed less
        let given = definition.inferred() || Self::named(definition, |_| None).is_like(self);
        given
            && self.names.len() <= 88
            && self.joints.len() + self.crosses.len() <= 2 * MAX_FIELDS
            && self.measures.len() <= MAX_FIELDS
            && self.uniques.len() <= MAX_UNIQUES
            && self.buckets == definition.buckets as usize
            // of sizes within limits, so that it can be told
            && self.features() <= MAX_FEATURES
            && WIDTHS.iter().any(|width| width.next_multiple_of(self.buckets) == self.width)
            && self.joints.iter().all(is_joint)
            && self.measures.iter().chain(&self.uniques).all(known)
            && self.crosses.iter().all(|cross| {
                let rising = cross.edges.windows(2).all(|pair| pair[0] < pair[1]);
                is_joint(&cross.group) && known(&cross.measure) && cross.edges.len() == LEVELS - 1 && rising
            })
    }

    /// Equal but for the edges, which may have been learned.
    fn is_like(&self, other: &Self) -> bool {
        let groups = |fields: &Self| fields.crosses.iter().map(|c| (c.group.clone(), c.measure)).collect::<Vec<_>>();
        (&self.names, &self.joints, &self.measures, &self.uniques)
            == (&other.names, &other.joints, &other.measures, &other.uniques)
            && groups(self) == groups(other)
    }
}
