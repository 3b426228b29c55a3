//! Reading incidents: what is new in the streams of many monitors, and whether what was read still stands.

use crate::store::connect::Connection;
use crate::store::stream::{self, RawEntry};
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use redis::{ErrorKind, RedisError, RedisResult};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Entries read of a monitor at once.
const PAGE: usize = 100;
/// Monitors read at once. Each is asked by itself, because in a cluster each is another node's; one connection carries them
/// all, so that they don't wait for each other.
pub(super) const AT_ONCE: usize = 64;
/// A server of a cluster that doesn't answer a look within this time isn't waited for: the others' monitors are next.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest message that is read. Ours are a few kilobytes.
const LONGEST: usize = 64 * 1024;
/// Longest id of an incident. Ours have 16 characters.
const LONGEST_ID: usize = 64;

/// A monitor to look at.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub monitor: Vec<u8>,
    pub keys: Companions,
    /// The last entry that was read; none of a monitor that is new.
    pub read: Option<EntryId>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub monitor: Vec<u8>,
    /// Messages in order, or why one can't be read.
    pub alerts: Vec<Result<Alert, String>>,
    /// The last entry that was read now.
    pub read: EntryId,
    /// Whether there is more to read.
    pub more: bool,
    /// Entries that were read stand there no more.
    pub lost: bool,
}

/// Looks at all `places`, at most [`AT_ONCE`]. What a monitor's key refuses is told with the monitor's name.
pub(super) async fn look(connection: &Connection, places: &[Place], check: bool) -> Vec<(Vec<u8>, RedisResult<Found>)> {
    let (mut looks, is_cluster) = (JoinSet::new(), connection.is_cluster());
    for place in places {
        let (mut connection, place) = (connection.clone(), place.clone());
        looks.spawn(async move {
            let looking = look_at(&mut connection, &place, check);
            let found = if is_cluster {
                let late = |_| Err(RedisError::from((ErrorKind::Io, "its server doesn't answer")));
                timeout(PATIENCE, looking).await.unwrap_or_else(late)
            } else {
                looking.await
            };
            (place.monitor, found)
        });
    }
    let mut found = looks.join_all().await;
    // The same whatever came first.
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

async fn look_at(connection: &mut Connection, place: &Place, check: bool) -> RedisResult<Found> {
    let key = place.keys.incidents();
    let found = |alerts, read, lost| Found { monitor: place.monitor.clone(), alerts, read, more: false, lost };
    // Where nothing is known yet, or what is known is gone, an incident that is open now is news and older ones aren't.
    let from = match place.read {
        Some(read) if !check => read,
        known => match (known, last(connection, &key).await?) {
            (known, None) => {
                let lost = known.is_some_and(|known| known > EntryId::default());
                return Ok(found(Vec::new(), EntryId::default(), lost));
            }
            (Some(known), Some((id, _))) if known <= id => known,
            (known, Some((id, alert))) => {
                let is_open = |alert: &Result<Alert, String>| alert.as_ref().map_or(true, Alert::is_open);
                return Ok(found(Some(alert).filter(is_open).into_iter().collect(), id, known.is_some()));
            }
        },
    };
    let page = stream::after(connection, &key, from, PAGE).await?;
    let read = page.last().map(|(id, _)| entry_id(id)).transpose()?.unwrap_or(from);
    let alerts = page.iter().map(|(id, fields)| alert(id, fields)).collect();
    Ok(Found { more: page.len() == PAGE, ..found(alerts, read, false) })
}

/// The last entry.
async fn last(connection: &mut Connection, key: &[u8]) -> RedisResult<Option<(EntryId, Result<Alert, String>)>> {
    let mut command = redis::cmd("XREVRANGE");
    let entries: Vec<RawEntry> = command.arg(key).arg("+").arg("-").arg("COUNT").arg(1).query_async(connection).await?;
    entries.first().map(|(id, fields)| Ok((entry_id(id)?, alert(id, fields)))).transpose()
}

fn entry_id(id: &str) -> RedisResult<EntryId> {
    EntryId::parse(id.as_bytes())
        .ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "not the id of an entry", id.to_owned())))
}

fn alert(id: &str, fields: &[Vec<u8>]) -> Result<Alert, String> {
    let pairs = fields.as_chunks::<2>().0;
    let json = pairs.iter().find(|[field, _]| field == b"alert").map(|[_, json]| json);
    let json = json.ok_or_else(|| format!("entry {id} has no field 'alert'"))?;
    if json.len() > LONGEST {
        return Err(format!("entry {id} has an alert of {} bytes, at most {LONGEST} are read", json.len()));
    }
    let alert: Alert = serde_json::from_slice(json).map_err(|error| format!("entry {id}: {error}"))?;
    if !(1..=LONGEST_ID).contains(&alert.incident.len()) {
        return Err(format!("entry {id}: an incident's id is 1 to {LONGEST_ID} bytes"));
    }
    Ok(alert)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Alert, String> {
        alert("5-0", &[b"event".to_vec(), b"opened".to_vec(), b"alert".to_vec(), json.as_bytes().to_vec()])
    }

    #[test]
    fn only_an_alert_of_reasonable_size_is_read() {
        let golden = include_str!("../../../crates/wire/fixtures/alert.json");
        assert_eq!(read(golden).unwrap().monitor, "checkout");
        assert!(read("{}").unwrap_err().starts_with("entry 5-0: missing field"));
        assert!(read(&" ".repeat(LONGEST + 1)).unwrap_err().contains("at most 65536"));
        let long = golden.replacen("5b1f2c9a7e3d4860", &"f".repeat(65), 1);
        assert!(read(&long).unwrap_err().contains("1 to 64 bytes"));
        assert!(alert("5-0", &[b"alert".to_vec()]).unwrap_err().contains("no field 'alert'"));
    }
}
