//! The one script that writes a step of counting (`keep.lua`).

use crate::store::connect::Connection;
use crate::store::lease::Token;
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::keys::{CLOSED, Companions};
use eddyline_wire::schema::Schema;
use redis::{RedisResult, Script, Value};

const SCRIPT: &str = include_str!("keep.lua");

/// What closed, under one schema.
#[derive(Debug)]
pub struct Windows {
    /// Id of the schema.
    pub schema: u64,
    /// Its record.
    pub record: Schema,
    /// In order.
    pub fingerprints: Vec<Fingerprint>,
}

/// A step that is to stand in Redis, all of it or nothing.
#[derive(Debug)]
pub struct Step<'a> {
    /// Who counts.
    pub token: &'a Token,
    /// The first bytes of the state that stands there; empty where none does.
    pub before: &'a [u8],
    /// The state after it.
    pub state: &'a [u8],
    /// Fingerprints that the stream keeps.
    pub retention: u64,
    /// What closed.
    pub windows: Option<&'a Windows>,
    /// Whether the lease is given back.
    pub leaves: bool,
}

/// What the script said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stands there.
    Kept,
    /// The lease is another worker's: nothing was written.
    Fenced,
    /// Redis holds another state, or later fingerprints, than was thought: nothing was written.
    Elsewhere,
}

/// The script with the keys of one monitor.
#[derive(Debug)]
pub struct Keeper {
    script: Script,
    keys: [Vec<u8>; 4],
    name: Vec<u8>,
}

impl Keeper {
    /// For the monitor with these companions.
    #[must_use]
    pub fn new(keys: &Companions) -> Self {
        Self {
            script: Script::new(SCRIPT),
            keys: [keys.counting_lease(), keys.counting(), keys.fingerprints(), keys.schemas()],
            name: keys.monitor().to_vec(),
        }
    }

    /// Writes a step.
    ///
    /// # Errors
    /// Redis refused, and nothing was written; or the connection is lost, and that isn't known.
    pub async fn keep(&self, connection: &mut Connection, step: &Step<'_>) -> RedisResult<Outcome> {
        let mut call = self.script.prepare_invoke();
        call.key(&self.keys[..]);
        call.arg(step.token.as_str()).arg(step.before).arg(step.state).arg(step.retention);
        match step.windows {
            Some(windows) => call.arg(schema_id(windows.schema)).arg(windows.record.to_json()),
            None => call.arg("").arg(""),
        };
        call.arg(CLOSED).arg(&self.name).arg(u8::from(step.leaves));
        for fingerprint in step.windows.iter().flat_map(|windows| &windows.fingerprints) {
            let fields = fingerprint.to_fields();
            call.arg(fingerprint.id()).arg(2 * fields.len());
            for (field, value) in fields {
                call.arg(field).arg(value);
            }
        }
        let reply: Value = call.invoke_async(connection).await?;
        Ok(match reply {
            Value::Okay => Outcome::Kept,
            Value::SimpleString(word) if word == "FENCED" => Outcome::Fenced,
            _ => Outcome::Elsewhere,
        })
    }
}
