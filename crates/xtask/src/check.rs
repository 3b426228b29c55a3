//! `cargo xtask check`: all that has to hold before a change is kept, one suite after the other.

mod tally;

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use self::tally::Tally;
use crate::build::forget_cargo;
use crate::stop;

/// In the order in which they run: what fails soon comes first, and what others need before them.
const SUITES: [Suite; 15] = [
    Suite { name: "format", command: "cargo fmt --all --check" },
    Suite { name: "lints", command: "cargo clippy --workspace --all-targets -- -D warnings" },
    Suite { name: "tidy", command: "cargo tidy" },
    Suite { name: "tests", command: "cargo test --workspace --no-fail-fast" },
    Suite { name: "valkey", command: "env EDDYLINE_SERVER=valkey-server cargo test -p eddyline-redis-module" },
    // what the suites below start
    Suite { name: "build", command: "cargo build -p eddyline-redis-module -p eddyline" },
    Suite { name: "python", command: "sdk-python/check" },
    Suite { name: "js", command: "sdk-js/check" },
    Suite { name: "api", command: "cargo xtask api" },
    Suite { name: "browser", command: "cargo xtask browser" },
    Suite { name: "images", command: "cargo xtask images" },
    Suite { name: "dist", command: "cargo xtask dist --profile dev" },
    Suite { name: "chaos", command: "cargo xtask chaos --budget 60" },
    Suite { name: "fuzz", command: "cargo xtask fuzz --budget 120" },
    Suite { name: "demo", command: "cargo demo --once" },
];

const EXAMPLES: &str = "\
Examples:
  cargo xtask check                   everything, which takes the better part of an hour on two cores
  cargo xtask check format lints tidy
  cargo xtask check tests python js

It goes on after a suite that fails. The last line is how many tests passed and failed; a suite that counts none is one.
cargo xtask setup installs what is needed.";

/// What is asked of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these; all by default
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(SUITES.map(|suite| suite.name)))]
    suites: Vec<String>,
}

/// Tests that are run by one command.
#[derive(Debug, Clone, Copy)]
struct Suite {
    name: &'static str,
    /// Words without blanks, run in the repository.
    command: &'static str,
}

/// Runs them; fails if one did.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    stop::listen()?;
    let began = Instant::now();
    let (mut all, mut failed) = (Tally::default(), Vec::new());
    for suite in
        SUITES.iter().filter(|suite| args.suites.is_empty() || args.suites.iter().any(|name| name == suite.name))
    {
        let began = Instant::now();
        say(&format!("\n== {}: {}", suite.name, suite.command))?;
        let tally = suite.run(root, &mut io::stdout()).with_context(|| suite.command.to_owned())?;
        say(&format!("== {}: {} s, {tally}", suite.name, began.elapsed().as_secs()))?;
        if tally.failed > 0 {
            failed.push(suite.name);
        }
        all += tally;
        stop::check()?;
    }
    let failed_ones = if failed.is_empty() { String::new() } else { format!(", these failed: {}", failed.join(" ")) };
    say(&format!("\n== all: {} s{failed_ones}", began.elapsed().as_secs()))?;
    say(&all.to_string())?;
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Suite {
    /// Shows what it prints, and counts.
    fn run(&self, root: &Path, shown: &mut impl Write) -> Result<Tally> {
        let mut words = self.command.split(' ');
        let program = words.next().context("no command")?;
        let program: OsString = if root.join(program).is_file() { root.join(program).into() } else { program.into() };
        let mut command = Command::new(&program);
        command.args(words).current_dir(root).stdin(Stdio::null());
        forget_cargo(&mut command);
        let (printed, print) = io::pipe()?;
        let started = command.stdout(print.try_clone()?).stderr(print).spawn();
        // it holds the other end of the pipe
        drop(command);
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                writeln!(shown, "{} can't be started: {error}", program.display())?;
                return Ok(Tally { passed: 0, failed: 1 });
            }
        };
        let mut tally = Tally::default();
        let mut lines = BufReader::new(printed);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            shown.write_all(&line)?;
            tally += Tally::of_line(&String::from_utf8_lossy(&line));
            line.clear();
        }
        let is_success = child.wait()?.success();
        Ok(tally.of_suite(is_success))
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::{SUITES, Suite};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = SUITES.iter().map(|suite| suite.name).collect();
        assert_eq!(names.len(), SUITES.len());
    }

    #[test]
    fn a_suite_that_fails_or_is_not_there_counts_as_failed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let run = |command: &'static str| {
            // not shown, since whoever runs these tests may count too
            let tally = Suite { name: "x", command }.run(root, &mut Vec::new()).expect("it is counted");
            (tally.passed, tally.failed)
        };
        assert_eq!(run("true"), (1, 0));
        assert_eq!(run("false"), (0, 1));
        assert_eq!(run("no/such/program"), (0, 1));
        assert_eq!(run("echo 3 passed, 2 failed"), (3, 2));
    }
}
