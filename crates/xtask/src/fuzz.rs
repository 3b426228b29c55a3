//! `cargo xtask fuzz`: hands over to the package that does it, which needs all the others and so isn't part of this one.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

const PACKAGE: &str = "eddyline-fuzz";

/// Builds and becomes the fuzzer.
pub(crate) fn run(root: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--package", PACKAGE, "--"]).args(arguments).current_dir(root);
    crate::build::forget_cargo(&mut cargo);
    Err(cargo.exec()).context("cargo can't be started")
}
