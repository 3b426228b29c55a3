//! The change itself: one script (`change.lua`), so that nobody sees half of it.

use super::belongings::{Belongings, keys};
use crate::store::lease;
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{ALERTS, Companions};
use eddyline_wire::text::printable;
use redis::{Connection, FromRedisValue, RedisError, Script, Value};

const SCRIPT: &str = include_str!("change.lua");
/// How often it is looked again when an incident changes in between.
const TRIES: usize = 5;

/// What is to become of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It and all that belongs to it is removed.
    Delete,
    /// It gets another name.
    Rename(Companions),
    /// Another one begins with all that it knows.
    Copy(Companions),
}

/// Why a change isn't made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nothing belongs to a monitor of that name.
    #[error(
        "there is no monitor '{0}' in this database, and nothing that belongs to one; redis-cli EDDY.LIST shows them"
    )]
    Nothing(String),
    /// The new name is in use.
    #[error("'{name}' is in use: {} there. Choose another name, or remove what is there first; 'eddyline delete {name}' does where it is a monitor's", in_the_way(.keys))]
    Taken {
        /// The new name.
        name: String,
        /// Its keys that exist.
        keys: Vec<String>,
    },
    /// Old and new name are one.
    #[error("that is its name already")]
    SameName,
    /// The names fall into different slots of a cluster.
    #[error(
        "in a cluster a monitor can only get a name of its own hash slot, because no command reaches into two at once and \
         its sources must be there too: choose a name with its tag, such as '{0}'"
    )]
    OtherSlot(String),
    /// Another node of a cluster has the monitor.
    #[error("another node of the cluster has this monitor: run it again with --redis redis://{0}")]
    OtherNode(String),
    /// Incidents change faster than they can be looked at.
    #[error("its incidents changed meanwhile, {TRIES} times: try again")]
    Restless,
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

fn in_the_way(keys: &[String]) -> String {
    let names = keys.join(", ");
    if keys.len() == 1 { format!("{names} is") } else { format!("{names} are") }
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Number of keys.
    pub keys: u64,
}

/// Looks at what belongs to `monitor`.
///
/// # Errors
/// There is nothing, or trouble with Redis.
pub fn look(monitor: &Companions, change: &Change, connection: &mut Connection) -> Result<Belongings, ChangeError> {
    let found = Belongings::of(monitor, connection).map_err(|error| explained(error, monitor, change))?;
    if found.keys.is_empty() {
        return Err(ChangeError::Nothing(printable(monitor.monitor(), 128)));
    }
    Ok(found)
}

/// Whether a change is only asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Say whether it could be made.
    Ask,
    /// Make it.
    Do,
}

/// Makes the change, to what belongs to the monitor at this moment.
///
/// # Errors
/// See [`ChangeError`]; nothing was changed then.
pub fn make(
    monitor: &Companions,
    change: &Change,
    mode: Mode,
    connection: &mut Connection,
) -> Result<Changed, ChangeError> {
    if change.new_name() == Some(monitor) {
        return Err(ChangeError::SameName);
    }
    for _ in 0..TRIES {
        let found = look(monitor, change, connection)?;
        let reply =
            call(monitor, change, mode, &found, connection).map_err(|error| explained(error, monitor, change))?;
        match reply {
            Value::Int(keys) => return Ok(Changed { keys: keys.unsigned_abs() }),
            Value::SimpleString(word) if word == "CHANGED" => {}
            Value::SimpleString(_) => return Err(ChangeError::Nothing(printable(monitor.monitor(), 128))),
            taken => {
                let name = change.new_name().map(|new| printable(new.monitor(), 128)).unwrap_or_default();
                let keys = Vec::<Vec<u8>>::from_redis_value(taken).map_err(RedisError::from)?;
                return Err(ChangeError::Taken { name, keys: keys.iter().map(|key| printable(key, 128)).collect() });
            }
        }
    }
    Err(ChangeError::Restless)
}

fn call(
    monitor: &Companions,
    change: &Change,
    mode: Mode,
    found: &Belongings,
    connection: &mut Connection,
) -> Result<Value, RedisError> {
    let script = Script::new(SCRIPT);
    let mut call = script.prepare_invoke();
    call.key(&keys(monitor)[..]);
    if let Some(new) = change.new_name() {
        call.key(&keys(new)[..]);
    }
    call.arg(change.word()).arg(u8::from(mode == Mode::Ask));
    call.arg(&found.last_message).arg(lease::EXPIRY.as_millis() as u64);
    if let Some(words) = found.open_incident.as_ref().and_then(|open| change.last_words(open, found, monitor)) {
        call.arg(&words.entry).arg(&words.incident).arg(words.to_json());
        if *change == Change::Delete {
            call.arg(ALERTS).arg(monitor.alerts());
        }
    }
    call.invoke(connection)
}

impl Change {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Rename(_) => "rename",
            Self::Copy(_) => "copy",
        }
    }

    /// The monitor that comes of it.
    #[must_use]
    pub fn new_name(&self) -> Option<&Companions> {
        match self {
            Self::Delete => None,
            Self::Rename(new) | Self::Copy(new) => Some(new),
        }
    }

    /// What is said of an open incident that the change ends. A copy takes the messages along, but not the incident: the
    /// original's worker goes on with that, and the copy's opens its own under its own id. A rename ends none.
    fn last_words(&self, open: &Alert, found: &Belongings, monitor: &Companions) -> Option<Alert> {
        let reason = match self {
            Self::Delete => "the monitor was deleted".to_owned(),
            Self::Copy(_) => format!("goes on as an incident of '{}'", printable(monitor.monitor(), 128)),
            Self::Rename(_) => return None,
        };
        let last = EntryId::parse(found.last_message.as_bytes())?;
        let entry = EntryId { seq: last.seq + 1, ..last }.to_string();
        Some(Alert { event: Event::Resolved, reason: Some(reason), entry, ..open.clone() })
    }
}

/// What an error of a cluster means here.
fn explained(error: RedisError, monitor: &Companions, change: &Change) -> ChangeError {
    match (error.code(), error.detail()) {
        (Some("CROSSSLOT"), _) => {
            let new = change.new_name().map(Companions::monitor).unwrap_or_default();
            let (old, new) = (printable(monitor.monitor(), 128), printable(new, 128));
            let tag = match (old.find('{'), old.find('}')) {
                (Some(open), Some(close)) => old[open..=close].to_owned(),
                _ => format!("{{{old}}}"),
            };
            ChangeError::OtherSlot(format!("{tag}:{}", new.replace(['{', '}'], "")))
        }
        (Some("MOVED"), Some(detail)) => {
            ChangeError::OtherNode(detail.split_whitespace().next_back().unwrap_or_default().to_owned())
        }
        _ => error.into(),
    }
}
