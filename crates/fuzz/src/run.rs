//! A target's turn: new cases until its time is over, or the cases of a file.

use crate::STOP;
use crate::chance::Chance;
use crate::resp::{self, Case};
use crate::target::{Harm, Target};
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Time between two signs of life.
const NEWS: Duration = Duration::from_secs(10);

/// How a turn ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    name: &'static str,
    /// Cases tried.
    pub(crate) cases: u64,
    accepted: u64,
    took: Duration,
    /// What did harm: the harm, and the file with the input.
    pub(crate) harm: Option<(Harm, PathBuf)>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14} {:>9} cases", self.name, self.cases)?;
        write!(f, " ({} accepted) in {:.1} s", self.accepted, self.took.as_secs_f64())?;
        match &self.harm {
            None => write!(f, "  no harm"),
            Some((harm, input)) => {
                let (name, input) = (self.name, input.display());
                write!(f, "  HARM: {harm}\n  again: cargo xtask fuzz --target {name} --input {input}")
            }
        }
    }
}

/// New cases until the turn is over, or one does harm.
pub(crate) fn new_cases(
    name: &'static str,
    target: &mut dyn Target,
    chance: &mut Chance,
    turn: Duration,
) -> Result<Outcome> {
    let (began, mut told) = (Instant::now(), Instant::now());
    let (mut cases, mut accepted) = (0, 0);
    loop {
        let batch: Vec<Case> = (0..target.at_once()).map(|_| target.case(chance)).collect();
        let tried = target.try_all(&batch)?;
        cases += batch.len() as u64;
        accepted += tried.accepted;
        let over = began.elapsed() >= turn || STOP.load(Ordering::Relaxed);
        if tried.harm.is_some() || over {
            let harm = tried.harm.map(|harm| keep(name, target, batch, harm)).transpose()?;
            return Ok(Outcome { name, cases, accepted, took: began.elapsed(), harm });
        }
        if told.elapsed() >= NEWS {
            told = Instant::now();
            println!("{name:<14} {cases:>9} cases …");
        }
    }
}

/// The cases of a file.
pub(crate) fn again(name: &'static str, target: &mut dyn Target, file: &Path) -> Result<Outcome> {
    let bytes = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
    let cases = resp::read(&bytes).with_context(|| format!("{} holds no cases", file.display()))?;
    let began = Instant::now();
    let tried = target.try_all(&cases)?;
    let harm = tried.harm.map(|harm| (harm, file.to_owned()));
    Ok(Outcome { name, cases: cases.len() as u64, accepted: tried.accepted, took: began.elapsed(), harm })
}

/// Writes the one case of the batch that does harm alone, or the whole batch where none does.
fn keep(name: &str, target: &mut dyn Target, batch: Vec<Case>, harm: Harm) -> Result<(Harm, PathBuf)> {
    let mut found = (batch, harm);
    if found.0.len() > 1 {
        for case in found.0.clone() {
            let alone = vec![case];
            if let Some(harm) = target.try_all(&alone)?.harm {
                found = (alone, harm);
                break;
            }
        }
    }
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/fuzz")).to_owned();
    fs::create_dir_all(&folder)?;
    let bytes = resp::write(&found.0);
    let file = folder.canonicalize()?.join(format!("{name}-{:016x}.resp", xxhash_rust::xxh3::xxh3_64(&bytes)));
    fs::write(&file, bytes)?;
    Ok((found.1, file))
}
