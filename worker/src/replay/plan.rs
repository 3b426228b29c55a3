//! A checked command line: what to read, what to watch, which way to go, what to write.

use super::ReplayError;
use super::column::Mapping;
use super::preview::Source;
use super::time::TimeUnit;
use super::vectors::{Period, VectorPlan};
use crate::cli::replay::ReplayArgs;
use crate::judging::choices::Choices;
use crate::judging::identity::Identity;
use crate::store::connect::Address;
use eddyline_wire::command::EntryId;
use eddyline_wire::command::create::{Clock, Create, From};
use eddyline_wire::keys::Companions;
use std::path::PathBuf;

/// Name of the deployment in a replay's messages.
const DEPLOYMENT: &str = "replay";
/// Column with the time, where none is named.
pub const USUAL_TIME: &str = "ts_ms";
/// As many fingerprints as a monitor may keep: the report is made of all of them.
const RETENTION: u64 = 10_000_000;

/// Which way the events go.
#[derive(Debug)]
pub enum Via {
    /// Through the pure crates in this process.
    Offline,
    /// Through a server with the module.
    Server(Box<Address>),
}

/// Where labels are.
#[derive(Debug)]
pub struct LabelPaths {
    /// Faults.
    pub faults: PathBuf,
    /// Stretches that have data.
    pub segments: Option<PathBuf>,
    /// Stretches that may be unlabelled faults.
    pub suspect: Option<PathBuf>,
}

/// A replay that is ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The events.
    pub file: PathBuf,
    /// Column with the time.
    pub time: String,
    /// Its unit.
    pub time_unit: TimeUnit,
    /// Columns to take; all under their own names where none is given.
    pub fields: Vec<Mapping>,
    /// Values that stand for an absent field; an empty one always does.
    pub absent: Vec<Vec<u8>>,
    /// The monitor.
    pub create: Create,
    /// Events further apart than this mean that nobody watched; without it, that nothing happened.
    pub gap_ms: Option<u64>,
    /// What is an alert.
    pub choices: Choices,
    /// Which way.
    pub via: Via,
    /// Labels to compare with.
    pub labels: Option<LabelPaths>,
    /// Where to write scores.
    pub scores: Option<PathBuf>,
    /// Where to write fingerprints.
    pub fingerprints: Option<PathBuf>,
    /// The report as JSON.
    pub json: bool,
    /// Where to draw.
    pub plot: Option<PathBuf>,
}

/// What is to be replayed.
#[derive(Debug)]
pub enum Order {
    /// A file of events.
    Events(Box<Plan>),
    /// Files of vectors.
    Vectors(Box<VectorPlan>),
    /// Other settings, tried on either or on what a server has.
    Preview {
        /// What there is.
        source: Box<Source>,
        /// The report as JSON.
        json: bool,
    },
}

impl TryFrom<ReplayArgs> for Order {
    type Error = ReplayError;

    fn try_from(args: ReplayArgs) -> Result<Self, ReplayError> {
        let (preview, json) = (args.preview, args.json);
        if preview && args.files.is_empty() {
            let Some(address) = args.redis else {
                let what = "--preview: of which file? Or of which monitor, with --redis and --monitor?";
                return Err(ReplayError::Definition(what.to_owned()));
            };
            let keys = Companions::of(args.monitor.as_bytes());
            let keys = keys.map_err(|error| ReplayError::Definition(error.to_string()))?;
            let choices = Choices::from(&args.choices);
            return Ok(Self::Preview {
                source: Box::new(Source::Stored { address: Box::new(address), keys, choices }),
                json,
            });
        }
        if preview && args.redis.is_some() {
            let what = "--preview: a file or a server's monitor, not both";
            return Err(ReplayError::Definition(what.to_owned()));
        }
        let source = match args.period {
            Some(period) => Source::Vectors(Box::new(vector_plan(args, period))),
            None => Source::Events(Box::new(Plan::try_from(args)?)),
        };
        Ok(match source {
            source if preview => Self::Preview { source: Box::new(source), json },
            Source::Vectors(plan) => Self::Vectors(plan),
            Source::Events(plan) => Self::Events(plan),
            source @ Source::Stored { .. } => Self::Preview { source: Box::new(source), json },
        })
    }
}

