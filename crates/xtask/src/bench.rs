//! `cargo xtask bench module`: what the module costs a real server, as ratios within one run. `cargo xtask bench gateway`:
//! events a second over HTTP.
//!
//! Wall time on a shared machine says little, so the figure is the processor time of the server's main thread, by its own
//! `INFO`; what is compared runs in turn, round after round, and each ratio is the median of the rounds' own.

mod attach;
mod closing;
mod cost;
mod crowd;
mod gateway;
mod items;
mod load;
mod machine;
mod memory;
mod ping;
mod ratio;
mod row;
mod stage;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use self::row::Row;
use self::stage::Stage;
use crate::{build, setup, stop};

const EXAMPLES: &str = "\
Examples:
  cargo xtask bench module               every row, about five minutes
  cargo xtask bench module observe ping  the rows whose name begins like this

Needs redis-benchmark (apt-get install redis-tools). EDDYLINE_SERVER=/path/to/server chooses another program than
redis-server or valkey-server.";

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// What the module costs a server
    #[command(after_help = EXAMPLES)]
    Module {
        /// Beginnings of the names of rows; without any, all: observe, mobserve, source, cms, close, ping-monitors,
        /// ping-attach, memory
        rows: Vec<String>,
        /// Rounds of which the median is taken
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
        rounds: u32,
    },
    /// Events a second that the HTTP gateway takes; needs wrk (apt-get install wrk)
    Gateway {
        /// Seconds of each load
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
        seconds: u32,
    },
}

/// What measures one row or several.
type Measure = fn(&Stage, &ProgressBar, &[&str], u32) -> Result<Vec<Row>>;

/// Names of rows, by what measures them.
const MEASURES: [(&[&str], Measure); 5] = [
    (&ratio::ROWS, ratio::measure),
    (&[closing::ROW], closing::measure),
    (&[crowd::ROW], crowd::measure),
    (&[attach::ROW], attach::measure),
    (&[memory::ROW], memory::measure),
];

/// Measures the rows that were asked for and prints them as a table.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    let (rows, rounds) = match &args.subject {
        Subject::Module { rows, rounds } => (rows, rounds),
        Subject::Gateway { seconds } => return run_gateway(root, *seconds),
    };
    let all = || MEASURES.iter().flat_map(|(names, _)| names.iter().copied());
    if let Some(unknown) = rows.iter().find(|word| !all().any(|name| name.starts_with(word.as_str()))) {
        bail!("no row begins with '{unknown}'; there are: {}", all().collect::<Vec<_>>().join(", "));
    }
    let chosen = |name: &str| rows.is_empty() || rows.iter().any(|word| name.starts_with(word.as_str()));
    stop::listen()?;
    let tools = setup::run()?;
    let stage = Stage::new(&tools, &build::release(root, &[build::MODULE])?)?;
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {elapsed:>4}  {msg}").expect("the template is right"));
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut table = Vec::new();
    for (names, measure) in MEASURES {
        let names: Vec<&str> = names.iter().copied().filter(|name| chosen(name)).collect();
        if !names.is_empty() {
            table.extend(measure(&stage, &bar, &names, *rounds)?);
        }
    }
    bar.finish_and_clear();
    println!("{}\n\n{}", machine::describe(&tools)?, row::table(&table));
    Ok(if table.iter().all(Row::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_gateway(root: &Path, seconds: u32) -> Result<ExitCode> {
    stop::listen()?;
    let tools = setup::run()?;
    let built = build::release(root, &[build::MODULE, build::WORKER])?;
    let rows = gateway::measure(&Stage::new(&tools, &built)?, &built, seconds)?;
    println!("{}\n\n{}", machine::describe(&tools)?, row::table(&rows));
    Ok(if rows.iter().all(Row::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
