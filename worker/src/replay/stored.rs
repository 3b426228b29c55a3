//! The fingerprints that a server keeps of a monitor. Only read.

use super::ReplayError;
use crate::judging::judge::NamedSchema;
use crate::store::connect::Address;
use crate::store::stream::{self, RawEntry};
use crate::store::vector::Reader;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::Schema;
use eddyline_wire::vector::{FEATURES, PERIOD};
use redis::RedisResult;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All windows that can be read, each with its schema, in order.
///
/// # Errors
/// Trouble with Redis.
pub fn read(address: &Address, keys: &Companions) -> Result<Vec<(Fingerprint, Arc<NamedSchema>)>, ReplayError> {
    let mut connection = address.connect_blocking_for_command()?;
    let page = stream::all(&mut connection, &keys.fingerprints())?;
    let records: BTreeMap<String, Vec<u8>> = redis::cmd("HGETALL").arg(keys.schemas()).query(&mut connection)?;
    let setting = |name: &str| redis::cmd("HGET").arg(keys.settings()).arg(name).to_owned();
    let period: Option<Vec<u8>> = setting(PERIOD).query(&mut connection)?;
    let features: Option<Vec<u8>> = setting(FEATURES).query(&mut connection)?;
    let vectors = Reader::of_settings(&eddyline_wire::text::printable(keys.monitor(), 128), period, features, &page);
    Ok(windows(&page, records, vectors)?)
}

/// Those of a page of the stream that can be read, each with its schema, given the records of all schemas by id and what reads
/// vectors.
///
/// # Errors
/// Something that isn't an entry.
pub fn windows(
    page: &[RawEntry],
    records: BTreeMap<String, Vec<u8>>,
    mut vectors: Reader,
) -> RedisResult<Vec<(Fingerprint, Arc<NamedSchema>)>> {
    let schema = |(id, record): (String, Vec<u8>)| {
        let id = u64::from_str_radix(&id, 16).ok()?;
        Some((id, Arc::new(NamedSchema { id, record: Schema::from_json(&record).ok()? })))
    };
    let mut schemas: BTreeMap<u64, Arc<NamedSchema>> = records.into_iter().filter_map(schema).collect();
    schemas.extend(vectors.schema().map(|schema| (schema.id, Arc::clone(schema))));
    let entries = stream::entries(page, Some(&mut vectors))?;
    let windows = entries.into_iter().filter_map(|entry| entry.fingerprint.ok());
    Ok(windows.filter_map(|window| Some((schemas.get(&window.schema)?, window))).filter_map(fitting).collect())
}

/// A window whose vector is as long as its schema says.
fn fitting((schema, window): (&Arc<NamedSchema>, Fingerprint)) -> Option<(Fingerprint, Arc<NamedSchema>)> {
    (window.values.len() == schema.record.len()).then(|| (window, Arc::clone(schema)))
}
