//! The one script that writes a fingerprint's results (`write.lua`), and batches of its calls.

use crate::store::connect::Connection;
use crate::store::lease::Token;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{ALERTS, Companions};
use eddyline_wire::score::Score;
use redis::{Cmd, RedisError, RedisResult, Script, Value};

const SCRIPT: &str = include_str!("write.lua");
/// Consumer group on the fingerprints, for operators: its lag is how far scoring is behind.
pub const GROUP: &str = "eddyline";

/// The results of one fingerprint.
#[derive(Debug, Clone)]
pub struct Results {
    /// Id of the fingerprint.
    pub id: EntryId,
    /// What it was worth.
    pub score: Score,
    /// Messages about incidents, in order.
    pub alerts: Vec<Alert>,
    /// The checkpoint, when due.
    pub checkpoint: Option<Vec<u8>>,
}

/// What the script said.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// Written, but for so many messages, which the stream of incidents doesn't take: it goes on behind them.
    Written {
        /// How many; all of them stand where it is 0.
        unsaid: u64,
    },
    /// The lease is another worker's: nothing was written.
    Fenced,
    /// The fingerprint has its score already: nothing was written.
    Duplicate,
    /// A score would have been left out, because the stream ends before the one that this worker wrote last: nothing was
    /// written.
    Behind,
    /// Redis refused: nothing was written.
    Refused(RedisError),
}

/// The script with the keys of one monitor.
#[derive(Debug)]
pub struct Writer {
    script: Script,
    keys: [Vec<u8>; 5],
    channel: Vec<u8>,
}

impl Writer {
    /// For the monitor with these companions.
    #[must_use]
    pub fn new(keys: &Companions) -> Self {
        Self {
            script: Script::new(SCRIPT),
            keys: [keys.lease(), keys.scores(), keys.incidents(), keys.model(), keys.fingerprints()],
            channel: keys.alerts(),
        }
    }

    /// Writes a batch in order, `known` being the last id that stands in the scores. Each call checks the lease and its
    /// predecessor, so after the first that isn't written none is.
    ///
    /// # Errors
    /// Trouble with the connection; which calls ran is unknown then.
    pub async fn write(
        &self,
        connection: &mut Connection,
        token: &Token,
        known: EntryId,
        retention: u64,
        batch: &[Results],
    ) -> RedisResult<Vec<Outcome>> {
        let outcomes = self.call(connection, token, known, retention, batch).await?;
        match outcomes.first() {
            Some(Outcome::Refused(error)) if error.code() == Some("NOSCRIPT") => {
                redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).exec_async(connection).await?;
                self.call(connection, token, known, retention, batch).await
            }
            _ => Ok(outcomes),
        }
    }

    async fn call(
        &self,
        connection: &mut Connection,
        token: &Token,
        mut known: EntryId,
        retention: u64,
        batch: &[Results],
    ) -> RedisResult<Vec<Outcome>> {
        let mut pipe = redis::pipe();
        for results in batch {
            pipe.add_command(self.command(token, known, retention, results));
            known = results.id;
        }
        let replies: Vec<RedisResult<Value>> = pipe.ignore_errors().query_async(connection).await?;
        Ok(replies.into_iter().map(outcome).collect())
    }

    fn command(&self, token: &Token, known: EntryId, retention: u64, results: &Results) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(self.keys.len()).arg(&self.keys[..]);
        command.arg(token.as_str()).arg(results.id.to_string()).arg(known.to_string()).arg(retention);
        command.arg(results.checkpoint.as_deref().unwrap_or_default()).arg(GROUP).arg(ALERTS).arg(&self.channel);
        let fields = results.score.to_fields();
        command.arg(fields.len() * 2);
        for (field, value) in &fields {
            command.arg(field).arg(value);
        }
        for alert in &results.alerts {
            command.arg(&alert.entry).arg(alert.event.as_str()).arg(&alert.incident).arg(alert.to_json());
        }
        command
    }
}

fn outcome(reply: RedisResult<Value>) -> Outcome {
    match reply {
        Ok(Value::Int(unsaid)) => Outcome::Written { unsaid: unsaid.unsigned_abs() },
        Ok(Value::SimpleString(word)) => match word.as_str() {
            "FENCED" => Outcome::Fenced,
            "DUP" => Outcome::Duplicate,
            _ => Outcome::Behind,
        },
        Ok(_) => Outcome::Behind,
        Err(error) => Outcome::Refused(error),
    }
}
