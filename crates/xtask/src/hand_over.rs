//! `cargo xtask fuzz` and `chaos`: hands over to what needs the other packages and so isn't part of this one.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Hostile input.
pub(crate) const FUZZ: [&str; 3] = ["run", "--package", "eddyline-fuzz"];
/// Workers and Redis that are killed under load.
pub(crate) const CHAOS: [&str; 5] = ["test", "--package", "eddyline", "--test", "chaos"];

/// Builds and becomes the program that `cargo` with these words runs.
pub(crate) fn run(root: &Path, words: &[&str], arguments: &[OsString]) -> Result<ExitCode> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).arg("--").args(arguments).current_dir(root);
    crate::build::forget_cargo(&mut cargo);
    Err(cargo.exec()).context("cargo can't be started")
}
