//! Reading a monitor's keys.

use crate::judging::judge::NamedSchema;
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::vector::Reader;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::Schema;
use eddyline_wire::score::{Score, State};
use redis::{FromRedisValue, RedisError, RedisResult, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tracing::warn;

/// Entries that scores and incidents keep where the module doesn't say.
const RETENTION: u64 = 20_000;

/// An entry of the fingerprint stream.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What it says, or why that can't be read.
    pub fingerprint: Result<Fingerprint, String>,
}

/// An entry as it stands in a stream: its id, its fields and values.
pub type RawEntry = (String, Vec<Vec<u8>>);

/// Up to `count` entries of the stream `key` after `last`.
///
/// # Errors
/// Trouble with Redis.
pub async fn after(connection: &mut Connection, key: &[u8], last: EntryId, count: usize) -> RedisResult<Vec<RawEntry>> {
    let start = format!("({last}");
    redis::cmd("XRANGE").arg(key).arg(start).arg("+").arg("COUNT").arg(count).query_async(connection).await
}

/// The last id that was given in a stream; 0-0 where there is none.
///
/// # Errors
/// Trouble with Redis, or a key that holds something else.
pub async fn last_id(connection: &mut Connection, key: &[u8]) -> RedisResult<EntryId> {
    match redis::cmd("XINFO").arg("STREAM").arg(key).query_async::<Value>(connection).await {
        Ok(info) => entry_id(&string_in(&info, "last-generated-id")?.unwrap_or_default()),
        Err(error) if error.to_string().contains("no such key") => Ok(EntryId::default()),
        Err(error) => Err(error),
    }
}

/// A page of a stream of fingerprints, or of vectors where `vectors` reads them.
///
/// # Errors
/// Something that isn't an entry.
pub fn entries(page: &[RawEntry], mut vectors: Option<&mut Reader>) -> RedisResult<Vec<Entry>> {
    let entry = |(id, fields): &RawEntry| {
        let fingerprint = match vectors.as_deref_mut() {
            Some(vectors) => vectors.read(id, fields),
            None => fingerprint(id, fields),
        };
        Ok(Entry { id: entry_id(id)?, fingerprint })
    };
    page.iter().map(entry).collect()
}

fn fingerprint(id: &str, fields: &[Vec<u8>]) -> Result<Fingerprint, String> {
    let pairs = fields.as_chunks::<2>().0.iter().map(|[field, value]| (field.as_slice(), value.as_slice()));
    Fingerprint::from_fields(id, pairs).map_err(|error| error.to_string())
}

fn entry_id(id: &str) -> RedisResult<EntryId> {
    EntryId::parse(id.as_bytes()).ok_or_else(|| {
        RedisError::from((redis::ErrorKind::UnexpectedReturnType, "not the id of an entry", id.to_owned()))
    })
}

/// Adds the schemas that `entries` name and `known` doesn't have.
///
/// # Errors
/// Trouble with Redis.
pub async fn fetch_schemas(
    connection: &mut Connection,
    schemas: &[u8],
    entries: &[Entry],
    known: &mut BTreeMap<u64, Arc<NamedSchema>>,
) -> RedisResult<()> {
    let mut ids: Vec<u64> =
        entries.iter().filter_map(|entry| entry.fingerprint.as_ref().ok()).map(|f| f.schema).collect();
    ids.dedup();
    for id in ids {
        fetch_schema(connection, schemas, id, known).await?;
    }
    Ok(())
}

/// Adds the schema `id` to `known`, if it exists and isn't there yet.
///
/// # Errors
/// Trouble with Redis.
pub async fn fetch_schema(
    connection: &mut Connection,
    schemas: &[u8],
    id: u64,
    known: &mut BTreeMap<u64, Arc<NamedSchema>>,
) -> RedisResult<()> {
    if known.contains_key(&id) {
        return Ok(());
    }
    let json: Option<Vec<u8>> = redis::cmd("HGET").arg(schemas).arg(schema_id(id)).query_async(connection).await?;
    match json.as_deref().map(Schema::from_json) {
        None => {}
        Some(Ok(record)) => {
            known.insert(id, Arc::new(NamedSchema { id, record }));
        }
        Some(Err(error)) => warn!(schema = schema_id(id), "{error}"),
    }
    Ok(())
}

/// What Redis holds of earlier work on a monitor.
#[derive(Debug)]
pub struct Held {
    /// Last id of the scores: all fingerprints up to it are done.
    pub scored: EntryId,
    /// The checkpoint's bytes.
    pub checkpoint: Option<Vec<u8>>,
    /// The last message about an incident, and its entry; 0-0 where there is none.
    pub last_alert: Option<Alert>,
    /// See there.
    pub said: EntryId,
    /// Entries that the monitor's streams keep.
    pub retention: u64,
    /// Whether the monitor's key is one of the module's.
    pub is_counted: bool,
}

