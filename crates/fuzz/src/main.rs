//! `cargo xtask fuzz`: hostile input for everything that reads bytes from outside. Every target gets its share of the
//! budget; what does harm is written to a file, with the command that tries it again.

mod chance;
mod corpus;
mod grammar;
mod live;
mod mutate;
mod pure;
mod resp;
mod run;
mod target;

use anyhow::{Result, bail};
use chance::Chance;
use clap::Parser;
use run::Outcome;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use target::Target;

const EXAMPLES: &str = "\
Examples:
  cargo xtask fuzz                                    all targets, two minutes together
  cargo xtask fuzz --budget 3600 --target restore     an hour of damaged dumps against a live server
  cargo xtask fuzz --target restore --input FILE      an input that did harm, once more

The same seed tries the same cases in the same order; how many, depends on the time.";

/// Hostile input for everything that reads bytes from outside.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask fuzz", bin_name = "cargo xtask fuzz", after_help = EXAMPLES)]
struct Args {
    /// Seconds for all targets together
    #[arg(long, default_value_t = 120)]
    budget: u64,
    /// Where chance begins
    #[arg(long, default_value_t = 3)]
    seed: u64,
    /// Only this target (repeatable)
    #[arg(long = "target", value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(names()))]
    targets: Vec<String>,
    /// Try the cases of this file instead of new ones
    #[arg(long, value_name = "FILE", requires = "targets")]
    input: Option<PathBuf>,
}

/// A target: its name, its share of the time, whether it is a server, and what makes it.
type Entry = (&'static str, u32, bool, fn(&mut Chance) -> Result<Box<dyn Target>>);

const TARGETS: [Entry; 9] = [
    ("commands", 1, false, |_| Ok(Box::new(pure::commands::Commands))),
    ("records", 1, false, |_| Ok(Box::new(pure::records::Records))),
    ("sketches", 1, false, |chance| Ok(Box::new(pure::sketches::Sketches::new(chance)))),
    ("monitor", 2, false, |chance| Ok(Box::new(pure::monitor::Monitors::new(chance)))),
    ("checkpoint", 1, false, |chance| Ok(Box::new(pure::checkpoint::Checkpoints::new(chance)))),
    ("intake", 2, false, |_| Ok(Box::new(pure::intake::Bodies::new()))),
    ("restore", 4, true, |chance| Ok(Box::new(live::restore::Restore::new(chance)?))),
    ("live-commands", 2, true, |_| Ok(Box::new(live::commands::Commands::new()?))),
    ("sources", 2, true, |_| Ok(Box::new(live::sources::Sources::new()?))),
];

/// Somebody asked to stop: servers end with this program, so it ends in order.
static STOP: AtomicBool = AtomicBool::new(false);

fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|(name, ..)| *name).collect()
}

fn main() -> ExitCode {
    match fuzz(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz(args: &Args) -> Result<ExitCode> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))?;
    target::keep_panics();
    let chosen: Vec<Entry> = TARGETS
        .into_iter()
        .filter(|(name, ..)| args.targets.is_empty() || args.targets.iter().any(|chosen| chosen == name))
        .collect();
    if chosen.iter().any(|(_, _, live, _)| *live) {
        // built before the time runs
        eddyline_testkit::module_path()?;
    }
    println!("seed {}, {} s", args.seed, args.budget);
    let end = Instant::now() + Duration::from_secs(args.budget);
    let mut shares: u32 = chosen.iter().map(|(_, share, ..)| share).sum();
    let mut outcomes = Vec::new();
    for (name, share, _, make) in chosen {
        if STOP.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        let turn = end.saturating_duration_since(Instant::now()) * share / shares;
        shares -= share;
        let mut chance = Chance::new(args.seed, name);
        let mut target = make(&mut chance)?;
        let outcome = match &args.input {
            Some(file) => run::again(name, target.as_mut(), file)?,
            None => run::new_cases(name, target.as_mut(), &mut chance, turn)?,
        };
        println!("{outcome}");
        outcomes.push(outcome);
    }
    let harmful = outcomes.iter().filter(|outcome| outcome.harm.is_some()).count();
    let cases: u64 = outcomes.iter().map(|outcome: &Outcome| outcome.cases).sum();
    println!("{cases} cases with seed {}: {harmful} of {} targets came to harm", args.seed, outcomes.len());
    Ok(if harmful == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
