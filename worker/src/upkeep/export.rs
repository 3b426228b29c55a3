//! `eddyline export`: what was learnt about a monitor, into one file.

use super::archive::{Archive, ArchiveError};
use crate::store::connect::Address;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::RedisError;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// An export that was asked for.
#[derive(Debug)]
pub struct Export {
    /// Where Redis is.
    pub address: Address,
    /// The monitor.
    pub monitor: Companions,
    /// The file; standard output without one.
    pub out: Option<PathBuf>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Trouble with Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// There is nothing to write.
    #[error(
        "nothing was learnt about '{0}' yet, and nothing is set for it: there is no {{monitor}}:model and no {{monitor}}:settings"
    )]
    Nothing(String),
    /// A worker of this release couldn't use it either.
    #[error("what stands in Redis can't be exported: {0}")]
    Content(#[from] ArchiveError),
    /// It would be written onto a terminal.
    #[error("the file isn't text: say --out FILE, or send it on with > FILE")]
    Terminal,
    /// The file can't be written.
    #[error("{0}: {1}")]
    File(String, io::Error),
}

/// Reads what there is at one moment and writes it.
///
/// # Errors
/// See [`ExportError`].
pub fn run(export: &Export) -> Result<(), ExportError> {
    let Export { address, monitor, out } = export;
    if out.is_none() && io::stdout().is_terminal() {
        return Err(ExportError::Terminal);
    }
    let mut connection = address.connect_blocking_for_command()?;
    let mut pipe = redis::pipe();
    pipe.atomic();
    pipe.cmd("GET").arg(monitor.model());
    pipe.cmd("HGETALL").arg(monitor.settings());
    pipe.cmd("HGETALL").arg(monitor.schemas());
    let (model, settings, schemas) = pipe.query(&mut connection)?;
    let name = printable(monitor.monitor(), 128);
    let release = env!("CARGO_PKG_VERSION").to_owned();
    let archive = Archive { monitor: monitor.monitor().to_vec(), release, model, settings, schemas };
    if archive.model.is_none() && archive.settings.is_empty() {
        return Err(ExportError::Nothing(name));
    }
    let learnt = archive.check()?;
    let bytes = archive.encode()?;
    let written = match out {
        Some(path) => std::fs::write(path, &bytes).map_err(|error| (path.display().to_string(), error)),
        None => io::stdout().lock().write_all(&bytes).map_err(|error| ("standard output".to_owned(), error)),
    };
    written.map_err(|(file, error)| ExportError::File(file, error))?;
    let model = match learnt {
        Some(learnt) => {
            format!("a model of schema {} up to {}", learnt.schema, eddyline_wire::alert::rfc3339(learnt.last_end_ms))
        }
        None => "no model, nothing was learnt yet".to_owned(),
    };
    let settings = archive.settings.len();
    // beside the file, which may go to standard output
    let _ = writeln!(io::stderr(), "{name}: {model}; {settings} settings; {} bytes", bytes.len());
    Ok(())
}
