//! The command line: parsed text, and the checked values made of it.

use crate::connect::Address;
use crate::judge::Choices;
use crate::replay::column::Mapping;
use crate::replay::time::TimeUnit;
use crate::replay::vectors::Period;
use crate::settings::budget;
use crate::upkeep::change::Change;
use crate::upkeep::command::Order;
use clap::{Args, Parser, Subcommand};
use eddyline_detect::{Detectors, Zone};
use eddyline_wire::keys::Companions;
use std::path::PathBuf;

/// Finds what is unusual in streams of application events.
#[derive(Debug, Parser)]
#[command(name = "eddyline", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Score the fingerprints of all monitors as they come, and publish alerts.
    Worker(Box<WorkerArgs>),
    /// Feed a file of events through the same code and report what was found.
    Replay(Box<ReplayArgs>),
    /// Delete a monitor with all that belongs to it.
    Delete(DeleteArgs),
    /// Rename a monitor with all that belongs to it.
    Rename(RenameArgs),
    /// Copy a monitor with all that it knows.
    Copy(CopyArgs),
    /// Say what is wrong with a server and its monitors, and what to do about it.
    Doctor(DoctorArgs),
}

/// Where Redis is.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Where Redis is: redis://[user:password@]host[:port][/db] or redis+unix:///path[?db=n].
    #[arg(long, env = "EDDYLINE_REDIS", default_value = "redis://127.0.0.1:6379", hide_env_values = true, value_parser = address)]
    pub redis: Address,
}

const DELETE_EXAMPLES: &str = "\
Examples:
  eddyline delete checkout --dry-run     what would be deleted
  eddyline delete checkout               asks on the terminal
  eddyline delete checkout --yes --redis redis://redis.internal:6379/2

DEL checkout leaves its streams and what was learnt behind. This deletes {checkout}:fingerprints, :schemas, :scores,
:incidents, :model, :settings and :lease:tokens too, all at once; its sources stay. An open incident is reported as
resolved on eddyline:alerts. Workers may run meanwhile; one that was started with --monitor checkout goes on waiting for
fingerprints of that name.";

/// Arguments of `eddyline delete`.
#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub struct DeleteArgs {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// Only say what would be deleted.
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask.
    #[arg(long)]
    pub yes: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

const RENAME_EXAMPLES: &str = "\
Examples:
  eddyline rename checkout payments
  eddyline rename checkout payments --dry-run
  eddyline rename '{shop}:checkout' '{shop}:payments'     in a cluster: the same hash tag

All keys get their new names at once, or none does: none may be there before. Workers may run meanwhile and go on under
the new name: no window is scored twice, and an open incident keeps its id. What was written before, such as the messages
in the stream of incidents, goes on naming the old one.";

/// Arguments of `eddyline rename`.
#[derive(Debug, Args)]
#[command(after_help = RENAME_EXAMPLES)]
pub struct RenameArgs {
    /// The two monitors.
    #[command(flatten)]
    pub names: OldAndNew,
}

const COPY_EXAMPLES: &str = "\
Examples:
  eddyline copy checkout checkout-test
  eddyline copy '{shop}:checkout' '{shop}:checkout-test' --dry-run

The copy has the fingerprints, scores, incidents and all that was learnt, reads the same sources, and goes on by itself; only the
lease isn't copied. An incident that is open stays the original's. Copying long streams takes the server some
milliseconds.";

