//! What was known before a window: the last checkpoint before it, or all that the stream still holds.

use super::ExplainError;
use super::picture::Glimpse;
use crate::judging::choices::Choices;
use crate::judging::identity::Identity;
use crate::judging::judge::{Judge, NamedSchema};
use crate::judging::results::results;
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::settings;
use crate::store::stream::{self, Entry, RawEntry};
use crate::store::vector::Reader;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use eddyline_wire::vector::{FEATURES, PERIOD};
use redis::RedisResult;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Entries read at once.
const PAGE: usize = 250;
/// Windows in the picture.
pub(super) const RECENT: usize = 60;

/// What the judgement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// The fingerprint after which the checkpoint was written, where one could be used.
    pub checkpoint: Option<String>,
    /// Why there is no checkpoint to begin with.
    pub without_checkpoint: Option<String>,
    /// Windows learnt from the stream.
    pub windows: u64,
    /// The first of them.
    pub first: Option<String>,
    /// Windows among them that couldn't be judged.
    pub not_judged: u64,
}

/// Everything before the window.
pub(super) struct Past {
    pub(super) judge: Judge,
    pub(super) schemas: BTreeMap<u64, Arc<NamedSchema>>,
    pub(super) basis: Basis,
    pub(super) recent: VecDeque<Glimpse>,
    pub(super) reader: Option<Reader>,
}

impl Past {
    /// Learns all that comes before `until`.
    pub(super) async fn before(
        connection: &mut Connection,
        keys: &Companions,
        until: EntryId,
        chosen: Option<&Choices>,
    ) -> Result<Self, ExplainError> {
        let held = stream::held(connection, keys).await?;
        let mut past = Self::begin(connection, keys, held.checkpoint.as_deref(), until, chosen).await?;
        let (mut learnt, mut is_first) = (past.basis_id(), true);
        loop {
            let mut page = stream::after(connection, &keys.fingerprints(), learnt, PAGE).await?;
            if std::mem::take(&mut is_first) && !held.is_counted {
                past.reader = Some(vectors(connection, keys, &page).await?);
            }
            let read = page.len();
            page.retain(|(id, _)| EntryId::parse(id.as_bytes()).is_some_and(|id| id < until));
            for entry in past.read(connection, keys, &page).await? {
                learnt = entry.id;
                past.learn(&entry);
            }
            if page.len() < read || read < PAGE {
                return Ok(past);
            }
        }
    }

    async fn begin(
        connection: &mut Connection,
        keys: &Companions,
        bytes: Option<&[u8]>,
        until: EntryId,
        chosen: Option<&Choices>,
    ) -> RedisResult<Self> {
        let choices = match (chosen, bytes.map(checkpoint::choices)) {
            // What was set for this monitor counts more.
            (Some(chosen), _) => settings::over(chosen, connection, &keys.settings()).await?,
            (None, Some(Ok(choices))) => choices,
            // A worker's own settings aren't known here.
            (None, _) => settings::over(&Choices::default(), connection, &keys.settings()).await?,
        };
        let mut schemas = BTreeMap::new();
        let resumed = match bytes {
            None => Err("there is none".to_owned()),
            Some(bytes) => match checkpoint::decode(bytes, &choices) {
                Err(error) => Err(error.to_string()),
                Ok(read) if read.last >= until => Err("the last one was written after the window".to_owned()),
                Ok(read) => {
                    stream::fetch_schema(connection, &keys.schemas(), read.schema, &mut schemas).await?;
                    let (last, schema) = (read.last, schemas.get(&read.schema).map(Arc::clone));
                    let schema = schema.ok_or_else(|| "its schema is gone".to_owned());
                    schema.and_then(|schema| match read.resume(choices.clone(), schema) {
                        Ok(judge) => Ok((judge, last)),
                        Err(error) => Err(error.to_string()),
                    })
                }
            },
        };
        let (judge, checkpoint, without_checkpoint) = match resumed {
            Ok((judge, last)) => (judge, Some(last.to_string()), None),
            Err(why) => (Judge::new(choices), None, Some(why)),
        };
        let basis = Basis { checkpoint, without_checkpoint, windows: 0, first: None, not_judged: 0 };
        Ok(Self { judge, schemas, basis, recent: VecDeque::new(), reader: None })
    }

    fn basis_id(&self) -> EntryId {
        let id = self.basis.checkpoint.as_ref().and_then(|id| EntryId::parse(id.as_bytes()));
        id.unwrap_or_default()
    }

    /// Entries as fingerprints, their schemas known.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        keys: &Companions,
        page: &[RawEntry],
    ) -> RedisResult<Vec<Entry>> {
        if let Some(schema) = self.reader.as_ref().and_then(Reader::schema) {
            self.schemas.entry(schema.id).or_insert_with(|| Arc::clone(schema));
        }
        let entries = stream::entries(page, self.reader.as_mut())?;
        stream::fetch_schemas(connection, &keys.schemas(), &entries, &mut self.schemas).await?;
        Ok(entries)
    }

    fn learn(&mut self, entry: &Entry) {
        let judged = entry.fingerprint.as_ref().ok().and_then(|fingerprint| {
            let schema = self.schemas.get(&fingerprint.schema)?;
            results(&mut self.judge, None, &nobody(), fingerprint, schema).ok()
        });
        self.basis.windows += 1;
        self.basis.not_judged += u64::from(judged.is_none());
        self.basis.first.get_or_insert_with(|| entry.id.to_string());
        self.glimpse(entry.id.ms, judged.map(|(score, _)| score).as_ref());
    }

    pub(super) fn glimpse(&mut self, end_ms: u64, score: Option<&eddyline_wire::score::Score>) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Glimpse::of(end_ms, score));
    }
}

/// Incidents get no name here: what they are called stands in the streams.
pub(super) fn nobody() -> Identity {
    Identity { deployment: String::new(), monitor: Vec::new(), db: 0 }
}

/// Reads the entries of a vector monitor as its settings say now.
async fn vectors(connection: &mut Connection, keys: &Companions, page: &[RawEntry]) -> RedisResult<Reader> {
    let setting = |name: &str| redis::cmd("HGET").arg(keys.settings()).arg(name).to_owned();
    let period: Option<Vec<u8>> = setting(PERIOD).query_async(connection).await?;
    let features: Option<Vec<u8>> = setting(FEATURES).query_async(connection).await?;
    Ok(Reader::of_settings(&printable(keys.monitor(), 128), period, features, page))
}