/// Reads what Redis holds of earlier work.
///
/// # Errors
/// Trouble with Redis, or keys of another type.
pub async fn held(connection: &mut Connection, keys: &Companions) -> RedisResult<Held> {
    let mut pipe = redis::pipe();
    pipe.cmd("XINFO").arg("STREAM").arg(keys.scores());
    // One byte more than a checkpoint may have tells one that is too long.
    pipe.cmd("GETRANGE").arg(keys.model()).arg(0).arg(checkpoint::LONGEST);
    pipe.cmd("XREVRANGE").arg(keys.incidents()).arg("+").arg("-").arg("COUNT").arg(1);
    pipe.cmd("EDDY.INFO").arg(keys.monitor());
    let replies: Vec<RedisResult<Value>> = pipe.ignore_errors().query_async(connection).await?;
    let [scores, model, incidents, info] = <[_; 4]>::try_from(replies).expect("as many replies as commands");
    let incidents = <Vec<RawEntry>>::from_redis_value(incidents?)?;
    let last = incidents.first();
    Ok(Held {
        scored: match scores {
            Ok(info) => entry_id(&string_in(&info, "last-generated-id")?.unwrap_or_default())?,
            Err(error) if error.to_string().contains("no such key") => EntryId::default(),
            Err(error) => return Err(error),
        },
        checkpoint: Some(Vec::from_redis_value(model?)?).filter(|bytes| !bytes.is_empty()),
        last_alert: last.and_then(|(_, fields)| alert(fields)),
        said: last.map(|(id, _)| entry_id(id)).transpose()?.unwrap_or_default(),
        is_counted: info.is_ok(),
        retention: info
            .and_then(|info| string_in(&info, "retention"))
            .ok()
            .flatten()
            .and_then(|retention| retention.parse().ok())
            .unwrap_or(RETENTION),
    })
}

/// The text of `field` in a reply that is a map, whichever protocol is spoken.
///
/// # Errors
/// A reply that is no map.
pub fn string_in(map: &Value, field: &str) -> RedisResult<Option<String>> {
    let map: HashMap<String, Value> = FromRedisValue::from_redis_value_ref(map)?;
    Ok(map.get(field).map(FromRedisValue::from_redis_value_ref).transpose()?)
}

/// The message that an entry of the incidents holds.
#[must_use]
pub fn alert(fields: &[Vec<u8>]) -> Option<Alert> {
    let json = fields.as_chunks::<2>().0.iter().find(|[field, _]| field == b"alert").map(|[_, json]| json)?;
    serde_json::from_slice(json).ok()
}

/// An entry of the scores.
#[derive(Debug)]
pub struct ScoreEntry {
    /// Its id: the fingerprint's.
    pub id: EntryId,
    /// What it says.
    pub score: Score,
}

/// All scores of a monitor.
///
/// # Errors
/// Trouble with Redis, or an entry that isn't a score.
pub fn all_scores(connection: &mut redis::Connection, scores: &[u8]) -> RedisResult<Vec<ScoreEntry>> {
    let entry = |(id, fields): RawEntry| {
        let unreadable = || RedisError::from((redis::ErrorKind::UnexpectedReturnType, "not a score", id.clone()));
        Ok(ScoreEntry { id: entry_id(&id)?, score: score(&fields).ok_or_else(unreadable)? })
    };
    all(connection, scores)?.into_iter().map(entry).collect()
}

/// All messages about a monitor's incidents.
///
/// # Errors
/// Trouble with Redis.
pub fn all_alerts(connection: &mut redis::Connection, incidents: &[u8]) -> RedisResult<Vec<Alert>> {
    Ok(all(connection, incidents)?.iter().filter_map(|(_, fields)| alert(fields)).collect())
}

/// All fingerprints of a monitor.
///
/// # Errors
/// Trouble with Redis.
pub fn all_fingerprints(connection: &mut redis::Connection, fingerprints: &[u8]) -> RedisResult<Vec<Entry>> {
    entries(&all(connection, fingerprints)?, None)
}

/// A whole stream, read in pages.
///
/// # Errors
/// Trouble with Redis.
pub fn all(connection: &mut redis::Connection, key: &[u8]) -> RedisResult<Vec<RawEntry>> {
    const PAGE: usize = 1000;
    let (mut entries, mut start): (Vec<RawEntry>, String) = (Vec::new(), "-".to_owned());
    loop {
        let page: Vec<RawEntry> =
            redis::cmd("XRANGE").arg(key).arg(&start).arg("+").arg("COUNT").arg(PAGE).query(connection)?;
        let is_last = page.len() < PAGE;
        entries.extend(page);
        match entries.last() {
            Some((id, _)) if !is_last => start = format!("({id}"),
            _ => return Ok(entries),
        }
    }
}

/// The score that an entry of the scores holds.
#[must_use]
pub fn score(fields: &[Vec<u8>]) -> Option<Score> {
    let text = |name: &str| {
        let pair = fields.as_chunks::<2>().0.iter().find(|[field, _]| field == name.as_bytes());
        pair.and_then(|[_, value]| std::str::from_utf8(value).ok())
    };
    let state = match text("state")? {
        "ready" => State::Ready,
        "unreadable" => State::Unreadable,
        "partial" => State::Partial,
        "excluded" => State::Excluded,
        warming => {
            let (seen, needed) = warming.strip_prefix("warming ")?.split_once('/')?;
            State::Warming { seen: seen.parse().ok()?, needed: needed.parse().ok()? }
        }
    };
    let missed = text("missed").map_or(Some(0), |text| text.parse().ok())?;
    let [incident, held] = ["incident", "held"].map(|name| text(name).map(str::to_owned));
    Some(Score { score: text("score")?.parse().ok()?, p: text("p")?.parse().ok()?, state, incident, held, missed })
}
