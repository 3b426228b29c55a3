//! Vectors that somebody else made, as fingerprints: what a vector monitor and a replay of vectors share, and how the entries
//! of a live one are read.

use crate::judging::judge::NamedSchema;
use crate::store::connect::{Connection, is_lost};
use crate::store::stream::RawEntry;
use eddyline_wire::fingerprint::{Fingerprint, Top, schema_id};
use eddyline_wire::keys::Companions;
use eddyline_wire::schema::{self, Block, Schema};
use eddyline_wire::text::printable;
use eddyline_wire::vector::{self, FEATURES, Oddity, PERIOD, VectorError};
use redis::RedisResult;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{info, warn};
use xxhash_rust::xxh3::xxh3_64;

/// Odd fields that are told apart; of more it isn't told.
const ODD_FIELDS: usize = 64;

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

/// What the settings of a vector monitor say, as they stand there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Settings {
    period: Option<Vec<u8>>,
    features: Option<Vec<u8>>,
}

impl Settings {
    /// What they mean; nothing without a period, or while the features aren't known.
    fn schema(&self) -> Option<Result<Arc<NamedSchema>, VectorError>> {
        match (&self.period, &self.features) {
            (Some(period), Some(features)) => Some(read_settings(period, features)),
            (Some(period), None) => vector::period(period).err().map(Err),
            (None, _) => None,
        }
    }
}

/// Reads the entries of one monitor that may be a vector monitor.
#[derive(Debug, Default)]
pub struct Reader {
    name: String,
    settings: Settings,
    /// What the settings mean; none before the first entry of use, or without a period.
    schema: Option<Result<Arc<NamedSchema>, VectorError>>,
    odd: BTreeMap<(Oddity, String), u64>,
}

impl Reader {
    /// For the monitor that logs call `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// For a monitor with these settings, whose entries these are; nothing is written.
    #[must_use]
    pub fn of_settings(name: &str, period: Option<Vec<u8>>, features: Option<Vec<u8>>, entries: &[RawEntry]) -> Self {
        let features = features.or_else(|| Some(json(&features_of(entries)?)));
        let settings = Settings { period, features };
        Self { schema: settings.schema(), settings, ..Self::new(name) }
    }

    /// The schema of entries to come, once there is one.
    #[must_use]
    pub fn schema(&self) -> Option<&Arc<NamedSchema>> {
        self.schema.as_ref().and_then(|schema| schema.as_ref().ok())
    }

    /// Looks at the settings before `page` is read. Where they don't name the features, those of the page's first entry of
    /// use are written there.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub async fn look(&mut self, connection: &mut Connection, keys: &Companions, page: &[RawEntry]) -> RedisResult<()> {
        let mut settings = settings(connection, keys).await?;
        let has_period = settings.period.as_ref().is_some_and(|period| vector::period(period).is_ok());
        if has_period
            && settings.features.is_none()
            && let Some(features) = features_of(page)
        {
            redis::cmd("HSETNX").arg(keys.settings()).arg(FEATURES).arg(json(&features)).exec_async(connection).await?;
            settings = self::settings(connection, keys).await?;
        }
        if settings == self.settings {
            return Ok(());
        }
        let schema = settings.schema();
        if let Some(Ok(schema)) = &schema {
            let (id, record) = (schema_id(schema.id), schema.record.to_json());
            redis::cmd("HSETNX").arg(keys.schemas()).arg(&id).arg(record).exec_async(connection).await?;
            info!(
                monitor = self.name,
                schema = id,
                "vectors of {} features, one every {} ms",
                schema.record.len(),
                schema.record.window_ms
            );
        }
        (self.settings, self.schema) = (settings, schema);
        Ok(())
    }

    /// The fingerprint that an entry is.
    ///
    /// # Errors
    /// Why it is of no use.
    pub fn read(&mut self, id: &str, fields: &[Vec<u8>]) -> Result<Fingerprint, String> {
        if is_fingerprint(fields) {
            return Fingerprint::from_fields(id, pairs(fields)).map_err(|error| error.to_string());
        }
        let schema = match &self.schema {
            Some(Ok(schema)) => Arc::clone(schema),
            Some(Err(error)) => return Err(error.to_string()),
            None if self.settings.period.is_some() => return Err(VectorError::Empty.to_string()),
            None => {
                return Err(format!(
                    "it is no fingerprint, and no vector of your own either while the monitor's settings have no {PERIOD}"
                ));
            }
        };
        let Some(Block::Numeric { features }) = schema.record.blocks.first() else {
            return Err(VectorError::Features.to_string());
        };
        let end_ms = vector::end_ms(id).map_err(|error| error.to_string())?;
        let values = vector::values(pairs(fields), features, |oddity, field| self.odd(id, oddity, field));
        Ok(fingerprint(end_ms, schema.id, values.map_err(|error| error.to_string())?))
    }

    /// Counts; says so the first, tenth, hundredth … time.
    fn odd(&mut self, id: &str, oddity: Oddity, field: &[u8]) {
        let field = printable(field, 64);
        let is_known = self.odd.contains_key(&(oddity, field.clone()));
        if !is_known && self.odd.len() >= ODD_FIELDS {
            return;
        }
        let times = self.odd.entry((oddity, field.clone())).or_default();
        *times += 1;
        if 10_u64.pow(times.ilog10()) == *times {
            warn!(monitor = self.name, id, times, "field '{field}' {}", oddity.what());
        }
    }
}

async fn settings(connection: &mut Connection, keys: &Companions) -> RedisResult<Settings> {
    let mut pipe = redis::pipe();
    pipe.cmd("HGET").arg(keys.settings()).arg(PERIOD);
    pipe.cmd("HGET").arg(keys.settings()).arg(FEATURES);
    // Settings that can't be read are none; that is said where the rest of them is read.
    let replies: Vec<RedisResult<Option<Vec<u8>>>> = pipe.ignore_errors().query_async(connection).await?;
    let [period, features] = <[_; 2]>::try_from(replies).expect("as many replies as commands");
    let readable = |reply: RedisResult<Option<Vec<u8>>>| match reply {
        Err(error) if is_lost(&error) => Err(error),
        reply => Ok(reply.ok().flatten()),
    };
    Ok(Settings { period: readable(period)?, features: readable(features)? })
}

fn read_settings(period: &[u8], features: &[u8]) -> Result<Arc<NamedSchema>, VectorError> {
    Ok(named_schema(vector::period(period)?, vector::named_features(features)?))
}

/// The features of the first entry of use.
fn features_of(entries: &[RawEntry]) -> Option<Vec<String>> {
    let mut vectors = entries.iter().map(|(_, fields)| fields).filter(|fields| !is_fingerprint(fields));
    vectors.find_map(|fields| vector::features(pairs(fields)).ok())
}

fn json(features: &[String]) -> Vec<u8> {
    serde_json::to_vec(features).expect("strings always serialise")
}

fn is_fingerprint(fields: &[Vec<u8>]) -> bool {
    vector::is_fingerprint(pairs(fields))
}

fn pairs(fields: &[Vec<u8>]) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    fields.as_chunks::<2>().0.iter().map(|[field, value]| (field.as_slice(), value.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_period_or_other_features_are_another_schema() {
        let schema =
            |period, names: &[&str]| named_schema(period, names.iter().map(|name| (*name).to_owned()).collect());
        let id = schema(60_000, &["cpu", "mem"]).id;
        assert_eq!(schema(60_000, &["cpu", "mem"]).id, id);
        assert!(schema(30_000, &["cpu", "mem"]).id != id && schema(60_000, &["mem", "cpu"]).id != id);
    }
}