/// Arguments of `eddyline copy`.
#[derive(Debug, Args)]
#[command(after_help = COPY_EXAMPLES)]
pub struct CopyArgs {
    /// The two monitors.
    #[command(flatten)]
    pub names: OldAndNew,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  eddyline doctor
  eddyline doctor --redis redis://redis.internal:6379/2
  eddyline doctor --json | jq '.findings[] | select(.level == \"problem\")'

It looks at the server (version, module, memory, eviction, persistence, replicas, rights), at every monitor of the
database (are its windows written, is it scored) and at keys that belong to none. It changes nothing. The exit code is 1 if
something is wrong; advice alone leaves it 0.";

/// Arguments of `eddyline doctor`.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct DoctorArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Arguments of what makes one monitor of another.
#[derive(Debug, Args)]
pub struct OldAndNew {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// The new name; nothing may be there.
    #[arg(value_parser = companions)]
    pub new: Companions,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl From<DeleteArgs> for Order {
    fn from(args: DeleteArgs) -> Self {
        let DeleteArgs { monitor, dry_run, yes, server } = args;
        Self { address: server.redis, monitor, change: Change::Delete, dry_run, yes }
    }
}

impl From<RenameArgs> for Order {
    fn from(RenameArgs { names }: RenameArgs) -> Self {
        let OldAndNew { monitor, new, dry_run, server } = names;
        Self { address: server.redis, monitor, change: Change::Rename(new), dry_run, yes: true }
    }
}

impl From<CopyArgs> for Order {
    fn from(CopyArgs { names }: CopyArgs) -> Self {
        let OldAndNew { monitor, new, dry_run, server } = names;
        Self { address: server.redis, monitor, change: Change::Copy(new), dry_run, yes: true }
    }
}

const WORKER_EXAMPLES: &str = "\
Examples:
  eddyline worker
  eddyline worker --redis redis://:secret@redis.internal:6379/2 --deployment production
  eddyline worker --redis redis+unix:///run/redis/redis.sock --budget 0.2
  eddyline worker --time-zone America/New_York

Then: redis-cli SUBSCRIBE eddyline:alerts

For one monitor alone, while the worker runs: redis-cli HSET {checkout}:settings budget 0.2 detectors level,change

Any number of workers may run: each monitor is one worker's at a time, and a dead worker's monitors are taken over
within 5 seconds.";

/// Arguments of `eddyline worker`.
#[derive(Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub struct WorkerArgs {
    /// Where Redis is: redis://[user:password@]host[:port][/db] or redis+unix:///path[?db=n].
    #[arg(long, env = "EDDYLINE_REDIS", default_value = "redis://127.0.0.1:6379", hide_env_values = true, value_parser = address)]
    pub redis: Address,
    /// Name of this deployment: part of every incident's id, so that staging and production differ.
    #[arg(long, env = "EDDYLINE_DEPLOYMENT", default_value = "default", value_parser = deployment)]
    pub deployment: String,
    /// A monitor to work on though EDDY.LIST doesn't name it, such as a stream of own fingerprints (repeatable).
    #[arg(long = "monitor", value_name = "NAME", value_parser = monitor)]
    pub monitors: Vec<String>,
    /// The choices.
    #[command(flatten)]
    pub choices: ChoiceArgs,
}

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

/// What is an alert.
#[derive(Debug, Args)]
pub struct ChoiceArgs {
    /// False alarms accepted a day and monitor.
    #[arg(long, env = "EDDYLINE_BUDGET", default_value_t = Choices::default().budget_per_day, value_parser = budget)]
    pub budget: f64,
    /// Windows to learn from before the first alert.
    #[arg(long, env = "EDDYLINE_MIN_HISTORY", value_name = "WINDOWS", default_value_t = Choices::default().min_history,
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub min_history: u32,
    /// Ordinary windows that end an incident.
    #[arg(long, env = "EDDYLINE_QUIET_AFTER", value_name = "WINDOWS", default_value_t = Choices::default().quiet_after,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub quiet_after: u32,
    /// Windows after which an incident is taken as the new normal.
    #[arg(long, env = "EDDYLINE_ACCEPT_AFTER", value_name = "WINDOWS", default_value_t = Choices::default().accept_after,
          value_parser = clap::value_parser!(u32).range(60..=1_000_000))]
    pub accept_after: u32,
    /// What scores numbers: auto, or names separated by commas: ensemble, level, forecast, change, regimes, cluster,
    /// mixture, zscore, moving-average, ewma.
    #[arg(long, env = "EDDYLINE_DETECTORS", value_name = "NAMES", default_value_t = Detectors::default())]
    pub detectors: Detectors,
    /// Whose hours and weekdays the traffic follows: an IANA name, such as Europe/Berlin.
    #[arg(long, env = "EDDYLINE_TIME_ZONE", value_name = "ZONE", default_value_t = Zone::default())]
    pub time_zone: Zone,
}

impl From<&ChoiceArgs> for Choices {
    fn from(args: &ChoiceArgs) -> Self {
        Self {
            budget_per_day: args.budget,
            min_history: args.min_history,
            quiet_after: args.quiet_after,
            accept_after: args.accept_after,
            detectors: args.detectors.clone(),
            time_zone: args.time_zone.clone(),
        }
    }
}

fn address(url: &str) -> Result<Address, String> {
    Address::parse(url).map_err(|error| error.to_string())
}

fn deployment(name: &str) -> Result<String, &'static str> {
    if (1..=128).contains(&name.len()) { Ok(name.to_owned()) } else { Err("a deployment's name is 1 to 128 bytes") }
}

fn monitor(name: &str) -> Result<String, String> {
    companions(name).map(|_| name.to_owned())
}

fn companions(name: &str) -> Result<Companions, String> {
    Companions::of(name.as_bytes()).map_err(|error| error.to_string())
}

fn mapping(text: &str) -> Result<Mapping, &'static str> {
    let (column, field) = text.split_once('=').unwrap_or((text, text));
    if column.is_empty() || field.is_empty() {
        return Err("a column, or column=name");
    }
    Ok(Mapping { column: column.to_owned(), field: field.to_owned() })
}

fn duration(text: &str) -> Result<u64, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a number and its unit: ms, s, m or h, as in 10s"),
    };
    text[..digits]
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(|ms| *ms > 0)
        .ok_or("a positive number and its unit, as in 10s")
}

fn period(text: &str) -> Result<Period, &'static str> {
    if text == "auto" { Ok(Period::OfTimes) } else { duration(text).map(Period::Of) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        let refused = |args: &[&str]| {
            let all = ["eddyline", "worker"].iter().chain(args);
            Cli::try_parse_from(all).unwrap_err().to_string()
        };
        assert!(refused(&["--budget", "0"]).contains("a number above 0 and at most 10000"));
        assert!(refused(&["--detectors", "magic"]).contains("moving-average"));
        assert!(refused(&["--time-zone", "Berlin"]).contains("an IANA name such as UTC or Europe/Berlin"));
        assert!(refused(&["--min-history", "5"]).contains("--min-history"));
        assert!(refused(&["--monitor", "{x}"]).contains("braces"));
        assert!(refused(&["--redis", "ftp://x"]).contains("--redis"));
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(["500ms", "10s", "5m", "1h"].map(|text| duration(text).unwrap()), [500, 10_000, 300_000, 3_600_000]);
        for text in ["10", "s", "-1s", "0s", "1d", "99999999999999999999s", "18446744073709551615h", "1é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
