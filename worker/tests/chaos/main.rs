//! Workers and Redis that are killed, stopped and paused under load: every fingerprint has one score, every injected
//! incident is opened and resolved once, and the receiver of notifications heard of all of it.
//!
//! `cargo xtask chaos --budget 60` (an ordinary `cargo test` leaves it out). Prints what it did and counted.

mod audit;
mod blows;
mod feed;
mod receiver;
mod stage;

use anyhow::Result;
use audit::Audit;
use blows::Blows;
use clap::Parser;
use feed::Feed;
use receiver::Receiver;
use stage::Stage;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  cargo xtask chaos                       a minute
  cargo xtask chaos --budget 1800         half an hour
  cargo xtask chaos --budget 1800 --failover   kills primaries for good: a sentinel gives their replica its place
  cargo xtask chaos --seed 7              other blows at other times

What happens when, follows from the seed; what it meets, from the machine.";

/// Kills workers and Redis under load, and counts whether anything was lost or doubled.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos", after_help = EXAMPLES)]
struct Args {
    /// Seconds in all, without building
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(45..=86_400))]
    budget: u64,
    /// Where chance begins
    #[arg(long, default_value_t = 5)]
    seed: u64,
    /// Primaries aren't restarted: their replica takes over, and what counts is the log that survives
    #[arg(long)]
    failover: bool,
}

/// For the workers to learn from the history.
const WARM_UP: Duration = Duration::from_secs(4);
/// For what was injected last to be over, and for the worker that has to take over for it.
const SETTLES: Duration = Duration::from_secs(12);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    let receiver = Receiver::start(args.seed)?;
    let mut stage = Stage::start(&receiver, args.seed, args.failover)?;
    println!("seed {}, {} s, {} monitors, 2 workers", args.seed, args.budget, feed::MONITORS);
    let began = Instant::now();
    let quiet = began + Duration::from_secs(args.budget).saturating_sub(SETTLES);
    let feed = Feed::start(&stage, args.seed, WARM_UP, quiet.saturating_duration_since(began));
    std::thread::sleep(WARM_UP);
    let mut blows = Blows::new(args.seed);
    blows.rain(&mut stage, quiet)?;
    let audit = Audit::of(&mut stage, &feed, &receiver)?;
    println!("blows: {blows}");
    println!("{audit}");
    Ok(audit.holds())
}
