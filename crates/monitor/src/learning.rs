//! Inference: the first observations tell what each field is.

use crate::definition::{Definition, MAX_FIELDS, MAX_UNIQUES, Measure};
use crate::fields::{Fields, edge_by_unit};
use crate::measure::number;
use eddyline_sketch::ItemHash;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Observations after which the fields are fixed, at the end of their window.
const OBSERVATIONS: u64 = 1000;
/// Windows with observations after which they are fixed too, if there were [`ENOUGH`] observations.
const WINDOWS: u64 = 3;
const ENOUGH: u64 = 100;
/// Most distinct values of a field that are told apart.
const MOST_DISTINCT: usize = 256;
/// Most distinct values of a number that is a category, such as a status.
const CATEGORY: usize = 50;
/// Most fields that are looked at.
const MOST_FIELDS: usize = 40;
/// Longest name that is looked at.
const LONGEST_NAME: usize = 256;

/// What is known of one field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    n: u64,
    numbers: u64,
    max: f64,
    distinct: BTreeSet<u64>,
}

/// Watches the first observations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learner {
    observations: u64,
    in_window: u64,
    windows: u64,
    fields: BTreeMap<String, Seen>,
}

/// How far learning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Observations seen.
    pub observations: u64,
    /// Observations after which the fields are fixed at the latest.
    pub needed: u64,
}

enum Kind {
    Dimension,
    Measure,
    Unique,
}

impl Learner {
    /// The most bytes that learning takes.
    pub(crate) const BYTES: u64 = (MOST_FIELDS * (LONGEST_NAME + 2 * 8 * MOST_DISTINCT + 256)) as u64;

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let seen = |(name, seen): (&String, &Seen)| 256 + name.len() + 2 * size_of::<u64>() * seen.distinct.len();
        self.fields.iter().map(seen).sum()
    }

    /// Whether `definition` leaves anything to learn: all fields, or the range of a crossed measure.
    pub(crate) fn needed(definition: &Definition) -> bool {
        let given = |part: &Measure| {
            part.first_edge.is_some()
                || edge_by_unit(&part.field).is_some()
                || definition.measures.iter().any(|m| m.field == part.field && m.first_edge.is_some())
        };
        let crossed = definition.crosses.iter().flatten().filter(|part| definition.is_measure(part));
        definition.inferred() || crossed.into_iter().any(|part| !given(part))
    }

    /// Looks at one observation; says how many the open window has.
    pub(crate) fn observe<'a>(&mut self, observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u64 {
        self.observations = self.observations.saturating_add(1);
        self.in_window = self.in_window.saturating_add(1);
        for (field, value) in observation {
            let Some(field) = std::str::from_utf8(field).ok().filter(|name| is_name(name) && !value.is_empty()) else {
                continue;
            };
            if !self.fields.contains_key(field) {
                if self.fields.len() == MOST_FIELDS {
                    continue;
                }
                self.fields.insert(field.to_owned(), Seen::default());
            }
            if let Some(seen) = self.fields.get_mut(field) {
                seen.see(value);
            }
        }
        self.in_window
    }

    /// A window is over; says whether enough was seen.
    pub(crate) fn close(&mut self) -> bool {
        self.windows = self.windows.saturating_add(u64::from(self.in_window > 0));
        self.in_window = 0;
        self.observations >= OBSERVATIONS || (self.windows >= WINDOWS && self.observations >= ENOUGH)
    }

    /// Observations in the open window.
    pub(crate) fn n(&self) -> u64 {
        self.in_window
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress { observations: self.observations, needed: OBSERVATIONS }
    }

    /// Upper edge of the first of eight ×4 buckets such that the last opens at four times the largest value or above.
    fn first_edge(&self, field: &str) -> Option<f64> {
        let max = self.fields.get(field)?.max;
        let mut top = 4096.0 * 1e-9;
        while top < 4.0 * max && top < 1e12 {
            top *= 4.0;
        }
        (max > 0.0).then_some(top / 4096.0)
    }

    /// The concrete fields: those of `definition`, or those inferred, with as many crosses as fit its memory.
    pub(crate) fn resolve(&self, definition: &Definition) -> Fields {
        let mut definition = if definition.inferred() { self.infer(definition) } else { definition.clone() };
        loop {
            if let Ok(fields) = Fields::resolve(&definition, |field| self.first_edge(field)) {
                return fields;
            }
            // the least telling goes first; a monitor of nothing takes what it takes
            let dropped = definition.crosses.pop().is_some()
                || definition.uniques.pop().is_some()
                || definition.dimensions.pop().is_some()
                || definition.measures.pop().is_some();
            if !dropped {
                definition.memory = u64::MAX;
            }
        }
    }

    /// Whether a dump's learner can be real.
    pub(crate) fn is_sane(&self) -> bool {
        self.fields.len() <= MOST_FIELDS
            && self.fields.iter().all(|(name, seen)| {
                is_name(name) && seen.distinct.len() <= MOST_DISTINCT && seen.max.is_finite() && seen.numbers <= seen.n
            })
    }

    fn infer(&self, definition: &Definition) -> Definition {
        let (mut dimensions, mut measures, mut uniques, mut few) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, seen) in &self.fields {
            match seen.kind() {
                Kind::Dimension if dimensions.len() < MAX_FIELDS => {
                    if seen.distinct.len() <= CATEGORY {
                        few.push(name.clone());
                    }
                    dimensions.push(name.clone());
                }
                Kind::Measure if measures.len() < MAX_FIELDS => {
                    measures.push(Measure { field: name.clone(), first_edge: None });
                }
                Kind::Unique if uniques.len() < MAX_UNIQUES => uniques.push(name.clone()),
                _ => {}
            }
        }
        let part = |field: &String| Measure { field: field.clone(), first_edge: None };
        let crosses = measures
            .first()
            .map(|measure| few.iter().map(|name| vec![part(name), measure.clone()]).collect())
            .unwrap_or_default();
        Definition { dimensions, crosses, measures, uniques, ..definition.clone() }
    }
}

impl Seen {
    fn see(&mut self, value: &[u8]) {
        self.n = self.n.saturating_add(1);
        if let Some(number) = number(value) {
            self.numbers = self.numbers.saturating_add(1);
            self.max = self.max.max(number);
        }
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.insert(ItemHash::of(value).to_bits());
        }
    }

    /// Few distinct values make a category, numbers with more a measure; text that hardly repeats is counted as unique.
    fn kind(&self) -> Kind {
        let distinct = self.distinct.len() as u64;
        if self.numbers == self.n {
            let is_category = self.distinct.len() <= CATEGORY && distinct * 4 <= self.n;
            if is_category { Kind::Dimension } else { Kind::Measure }
        } else if self.distinct.len() > CATEGORY && (distinct * 2 > self.n || self.distinct.len() == MOST_DISTINCT) {
            Kind::Unique
        } else {
            Kind::Dimension
        }
    }
}

/// A name that can stand in a schema.
fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c == '*' || c == '@')
}
