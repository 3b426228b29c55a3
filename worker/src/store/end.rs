//! The script that ends an incident of which no fingerprint will bring the end (`end.lua`).

use crate::store::connect::Connection;
use crate::store::lease::Token;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{ALERTS, Companions};
use redis::{RedisResult, Script, Value};

/// What the script said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The message stands.
    Told,
    /// The lease is another worker's.
    Fenced,
    /// Something else was said meanwhile.
    Moved,
    /// The incidents were deleted, and this one with them.
    Gone,
}

/// Says `alert` behind `said`, the last message about the monitor's incidents.
///
/// # Errors
/// Trouble with Redis.
pub async fn tell(
    connection: &mut Connection,
    keys: &Companions,
    token: &Token,
    said: EntryId,
    retention: u64,
    alert: &Alert,
) -> RedisResult<Outcome> {
    let script = Script::new(include_str!("end.lua"));
    let mut call = script.key(keys.lease());
    call.key(keys.incidents()).arg(token.as_str()).arg(said.to_string()).arg(retention).arg(ALERTS).arg(keys.alerts());
    call.arg(&alert.entry).arg(alert.event.as_str()).arg(&alert.incident).arg(alert.to_json());
    Ok(match call.invoke_async(connection).await? {
        Value::Okay => Outcome::Told,
        Value::SimpleString(word) if word == "FENCED" => Outcome::Fenced,
        Value::SimpleString(word) if word == "GONE" => Outcome::Gone,
        _ => Outcome::Moved,
    })
}
