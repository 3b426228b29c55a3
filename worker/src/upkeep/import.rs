//! `eddyline import`: what was learnt about a monitor elsewhere becomes this one's, by one script (`import.lua`).

use super::archive::{Archive, ArchiveError, Learnt, MOST_BYTES};
use crate::judging::choices::Choices;
use crate::store::checkpoint;
use crate::store::connect::Address;
use crate::store::lease;
use crate::store::stream::{RawEntry, string_in};
use eddyline_wire::command::EntryId;
use eddyline_wire::fingerprint::id as window_id;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::{Connection, RedisError, RedisResult, Script, Value};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

const SCRIPT: &str = include_str!("import.lua");
/// How often it is looked again when windows are scored in between.
const TRIES: usize = 20;

/// An import that was asked for.
#[derive(Debug)]
pub struct Import {
    /// Where Redis is.
    pub address: Address,
    /// The monitor.
    pub monitor: Companions,
    /// The file.
    pub file: PathBuf,
    /// Only say what would be done.
    pub dry_run: bool,
    /// A model that is there is replaced.
    pub yes: bool,
}

/// Why nothing was imported. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error("{0}: {1}")]
    Unreadable(String, io::Error),
    /// The file isn't taken.
    #[error("{0}: {1}")]
    File(String, ArchiveError),
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The monitor has learnt something itself.
    #[error(
        "'{0}' has a model of its own: nothing was imported. --yes replaces it; 'eddyline export {0} --out FILE' keeps it"
    )]
    Taken(String),
    /// Its fingerprints have other features.
    #[error(
        "the model is of schema {model}, but the fingerprints of '{name}' are of schema {own}: it would never be used. Give \
         the monitor the fields and the window that the other one has"
    )]
    OtherSchema {
        /// The monitor.
        name: String,
        /// Schema of the model.
        model: String,
        /// Schema of the newest fingerprint.
        own: String,
    },
    /// Windows are scored faster than they can be looked at.
    #[error("windows were scored meanwhile, {TRIES} times: try again")]
    Restless,
    /// The model can't be moved.
    #[error(transparent)]
    Model(#[from] checkpoint::CheckpointError),
    /// Nobody reads what is said.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// What there is of the monitor.
struct Target {
    scored: EntryId,
    has_model: bool,
    /// Schema of the newest fingerprint.
    schema: Option<String>,
    /// End of the oldest window that has no score yet.
    next_ms: Option<u64>,
}

/// Checks the whole file, then writes.
///
/// # Errors
/// See [`ImportError`].
pub fn run(import: &Import) -> Result<(), ImportError> {
    let shown = import.file.display().to_string();
    let bytes = read(&import.file).map_err(|error| ImportError::Unreadable(shown.clone(), error))?;
    let (archive, learnt) = Archive::decode(&bytes).map_err(|error| ImportError::File(shown, error))?;
    let mut connection = import.address.connect_blocking_for_command()?;
    let name = printable(import.monitor.monitor(), 128);
    let mut out = io::stdout().lock();
    for _ in 0..TRIES {
        let target = look(&import.monitor, &mut connection)?;
        if let (Some(learnt), Some(own)) = (&learnt, &target.schema)
            && learnt.schema != *own
        {
            return Err(ImportError::OtherSchema { name, model: learnt.schema.clone(), own: own.clone() });
        }
        if target.has_model && archive.model.is_some() && !import.yes && !import.dry_run {
            return Err(ImportError::Taken(name));
        }
        if import.dry_run {
            write!(out, "{}", told("would import into", &name, &archive, learnt.as_ref(), &target))?;
            return Ok(());
        }
        match write(import, &archive, &target, &mut connection)? {
            Written::Done => {
                write!(out, "{}", told("imported into", &name, &archive, learnt.as_ref(), &target))?;
                return Ok(());
            }
            Written::Changed => {}
            Written::Taken => return Err(ImportError::Taken(name)),
        }
    }
    Err(ImportError::Restless)
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn look(monitor: &Companions, connection: &mut Connection) -> RedisResult<Target> {
    let info: RedisResult<Value> = redis::cmd("XINFO").arg("STREAM").arg(monitor.scores()).query(connection);
    let scored = match info {
        Ok(info) => string_in(&info, "last-generated-id")?.unwrap_or_default(),
        Err(error) if error.to_string().contains("no such key") => String::new(),
        Err(error) => return Err(error),
    };
    let scored = EntryId::parse(scored.as_bytes()).unwrap_or_default();
    let mut pipe = redis::pipe();
    pipe.cmd("EXISTS").arg(monitor.model());
    pipe.cmd("XREVRANGE").arg(monitor.fingerprints()).arg("+").arg("-").arg("COUNT").arg(1);
    pipe.cmd("XRANGE").arg(monitor.fingerprints()).arg(format!("({scored}")).arg("+").arg("COUNT").arg(1);
    let (has_model, newest, next): (bool, Vec<RawEntry>, Vec<RawEntry>) = pipe.query(connection)?;
    let schema = newest.first().and_then(|(_, fields)| {
        let pair = fields.as_chunks::<2>().0.iter().find(|[field, _]| field == b"schema")?;
        Some(printable(&pair[1], 64))
    });
    let next_ms = next.first().and_then(|(id, _)| EntryId::parse(id.as_bytes())).map(|id| id.ms);
    Ok(Target { scored, has_model, schema, next_ms })
}

enum Written {
    Done,
    Changed,
    Taken,
}

fn write(
    import: &Import,
    archive: &Archive,
    target: &Target,
    connection: &mut Connection,
) -> Result<Written, ImportError> {
    let keys = &import.monitor;
    // the model has learnt whatever this monitor has scored: it goes on with the next window
    let model = archive.model.as_ref().map(|model| checkpoint::moved_to(model, target.scored)).transpose()?;
    let script = Script::new(SCRIPT);
    let mut call = script.prepare_invoke();
    call.key(&[keys.model(), keys.settings(), keys.schemas(), keys.scores(), keys.lease()][..]);
    call.arg(target.scored.to_string()).arg(u8::from(import.yes)).arg(lease::EXPIRY.as_millis() as u64);
    call.arg(model.unwrap_or_default()).arg(2 * archive.settings.len());
    for (name, value) in archive.settings.iter().chain(&archive.schemas) {
        call.arg(name).arg(value);
    }
    let reply: Value = call.invoke(connection)?;
    Ok(match reply {
        Value::Okay => Written::Done,
        Value::SimpleString(word) if word == "TAKEN" => Written::Taken,
        _ => Written::Changed,
    })
}

fn told(what: &str, name: &str, archive: &Archive, learnt: Option<&Learnt>, target: &Target) -> String {
    let from = printable(&archive.monitor, 128);
    let mut text = format!("{what} {name}, from {from} of release {}:\n", printable(archive.release.as_bytes(), 32));
    match learnt {
        Some(learnt) => {
            let until = eddyline_wire::alert::rfc3339(learnt.last_end_ms);
            let place = if target.has_model { "in place of the one that is there" } else { "there is none yet" };
            text += &format!("  the model of schema {}, learnt up to {until}; {place}\n", learnt.schema);
        }
        None => text += "  no model: nothing was learnt\n",
    }
    if !archive.settings.is_empty() {
        text += &format!("  {} settings in place of those that are there\n", archive.settings.len());
    }
    if let Some(learnt) = learnt {
        let others = differences(&learnt.choices, archive);
        if !others.is_empty() {
            let others = others.join(", ");
            text += &format!(
                "  A worker uses the model only under the choices with which it was learnt. Beside its settings these were \
                 others than the defaults: {others}. Give the worker here the same, by flags or its file.\n"
            );
        }
        if let Some(next) = target.next_ms.filter(|next| *next <= learnt.last_end_ms) {
            let (next, last) = (window_id(next), window_id(learnt.last_end_ms));
            text +=
                &format!("  Fingerprints from {next} to {last} are older than what was learnt: they get no score.\n");
        }
    }
    text
}

/// The choices that neither the settings in the file nor the defaults explain.
fn differences(learnt: &Choices, archive: &Archive) -> Vec<String> {
    let mut expected = Choices::default();
    for (name, value) in &archive.settings {
        if let Ok(name) = std::str::from_utf8(name) {
            let _ = expected.set(name, &String::from_utf8_lossy(value));
        }
    }
    let fields = |choices: &Choices| match serde_json::to_value(choices) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let expected = fields(&expected);
    let others = fields(learnt).into_iter().filter(|(name, value)| expected.get(name) != Some(value));
    others.map(|(name, value)| format!("{name} {value}")).collect()
}
