//! `cargo xtask browser`: the dashboard in a real browser, over a real server and worker.
//!
//! The tests are in `worker/tests/browser`; they run from a copy in `target/browser`, where npm puts what they need.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::build::{self, Built};
use crate::{setup, stop};

const TESTS: &str = "worker/tests/browser";
const TURN: Duration = Duration::from_millis(50);

/// Runs them all; fails if one of them does.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    stop::listen()?;
    let server = setup::run()?.server;
    let browser = browser()?;
    let built = build::run(root, &[build::MODULE, build::WORKER])?;
    let place = root.join("target/browser");
    let (tests, pictures) = (place.join("tests"), place.join("pictures"));
    renew(&pictures)?;
    copy(&root.join(TESTS), &tests)?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"]).current_dir(&tests);
    wait(npm.spawn().context("npm can't be started")?, "npm ci")?;
    wait(start(&tests, &pictures, &server, &browser, &built)?, "the dashboard's tests")?;
    Ok(ExitCode::SUCCESS)
}

/// The program of the user's choice, or else the first of the usual ones on the search path.
fn browser() -> Result<PathBuf> {
    const USUAL: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    if let Some(chosen) = env::var_os("EDDYLINE_BROWSER").filter(|chosen| !chosen.is_empty()) {
        return Ok(chosen.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = USUAL.iter().find_map(|name| env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file()));
    found.context("no chromium on the PATH: cargo xtask setup installs it, or set EDDYLINE_BROWSER=/path/to/it")
}

fn start(tests: &Path, pictures: &Path, server: &Path, browser: &Path, built: &Built) -> Result<Child> {
    Command::new("node")
        .arg("main.mjs")
        .current_dir(tests)
        .env("EDDYLINE_SERVER", server)
        .env("EDDYLINE_BROWSER", browser)
        .env("EDDYLINE_MODULE", built.module()?)
        .env("EDDYLINE_BIN", built.worker()?)
        .env("EDDYLINE_SHOTS", pictures)
        .stdin(Stdio::null())
        .spawn()
        .context("node can't be started")
}

/// Waits for its end; where somebody asks to stop, asks it to end what it started.
fn wait(mut child: Child, what: &str) -> Result<()> {
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Err(stopped) = stop::sleep(TURN) {
            let _ = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
            child.wait()?;
            return Err(stopped);
        }
    };
    if !status.success() {
        bail!("{what}: {status}");
    }
    Ok(())
}

/// An empty folder.
fn renew(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// The files of a folder and of those in it. Others that are there stay: npm's.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
