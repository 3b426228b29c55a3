//! Where a monitor's work begins: what Redis holds of it, and what was learnt up to there.

use super::{Heard, Scorer, State, count_checkpoint};
use crate::judging::announce::{self, Announced, Lapse};
use crate::judging::choices::Choices;
use crate::judging::judge::{Judge, NamedSchema};
use crate::service::status::Condition;
use crate::store::checkpoint;
use crate::store::connect::Connection;
use crate::store::stream::{self, Held};
use eddyline_wire::command::EntryId;
use redis::RedisResult;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::warn;

impl Scorer {
    /// What is chosen, given what is left of detection.
    pub(super) fn choices(&self) -> Cow<'_, Choices> {
        self.grade.choices(self.settings.choices())
    }

    pub(super) async fn load(&mut self, connection: &mut Connection) -> RedisResult<State> {
        let held = stream::held(connection, &self.keys).await?;
        let scored = held.scored;
        let mut announced = Vec::new();
        if let Some(alert) = &held.last_alert {
            announce::hear(&mut announced, alert);
        }
        if scored < self.heard.scored {
            warn!(monitor = self.name, had = %self.heard.scored, has = %scored, "Redis lost scores; they are made again");
        }
        // People heard of these, but Redis lost them.
        let stands = |known: &Announced| announced.iter().any(|held| held.alert.incident == known.alert.incident);
        let is_lost = |known: &Announced| known.opened_end_ms() > scored.ms && !stands(known);
        let lost: Vec<Announced> = self.heard.announced.drain(..).filter(is_lost).collect();
        announced.extend(lost.into_iter().map(|known| Announced { lapse: Lapse::Failover, ..known }));
        self.heard = Heard { scored, announced: announced.clone() };

        let mut schemas = BTreeMap::new();
        let resumed = match &held.checkpoint {
            Some(bytes) => self.resume(connection, bytes, scored, &mut schemas).await?,
            None => None,
        };
        let (judge, learnt) = resumed.unwrap_or_else(|| (Judge::new(self.choices().into_owned()), EntryId::default()));
        let Held { retention, is_counted, .. } = held;
        Ok(State {
            judge,
            learnt,
            scored,
            announced,
            said: held.said,
            schemas,
            retention,
            is_counted,
            since_checkpoint: 0,
            condition: Condition::Starting,
            missed: None,
        })
    }

    async fn resume(
        &self,
        connection: &mut Connection,
        bytes: &[u8],
        scored: EntryId,
        schemas: &mut BTreeMap<u64, Arc<NamedSchema>>,
    ) -> RedisResult<Option<(Judge, EntryId)>> {
        let choices = &*self.choices();
        let rebuild = |reason: &dyn std::fmt::Display| {
            warn!(monitor = self.name, "checkpoint not used, learning from the stream's history again: {reason}");
            count_checkpoint("refused");
            Ok(None)
        };
        let read = match checkpoint::decode(bytes, choices) {
            Ok(read) if read.last > scored => return rebuild(&"it is ahead of the scores"),
            Ok(read) => read,
            Err(error) => return rebuild(&error),
        };
        stream::fetch_schema(connection, &self.keys.schemas(), read.schema, schemas).await?;
        let Some(schema) = schemas.get(&read.schema) else { return rebuild(&"its schema is gone") };
        let last = read.last;
        match read.resume(choices.clone(), Arc::clone(schema)) {
            Ok(judge) => {
                count_checkpoint("resumed");
                Ok(Some((judge, last)))
            }
            Err(error) => rebuild(&error),
        }
    }
}
