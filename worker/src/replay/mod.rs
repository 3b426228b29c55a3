//! `eddyline replay`: a file of events through the same code as a live stream, and a report on what was found.
//!
//! [`input`] reads rows, [`pump`] turns them into events in order of time, a feed takes them: [`offline`] runs monitor and
//! judge in this process, [`server`] goes through a real Redis and the worker's own scorer. Both leave an [`outcome`] that
//! [`report`] shows, with its [`quality`] where [`labels`] are given.

pub mod column;
pub mod input;
pub mod labels;
pub mod offline;
pub mod outcome;
pub mod plan;
pub mod pump;
pub mod quality;
pub mod report;
pub mod server;

use indicatif::{ProgressBar, ProgressStyle};
use labels::Labels;
use offline::Offline;
use outcome::Outcome;
use plan::{Plan, Via};
use pump::{Feed, Pump, Tally};
use report::Report;
use server::ThroughServer;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Why a replay can't be done.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file can't be opened or read.
    #[error("{path} can't be read", path = .0.display())]
    File(PathBuf, #[source] io::Error),
    /// A file of labels is wrong.
    #[error("{path}: {1}", path = .0.display())]
    Labels(PathBuf, String),
    /// A column isn't there.
    #[error("{}: no column '{name}'; the columns are: {columns}", .path.display())]
    Column {
        /// The column asked for.
        name: String,
        /// The file.
        path: PathBuf,
        /// The columns it has.
        columns: String,
    },
    /// What is to be watched is refused.
    #[error("{0}")]
    Definition(String),
    /// A fingerprint can't be judged.
    #[error("the window that ends at {0} can't be judged: {1}")]
    Judge(u64, String),
    /// No event was read.
    #[error("{path}: no event could be read: {1}", path = .0.display())]
    Empty(PathBuf, String),
    /// The server already has data under the name.
    #[error(
        "this server already has '{key}': choose another name with --monitor, or delete what the last replay left: \
         redis-cli DEL {all}"
    )]
    Exists {
        /// A key that is there.
        key: String,
        /// All keys of the monitor.
        all: String,
    },
    /// The server has no module.
    #[error("this Redis server doesn't have the eddyline module: start it with '--loadmodule /path/to/libeddyline.so'")]
    NoModule,
    /// The server doesn't get on.
    #[error("the server doesn't get on with it: {0}")]
    Stuck(String),
    /// Trouble with Redis.
    #[error("redis: {0}")]
    Redis(redis::RedisError),
}

/// Not as a source: the error's own text tells its cause already.
impl From<redis::RedisError> for ReplayError {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error)
    }
}

/// Does what `plan` says and prints the report.
///
/// # Errors
/// Whatever keeps it from being done.
pub fn run(plan: &Plan) -> Result<(), ReplayError> {
    let labels = match &plan.labels {
        Some(paths) => Some(Labels::read(&paths.faults, paths.segments.as_deref(), paths.suspect.as_deref())?),
        None => None,
    };
    let began = Instant::now();
    let (outcome, tally) = match &plan.via {
        Via::Offline => feed(plan, Offline::new(plan)?)?,
        Via::Server(address) => feed(plan, ThroughServer::new(plan, address)?)?,
    };
    let took = began.elapsed();
    if let Some(path) = &plan.scores {
        write(path, |file| outcome.write_scores(file))?;
    }
    if let Some(path) = &plan.fingerprints {
        write(path, |file| outcome.write_fingerprints(file))?;
    }
    let report = Report { plan, outcome: &outcome, tally: &tally, labels: labels.as_ref(), took }.to_string();
    match io::stdout().write_all(report.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(ReplayError::File(PathBuf::from("standard output"), error))
        }
        _ => Ok(()),
    }
}

/// Pumps the file through `feed`.
///
/// # Errors
/// Whatever keeps it from being done.
pub fn feed(plan: &Plan, feed: impl Feed) -> Result<(Outcome, Tally), ReplayError> {
    let size = std::fs::metadata(&plan.file).map_err(|error| ReplayError::File(plan.file.clone(), error))?.len();
    let bar = ProgressBar::new(size).with_style(
        ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}")
            .expect("the template is right"),
    );
    let mut pump = Pump::new(plan, feed);
    input::read(plan, &bar, &mut pump)?;
    let done = pump.finish();
    bar.finish_and_clear();
    done
}

fn write(path: &Path, write: impl FnOnce(BufWriter<File>) -> io::Result<()>) -> Result<(), ReplayError> {
    File::create(path)
        .and_then(|file| write(BufWriter::new(file)))
        .map_err(|error| ReplayError::File(path.to_owned(), error))
}
