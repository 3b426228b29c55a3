//! Fingerprints with the values that are asked for, by name.

use super::scored::Order;
use super::windows::{Fingerprint, Fingerprints, Range};
use crate::judging::judge::NamedSchema;
use crate::store::connect::Connection;
use crate::store::stream::{self, Entry, RawEntry};
use crate::store::vector::Reader;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::{self, schema_id};
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::{Block, Schema};
use eddyline_wire::text::printable;
use eddyline_wire::vector::{FEATURES, PERIOD};
use redis::RedisResult;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Entries read at once: vectors may have thousands of values.
const PAGE: usize = 50;
/// Values of an answer, beyond which it has fewer windows.
const MOST_VALUES: usize = 200_000;

/// Which features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selected {
    /// All plain numbers.
    Numbers,
    /// These.
    Named(Vec<String>),
}

/// Values under their names, in vector order or the order in which they were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Values(Vec<(Arc<str>, Option<f32>)>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(&**name, value)?;
        }
        map.end()
    }
}

impl Selected {
    /// Names and places in a vector of this schema; a place is none where the schema has no such feature.
    fn places(&self, schema: &Schema) -> Vec<(Arc<str>, Option<usize>)> {
        match self {
            Self::Numbers => {
                let (mut places, mut start) = (Vec::new(), 0);
                for block in &schema.blocks {
                    if let Block::Numeric { features } = block {
                        let named = features.iter().enumerate();
                        places.extend(named.map(|(at, name)| (Arc::from(name.as_str()), Some(start + at))));
                    }
                    start += block.len();
                }
                places
            }
            Self::Named(names) => {
                let place: BTreeMap<String, usize> =
                    schema.features().enumerate().map(|(place, name)| (name, place)).collect();
                let mut places: Vec<(Arc<str>, Option<usize>)> = Vec::new();
                for name in names {
                    if !places.iter().any(|(known, _)| **known == **name) {
                        places.push((Arc::from(name.as_str()), place.get(name).copied()));
                    }
                }
                places
            }
        }
    }
}

/// The fingerprints of a range, oldest first.
pub(super) async fn read(
    connection: &mut Connection,
    keys: &Companions,
    range: &Range,
    selected: &Selected,
) -> RedisResult<Fingerprints> {
    let (order, mut from, to) = range.ends();
    let mut found = Found { selected, fingerprints: Vec::new(), unreadable: BTreeMap::new(), values: 0 };
    let (mut schemas, mut places) = (BTreeMap::new(), BTreeMap::new());
    let (mut vectors, mut looked) = (None, 0);
    while looked < range.limit && found.values < MOST_VALUES {
        let count = (range.limit - looked).min(PAGE);
        let mut command = redis::cmd(order.command());
        command.arg(keys.fingerprints()).arg(&from).arg(&to).arg("COUNT").arg(count);
        let page: Vec<RawEntry> = command.query_async(connection).await?;
        looked += page.len();
        if vectors.is_none() && !page.is_empty() {
            vectors = Some(reader(connection, keys, &page).await?);
        }
        let entries = stream::entries(&page, vectors.as_mut())?;
        if let Some(schema) = vectors.as_ref().and_then(Reader::schema) {
            schemas.entry(schema.id).or_insert_with(|| Arc::clone(schema));
        }
        stream::fetch_schemas(connection, &keys.schemas(), &entries, &mut schemas).await?;
        let last = entries.last().map(|entry| entry.id);
        entries.into_iter().for_each(|entry| found.take(entry, &schemas, &mut places));
        match last {
            Some(last) if page.len() == count => from = format!("({last}"),
            _ => break,
        }
    }
    if order == Order::NewestFirst {
        found.fingerprints.reverse();
    }
    Ok(Fingerprints { fingerprints: found.fingerprints, unreadable: found.unreadable })
}

/// What reads vectors of others under the monitor's settings; nothing is written.
pub(super) async fn reader(connection: &mut Connection, keys: &Companions, page: &[RawEntry]) -> RedisResult<Reader> {
    let mut settings = redis::cmd("HMGET");
    settings.arg(keys.settings()).arg(PERIOD).arg(FEATURES);
    let (period, features): (Option<Vec<u8>>, Option<Vec<u8>>) = settings.query_async(connection).await?;
    Ok(Reader::of_settings(&printable(keys.monitor(), 128), period, features, page))
}

struct Found<'a> {
    selected: &'a Selected,
    fingerprints: Vec<Fingerprint>,
    unreadable: BTreeMap<String, u64>,
    values: usize,
}

type Places = BTreeMap<u64, Vec<(Arc<str>, Option<usize>)>>;

impl Found<'_> {
    fn take(&mut self, entry: Entry, schemas: &BTreeMap<u64, Arc<NamedSchema>>, places: &mut Places) {
        if self.values >= MOST_VALUES {
            return;
        }
        let told = entry.fingerprint.and_then(|window| {
            let schema = schemas.get(&window.schema).ok_or("its schema isn't known")?;
            if window.values.len() != schema.record.len() {
                return Err("its vector isn't as long as its schema says".to_owned());
            }
            let places = places.entry(schema.id).or_insert_with(|| self.selected.places(&schema.record));
            Ok(body(entry.id, &window, places))
        });
        match told {
            Ok(fingerprint) => {
                self.values += fingerprint.values.0.len().max(1);
                self.fingerprints.push(fingerprint);
            }
            Err(why) => *self.unreadable.entry(why).or_default() += 1,
        }
    }
}

fn body(id: EntryId, window: &fingerprint::Fingerprint, places: &[(Arc<str>, Option<usize>)]) -> Fingerprint {
    let value = |place: &Option<usize>| place.and_then(|place| window.values.get(place).copied());
    let value = |place| value(place).filter(|value| value.is_finite());
    let values = places.iter().map(|(name, place)| (Arc::clone(name), value(place)));
    Fingerprint {
        id: id.to_string(),
        end_ms: id.ms,
        n: window.n,
        schema: schema_id(window.schema),
        gap_ms: window.gap_ms,
        partial: window.partial,
        values: Values(values.collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::from_json(include_bytes!("../../../../crates/wire/fixtures/schema.json")).unwrap()
    }

    #[test]
    fn numbers_are_told_without_buckets_and_anything_else_by_name() {
        let names = |places: Vec<(Arc<str>, Option<usize>)>| {
            places.into_iter().map(|(name, place)| (name.to_string(), place)).collect::<Vec<_>>()
        };
        let numbers = names(Selected::Numbers.places(&schema()));
        assert_eq!(numbers, [("count".to_owned(), Some(0)), ("service:distinct".to_owned(), Some(1))]);
        let asked = ["service[3]", "nothing", "peer*latency_ms[1]<16", "service[3]"].map(str::to_owned).to_vec();
        let places = names(Selected::Named(asked).places(&schema()));
        let told = [("service[3]", Some(5)), ("nothing", None), ("peer*latency_ms[1]<16", Some(34 + 8 + 3))];
        assert_eq!(places, told.map(|(name, place)| (name.to_owned(), place)));
    }

    #[test]
    fn what_is_missing_is_null() {
        let values = Values(vec![("a".into(), Some(0.5)), ("b".into(), None)]);
        assert_eq!(serde_json::to_string(&values).unwrap(), r#"{"a":0.5,"b":null}"#);
    }
}