fn vector_plan(args: ReplayArgs, period: Period) -> VectorPlan {
    VectorPlan {
        files: args.files,
        period,
        time: args.time,
        time_unit: args.time_unit,
        series: args.series,
        label: args.label,
        fields: args.fields,
        absent: args.absent.into_iter().map(String::into_bytes).collect(),
        labels: args.labels,
        from_row: args.from_row,
        choices: Choices::from(&args.choices),
        scores: args.scores,
        json: args.json,
        plot: args.plot,
    }
}

impl TryFrom<ReplayArgs> for Plan {
    type Error = ReplayError;

    fn try_from(args: ReplayArgs) -> Result<Self, ReplayError> {
        let [file] = <[PathBuf; 1]>::try_from(args.files).map_err(|files| {
            let count = files.len();
            ReplayError::Definition(format!("one file of events at a time, got {count}; for vectors say --period"))
        })?;
        let labels = match <[PathBuf; 1]>::try_from(args.labels) {
            Ok([faults]) => Some(LabelPaths { faults, segments: args.segments, suspect: args.suspect }),
            Err(none) if none.is_empty() => None,
            Err(_) => return Err(ReplayError::Definition("--labels: one file for a file of events".to_owned())),
        };
        let via = args.redis.map_or(Via::Offline, |address| Via::Server(Box::new(address)));
        Ok(Self {
            create: create(
                &args.monitor,
                args.window_ms,
                args.buckets,
                [
                    ("DIMENSIONS", &args.dimensions),
                    ("CROSSES", &args.crosses),
                    ("MEASURES", &args.measures),
                    ("UNIQUES", &args.uniques),
                ],
            )?,
            file,
            time: args.time.unwrap_or_else(|| USUAL_TIME.to_owned()),
            time_unit: args.time_unit,
            fields: args.fields,
            absent: args.absent.into_iter().map(String::into_bytes).collect(),
            gap_ms: args.gap_ms,
            choices: Choices::from(&args.choices),
            via,
            labels,
            scores: args.scores,
            fingerprints: args.fingerprints,
            json: args.json,
            plot: args.plot,
        })
    }
}

/// The monitor, checked by the grammar of `EDDY.CREATE` whichever way the events go.
fn create(
    monitor: &str,
    window_ms: u64,
    buckets: u32,
    lists: [(&str, &Vec<String>); 4],
) -> Result<Create, ReplayError> {
    let refused = |error: String| ReplayError::Definition(error.trim_start_matches("ERR ").to_owned());
    let keys = Companions::of(monitor.as_bytes()).map_err(|error| refused(error.to_string()))?;
    let mut words: Vec<Vec<u8>> = vec![monitor.into(), b"SOURCES".to_vec(), b"1".to_vec(), source(&keys)];
    let numbers = [("WINDOW", window_ms), ("BUCKETS", buckets.into()), ("RETENTION", RETENTION)];
    for (option, value) in numbers {
        words.extend([option.into(), value.to_string().into_bytes()]);
    }
    for (option, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        words.extend([option.into(), names.len().to_string().into_bytes()]);
        words.extend(names.iter().map(|name| name.as_bytes().to_vec()));
    }
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let create = Create::parse(&words).map_err(|error| refused(error.to_string()))?;
    Ok(Create { clock: Clock::Stream, from: From::After(EntryId::default()), ..create })
}

/// The same events under other choices, in other windows; nothing is written.
#[must_use]
pub fn varied(plan: &Plan, choices: &Choices, window_ms: u64) -> Plan {
    Plan {
        file: plan.file.clone(),
        time: plan.time.clone(),
        time_unit: plan.time_unit,
        fields: plan.fields.clone(),
        absent: plan.absent.clone(),
        create: Create { window_ms, ..plan.create.clone() },
        gap_ms: plan.gap_ms,
        choices: choices.clone(),
        via: Via::Offline,
        labels: None,
        scores: None,
        fingerprints: None,
        json: false,
        plot: None,
    }
}

/// Key of the stream of events, in the monitor's slot.
#[must_use]
pub fn source(keys: &Companions) -> Vec<u8> {
    let fingerprints = keys.fingerprints();
    let stem = fingerprints.strip_suffix(b"fingerprints").unwrap_or(&fingerprints);
    [stem, b"events"].concat()
}

impl Plan {
    /// Whose incidents they are: the same both ways.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let db = match &self.via {
            Via::Offline => 0,
            Via::Server(address) => address.db(),
        };
        Identity { deployment: DEPLOYMENT.to_owned(), monitor: self.create.keys.monitor().to_vec(), db }
    }
}
