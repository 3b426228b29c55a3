//! Arguments of `eddyline replay`.

use super::choices::ChoiceArgs;
use super::values::{address, duration, mapping, monitor, period};
use crate::replay::column::Mapping;
use crate::replay::time::TimeUnit;
use crate::replay::vectors::Period;
use crate::store::connect::Address;
use clap::Args;
use std::path::PathBuf;

const REPLAY_EXAMPLES: &str = "\
Examples, events:
  eddyline replay access.jsonl.gz --time timestamp --time-unit s
  eddyline replay events.csv.gz --cross peer_service*duration_us@250 --window 10s
  eddyline replay events.csv.gz --cross peer_service*duration_us@250 --labels faults.csv --scores scores.csv
  eddyline replay events.csv.gz --cross peer_service*duration_us@250 --labels faults.csv --plot replay.html
  eddyline replay events.csv.gz --redis redis://127.0.0.1:6379 --monitor yesterday

Examples, how often would other settings have fired?
  eddyline replay events.csv.gz --cross peer_service*duration_us@250 --preview
  eddyline replay --preview --redis redis://127.0.0.1:6379 --monitor checkout

Without --dimension, --cross, --measure and --unique, the fields are inferred from the first events.

Examples, vectors (a row a window, a column a feature):
  eddyline replay host.csv --period 1m
  eddyline replay smd/*_test.csv.gz --period 1m --labels smd/*_labels.csv.gz --scores scores/
  eddyline replay nab.csv.gz --period auto --time ts --series series --field value --label label";

/// Arguments of `eddyline replay`.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub struct ReplayArgs {
    /// Events: CSV with a header, or one JSON object a line. With --period vectors: CSV. Gzip is recognised.
    #[arg(required_unless_present = "preview", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The file has ready vectors, one so often; 'auto' takes the usual step of the time column. Rows without a time column
    /// follow each other without a gap.
    #[arg(long, value_name = "DURATION", value_parser = period,
          conflicts_with_all = ["dimensions", "crosses", "measures", "uniques", "window_ms", "buckets", "gap_ms", "segments",
                                "suspect", "fingerprints", "redis"])]
    pub period: Option<Period>,
    /// Vectors: the column that tells series apart, each of which is a monitor of its own.
    #[arg(long, value_name = "COLUMN", requires = "period")]
    pub series: Option<String>,
    /// Vectors: the column that says which rows are faulty (0 or 1).
    #[arg(long, value_name = "COLUMN", requires = "period", conflicts_with = "labels")]
    pub label: Option<String>,
    /// Vectors: measure from this row of each series on (0 is the first); all before teach only.
    #[arg(long, value_name = "ROW", default_value_t = 0, requires = "period")]
    pub from_row: usize,
    /// Column with the time of the event, or of the end of a vector's window: a number, or a date with a time of day (RFC
    /// 3339) [default: ts_ms].
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// What a time that is a number counts.
    #[arg(long, value_enum, default_value = "ms")]
    pub time_unit: TimeUnit,
    /// A column to take, and the field it becomes (repeatable; without any, every column under its own name).
    #[arg(long = "field", value_name = "COLUMN[=NAME]", value_parser = mapping)]
    pub fields: Vec<Mapping>,
    /// A value that means that the field is absent (repeatable). An empty value always does.
    #[arg(long, value_name = "VALUE", default_value = "-", allow_hyphen_values = true)]
    pub absent: Vec<String>,
    /// A categorical field to count (repeatable).
    #[arg(long = "dimension", value_name = "FIELD")]
    pub dimensions: Vec<String>,
    /// Fields to count jointly, such as service*status or peer*latency_ms@0.25 (repeatable).
    #[arg(long = "cross", value_name = "A*B")]
    pub crosses: Vec<String>,
    /// A numeric field (repeatable).
    #[arg(long = "measure", value_name = "FIELD")]
    pub measures: Vec<String>,
    /// A field of which only the number of distinct values matters (repeatable).
    #[arg(long = "unique", value_name = "FIELD")]
    pub uniques: Vec<String>,
    /// Length of a window.
    #[arg(long = "window", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub window_ms: u64,
    /// Buckets of a dimension.
    #[arg(long, default_value_t = 32)]
    pub buckets: u32,
    /// Events further apart than this mean that nobody watched in between; without it, that nothing happened.
    #[arg(long = "gap", value_name = "DURATION", value_parser = duration)]
    pub gap_ms: Option<u64>,
    /// The choices.
    #[command(flatten)]
    pub choices: ChoiceArgs,
    /// CSV of known faults: start_ts, end_ts (seconds), and what they were. For vectors, a file for each file of vectors, in
    /// their order, with 0 or 1 a row.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub labels: Vec<PathBuf>,
    /// CSV of stretches that have data: first_start_ms, last_start_ms. Windows outside don't count.
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub segments: Option<PathBuf>,
    /// CSV of stretches that may be faults without a label: start_ts, end_ts (seconds).
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub suspect: Option<PathBuf>,
    /// Write the scores here, as CSV; for several files of vectors into a folder, a file each.
    #[arg(long, value_name = "FILE")]
    pub scores: Option<PathBuf>,
    /// Write the fingerprints here, one a line.
    #[arg(long, value_name = "FILE")]
    pub fingerprints: Option<PathBuf>,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
    /// Say how often other budgets, windows (of events) and detectors (of numbers) would have fired. Without a file, for the
    /// fingerprints that --redis has of --monitor, of which nothing is touched.
    #[arg(long, conflicts_with_all = ["scores", "fingerprints", "plot", "labels", "label", "from_row"])]
    pub preview: bool,
    /// Draw scores, alert line, incidents and labels: a page (.html) that needs nothing but itself, or a drawing (.svg).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Run everything in this process: needs no Redis. The default.
    #[arg(long, conflicts_with = "redis")]
    pub offline: bool,
    /// Go through this server, which has the module loaded. Alerts are published there too, of deployment 'replay'.
    #[arg(long, value_name = "URL", value_parser = address)]
    pub redis: Option<Address>,
    /// Name of the monitor to make.
    #[arg(long, default_value = "replay", value_name = "NAME", value_parser = monitor)]
    pub monitor: String,
}
