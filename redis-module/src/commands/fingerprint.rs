//! `EDDY.FINGERPRINT`.

use super::refused;
use crate::ffi::key::{entry, with_monitor};
use crate::translate;
use eddyline_monitor::{Block, Schema};
use eddyline_wire::command::EntryId;
use eddyline_wire::command::fingerprint::FingerprintOf;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::keys::Companions;
use redis_module::{Context, RedisError, RedisResult, RedisValue};
use std::collections::BTreeMap;

pub(super) fn fingerprint(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let of = FingerprintOf::parse(args).map_err(refused)?;
    let (last, schema) = with_monitor(ctx, of.key, false, |monitor| {
        let last = monitor.last().zip(monitor.schema()).map(|(closed, schema)| translate::fingerprint(closed, schema));
        (last, monitor.schema().cloned())
    })?;
    let fingerprint = match of.id {
        None => last,
        Some(id) => kept(ctx, of.key, id)?,
    };
    match (fingerprint, schema) {
        (None, _) => Ok(RedisValue::Null),
        (Some(fingerprint), Some(schema)) if fingerprint.schema == schema.id => Ok(reply(&fingerprint, &schema)),
        (Some(fingerprint), _) => Err(RedisError::String(format!(
            "ERR fingerprint {} was written with another schema, {:016x}",
            fingerprint.id(),
            fingerprint.schema
        ))),
    }
}

/// The fingerprint that the stream keeps under `id`.
fn kept(ctx: &Context, key: &[u8], id: EntryId) -> Result<Option<Fingerprint>, RedisError> {
    let companions = Companions::of(key).map_err(|error| RedisError::String(format!("ERR {error}")))?;
    let Some(entry) = entry(ctx, &companions.fingerprints(), id.ms).filter(|_| id.seq == 0) else { return Ok(None) };
    let fields = entry.fields.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
    Fingerprint::from_fields(&id.to_string(), fields)
        .map(Some)
        .map_err(|error| RedisError::String(format!("ERR {error}")))
}

/// Every number by name; buckets and rows only where they aren't 0.
fn reply(fingerprint: &Fingerprint, schema: &Schema) -> RedisValue {
    let numeric: usize =
        schema.blocks.iter().map(|b| if let Block::Numeric { features } = b { features.len() } else { 0 }).sum();
    let features = schema.features().zip(&fingerprint.values).enumerate();
    let told = features.filter(|(at, (_, value))| *at < numeric || **value != 0.0);
    let value = |value: f32| if value.is_nan() { RedisValue::Null } else { RedisValue::Float(f64::from(value)) };
    let mut map: BTreeMap<String, RedisValue> = told.map(|(_, (name, v))| (name, value(*v))).collect();
    map.insert("id".to_owned(), RedisValue::BulkString(fingerprint.id()));
    map.insert("n".to_owned(), RedisValue::Integer(fingerprint.n as i64));
    map.insert("gap".to_owned(), RedisValue::Integer(fingerprint.gap_ms as i64));
    map.insert("partial".to_owned(), RedisValue::Integer(i64::from(fingerprint.partial)));
    map.insert("top".to_owned(), RedisValue::BulkString(fingerprint.top.to_json()));
    map.into()
}
