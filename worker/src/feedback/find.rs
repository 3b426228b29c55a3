//! Which monitor an incident is of, and the last message about it.

use crate::store::connect::Connection;
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use std::collections::BTreeSet;

/// Entries of a stream read at once.
const PAGE: usize = 250;
/// Keys looked at in one go.
const KEYS: usize = 1000;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The last message about `incident` in the monitor's stream of incidents.
///
/// # Errors
/// Trouble with Redis.
pub async fn of_monitor(
    connection: &mut Connection,
    monitor: &Companions,
    incident: &str,
) -> RedisResult<Option<Alert>> {
    let mut end = "+".to_owned();
    loop {
        let page: Vec<(String, Fields)> = redis::cmd("XREVRANGE")
            .arg(monitor.incidents())
            .arg(&end)
            .arg("-")
            .arg("COUNT")
            .arg(PAGE)
            .query_async(connection)
            .await?;
        let field = |fields: &Fields, name: &str| {
            fields.iter().find(|(field, _)| field == name.as_bytes()).map(|(_, value)| value.clone())
        };
        let about =
            page.iter().find(|(_, fields)| field(fields, "incident").is_some_and(|id| id == incident.as_bytes()));
        if let Some((_, fields)) = about {
            return Ok(field(fields, "alert").and_then(|json| serde_json::from_slice(&json).ok()));
        }
        match page.last() {
            Some((id, _)) if page.len() == PAGE => end = format!("({id}"),
            _ => return Ok(None),
        }
    }
}

/// The monitors of this database that have a key of this kind, found by looking through all keys.
///
/// # Errors
/// Trouble with Redis.
pub async fn monitors_with(
    connection: &mut Connection,
    kind: &str,
    key_of: impl Fn(&Companions) -> Vec<u8>,
) -> RedisResult<Vec<Companions>> {
    let (mut found, mut cursor) = (BTreeSet::new(), 0_u64);
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(format!("*:{kind}"))
            .arg("COUNT")
            .arg(KEYS)
            .query_async(connection)
            .await?;
        found.extend(keys);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let owners = found.iter().filter_map(|key| Companions::owning(key).filter(|keys| key_of(keys) == *key));
    Ok(owners.collect())
}
