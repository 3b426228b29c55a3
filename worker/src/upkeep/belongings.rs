//! What belongs to a monitor: its own key, if it has one, and its companions.

use eddyline_wire::alert::Alert;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::{Connection, RedisResult};
use std::fmt;

/// What `TYPE` says of a monitor's own key.
pub const MONITOR_TYPE: &str = "eddymonit";

/// A key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// Its name.
    pub key: Vec<u8>,
    /// What `TYPE` says of it.
    pub kind: String,
    /// Entries, fields or bytes; none where it has no such size.
    pub size: Option<(u64, &'static str)>,
}

impl fmt::Display for Belonging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == MONITOR_TYPE { "monitor" } else { &self.kind };
        write!(f, "{:<40} {kind:<8}", printable(&self.key, 128))?;
        match self.size {
            Some((size, unit)) => write!(f, " {size} {unit}"),
            None => Ok(()),
        }
    }
}

/// All that belongs to a monitor, at one moment.
#[derive(Debug)]
pub struct Belongings {
    /// The keys that exist, the monitor's own first.
    pub keys: Vec<Belonging>,
    /// Id of the last message about an incident; empty without any.
    pub last_message: String,
    /// That message, if its incident is open.
    pub open_incident: Option<Alert>,
}

/// The keys of a monitor in the order in which the script takes them: its own, the companions that tell, what a worker counts,
/// the counter of lease tokens, the lease.
#[must_use]
pub fn keys(monitor: &Companions) -> [Vec<u8>; 10] {
    [
        monitor.monitor().to_vec(),
        monitor.fingerprints(),
        monitor.schemas(),
        monitor.scores(),
        monitor.incidents(),
        monitor.model(),
        monitor.settings(),
        monitor.counting(),
        monitor.lease_tokens(),
        monitor.lease(),
    ]
}

impl Belongings {
    /// Looks at what there is. A key of the monitor's name that isn't a monitor belongs to somebody else, and a lease to
    /// a worker.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub fn of(monitor: &Companions, connection: &mut Connection) -> RedisResult<Self> {
        let all = keys(monitor);
        let (own, companions) = (&all[..1], &all[1..9]);
        let mut pipe = redis::pipe();
        for key in own.iter().chain(companions) {
            pipe.cmd("TYPE").arg(key);
        }
        let kinds: Vec<String> = pipe.query(connection)?;
        let mut keys = Vec::new();
        for (at, (key, kind)) in all.iter().zip(kinds).enumerate() {
            if kind != "none" && (at > 0 || kind == MONITOR_TYPE) {
                keys.push(Belonging { key: key.clone(), size: size(key, &kind, connection)?, kind });
            }
        }
        let (last_message, open_incident) = last_message(&monitor.incidents(), &keys, connection)?;
        Ok(Self { keys, last_message, open_incident })
    }
}

fn size(key: &[u8], kind: &str, connection: &mut Connection) -> RedisResult<Option<(u64, &'static str)>> {
    let (command, unit) = match kind {
        "stream" => ("XLEN", "entries"),
        "hash" => ("HLEN", "fields"),
        "string" => ("STRLEN", "bytes"),
        _ => return Ok(None),
    };
    Ok(Some((redis::cmd(command).arg(key).query(connection)?, unit)))
}

fn last_message(
    incidents: &[u8],
    keys: &[Belonging],
    connection: &mut Connection,
) -> RedisResult<(String, Option<Alert>)> {
    type Entries = Vec<(String, Vec<(String, Vec<u8>)>)>;
    if !keys.iter().any(|belonging| belonging.key == incidents && belonging.kind == "stream") {
        return Ok((String::new(), None));
    }
    let last: Entries =
        redis::cmd("XREVRANGE").arg(incidents).arg("+").arg("-").arg("COUNT").arg(1).query(connection)?;
    let Some((id, fields)) = last.into_iter().next() else { return Ok((String::new(), None)) };
    let json = fields.into_iter().find(|(field, _)| field == "alert").map(|(_, json)| json);
    let alert: Option<Alert> = json.and_then(|json| serde_json::from_slice(&json).ok());
    Ok((id, alert.filter(Alert::is_open)))
}
