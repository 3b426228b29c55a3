//! `eddyline replay`: a file of events or vectors through the same code as a live stream, and a report on what was found.
//!
//! Events: [`input`] reads rows, [`pump`] turns them into events in order of time, a feed takes them: [`offline`] runs monitor
//! and [`court`] in this process, [`server`] goes through a real Redis and the worker's own scorer. Both leave an [`outcome`]
//! that [`report`] shows, with its [`quality`] where [`labels`] are given.
//!
//! Ready [`vectors`]: a [`table`] holds the series, each gets a court of its own, [`vector_report`] shows what came of it and
//! how that measures up to labelled rows. [`json`] says the same to machines, [`plot`] shows it. A [`preview`] judges
//! either, or what is [`stored`] on a server, under other settings.

pub mod column;
pub mod court;
pub mod incidents;
pub mod input;
pub mod json;
pub mod labels;
pub mod offline;
pub mod outcome;
pub mod parallel;
pub mod plan;
pub mod plot;
pub mod preview;
pub mod pump;
pub mod quality;
pub mod report;
pub mod server;
pub mod stored;
pub mod table;
pub mod tally;
pub mod time;
pub mod vector_report;
pub mod vectors;

use indicatif::{ProgressBar, ProgressStyle};
use labels::Labels;
use offline::Offline;
use outcome::Outcome;
use plan::{Order, Plan, Via};
use plot::{Chart, Fault};
use pump::{Feed, Pump};
use report::Report;
use server::ThroughServer;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tally::Tally;
use vector_report::VectorReport;
use vectors::VectorPlan;

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
    /// The period of a series can't be had from its times.
    #[error(
        "series '{0}': no two rows with a readable time follow each other: say --time, or the period, as in --period 1m"
    )]
    Period(String),
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

/// Does what was ordered and prints the report.
///
/// # Errors
/// Whatever keeps it from being done.
pub fn run(order: &Order) -> Result<(), ReplayError> {
    match order {
        Order::Events(plan) => events(plan),
        Order::Vectors(plan) => vectors(plan),
        Order::Preview { source, json } => {
            let preview = preview::preview(source)?;
            print(&if *json { preview.json().to_string() } else { preview.to_string() })
        }
    }
}

fn events(plan: &Plan) -> Result<(), ReplayError> {
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
    if let Some(path) = &plan.plot {
        let faults = labels.as_ref().map(|labels| labels.faults.iter().map(Fault::from).collect());
        let name = plan.file.display().to_string();
        let window_ms = plan.create.window_ms;
        plot::draw(path, &[Chart { name, outcome: &outcome, window_ms, has_times: true, faults }])?;
    }
    let report = Report { plan, outcome: &outcome, tally: &tally, labels: labels.as_ref(), took };
    print(&if plan.json { json::events(&report).to_string() } else { report.to_string() })
}

fn vectors(plan: &VectorPlan) -> Result<(), ReplayError> {
    let replayed = vectors::replay(plan)?;
    if let Some(path) = &plan.scores {
        replayed.write_scores(path)?;
    }
    if let Some(path) = &plan.plot {
        let charts: Vec<Chart<'_>> = replayed.judged.iter().map(vectors::Judged::chart).collect();
        plot::draw(path, &charts)?;
    }
    let report = VectorReport { plan, replayed: &replayed };
    print(&if plan.json { json::vectors(&report).to_string() } else { report.to_string() })
}

/// Prints a report; that nobody reads it to its end is no error.
fn print(report: &str) -> Result<(), ReplayError> {
    let mut out = io::stdout();
    match writeln!(out, "{}", report.trim_end()).and_then(|()| out.flush()) {
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
    let bar = progress(size);
    let mut pump = Pump::new(plan, feed);
    input::read(plan, &bar, &mut pump)?;
    let done = pump.finish();
    bar.finish_and_clear();
    done
}

/// A bar of so many steps.
fn progress(steps: u64) -> ProgressBar {
    ProgressBar::new(steps).with_style(
        ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}")
            .expect("the template is right"),
    )
}

fn write(path: &Path, write: impl FnOnce(BufWriter<File>) -> io::Result<()>) -> Result<(), ReplayError> {
    File::create(path)
        .and_then(|file| write(BufWriter::new(file)))
        .map_err(|error| ReplayError::File(path.to_owned(), error))
}
