//! The worker beside the server: a process that never outlives the demo.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Ordinary windows that end an incident: fewer than there are between two faults.
const QUIET_AFTER: &str = "8";
/// Lines of the log that go with an error.
const LOG_TAIL: usize = 20;

/// A running `eddyline worker`. Dropping it kills it.
pub(super) struct Worker {
    process: Child,
    log: File,
}

impl Worker {
    pub(super) fn start(program: &Path, port: u16) -> Result<Self> {
        let log = tempfile::tempfile().context("no temporary file")?;
        let process = Command::new(program)
            .args(["worker", "--redis", &format!("redis://127.0.0.1:{port}"), "--deployment", "demo"])
            .args(["--quiet-after", QUIET_AFTER])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        Ok(Self { process, log })
    }

    /// An error, with the end of its log, once it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let mut log = String::new();
        self.log.rewind()?;
        self.log.read_to_string(&mut log)?;
        let skipped = log.lines().count().saturating_sub(LOG_TAIL);
        let tail: Vec<&str> = log.lines().skip(skipped).collect();
        bail!("the worker ended with {status}; its log ends:\n{}", tail.join("\n"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
