//! `cargo demo`: the whole product at work on a machine that has nothing but Rust.
//!
//! In order: what is needed is found or installed, module and worker are built, a private server starts with both, a
//! small shop feeds an hour of its history and goes live, something breaks every half a minute, and each alert is
//! printed beside what was broken, and stands in the dashboard.

mod alerts;
mod clock;
pub(crate) mod faults;
mod feed;
mod judge;
mod live;
mod screen;
pub(crate) mod shop;
mod stage;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use self::judge::Judge;
use self::live::Live;
use self::screen::Screen;
use self::stage::Stage;
use crate::{build, setup, stop};

const EXAMPLES: &str = "\
Examples:
  cargo demo                  until Ctrl-C
  cargo demo --once           every kind of fault once; fails if one was missed
  cargo demo --once --seed 8  other calls, other faults, another order

It prints where the dashboard is, for a browser on this machine: incidents appear there as they open. The server is a
private one, on a free port of the loopback, with nothing to save. Ctrl-C leaves nothing running.
EDDYLINE_SERVER=/path/to/server chooses another program than redis-server or valkey-server.";

/// What is asked of the demo.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Stop after one fault of every kind, within 180 s; fail if one was missed or two false alarms were raised
    #[arg(long)]
    once: bool,
    /// Where chance begins: the same calls and faults every time
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Shows it all; the outcome is a failure only with `--once`.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    /// As shells have it for a program that was interrupted.
    const INTERRUPTED: u8 = 130;
    stop::listen()?;
    let (mut judge, mut screen) = (Judge::default(), Screen::new());
    match show(root, args, &mut judge, &mut screen) {
        Ok(()) => {
            screen.outcome(&judge)?;
            Ok(if judge.is_content() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) if stop::caused(&error) => {
            screen.outcome(&judge)?;
            screen.step("stopped, nothing is left running")?;
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(error) => Err(error),
    }
}

fn show(root: &Path, args: &Args, judge: &mut Judge, screen: &mut Screen) -> Result<()> {
    let tools = setup::run()?;
    screen.step(&format!("{}: there", tools.found))?;
    screen.step("building the module and the worker")?;
    let built = build::run(root, &[build::MODULE, build::WORKER])?;
    screen.step("built")?;
    let stage = Stage::start(&tools, &built)?;
    screen.step(&format!("server with the module on port {}, worker beside it", stage.port))?;
    screen.step(&format!("dashboard at {}", stage.dashboard))?;
    let mut live = Live::new(stage, args.seed, judge, screen)?;
    live.feed_history()?;
    live.warm_up()?;
    live.break_things(args.seed, args.once)
}
