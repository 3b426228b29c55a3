//! The worker beside the server, with the dashboard: a process that never outlives the demo.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::stop;

/// Ordinary windows that end an incident: fewer than there are between two faults.
const QUIET_AFTER: &str = "8";
/// How long it may take until the dashboard's address is known.
const LISTENS_WITHIN: Duration = Duration::from_secs(20);
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
            .args(["--quiet-after", QUIET_AFTER, "--http", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        Ok(Self { process, log })
    }

    /// Where the dashboard is, once the worker has said it.
    pub(super) fn dashboard(&mut self) -> Result<String> {
        let end = Instant::now() + LISTENS_WITHIN;
        while Instant::now() < end {
            if let Some(address) = gateway(&self.log()?) {
                return Ok(format!("http://{address}/"));
            }
            self.check()?;
            stop::sleep(Duration::from_millis(20))?;
        }
        bail!("the worker doesn't say where its dashboard is:\n{}", self.log()?)
    }

    /// What it has said so far, read without moving the place where it writes.
    fn log(&self) -> Result<String> {
        let mut log = vec![0; usize::try_from(self.log.metadata()?.len())?];
        self.log.read_exact_at(&mut log, 0)?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// An error, with the end of its log, once it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let log = self.log()?;
        let skipped = log.lines().count().saturating_sub(LOG_TAIL);
        let tail: Vec<&str> = log.lines().skip(skipped).collect();
        bail!("the worker ended with {status}; its log ends:\n{}", tail.join("\n"))
    }
}

/// The gateway's address in a log of JSON lines.
fn gateway(log: &str) -> Option<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_gateway = |line: &Value| line["message"].as_str().is_some_and(|message| message.starts_with("gateway at "));
    lines.filter(is_gateway).find_map(|line| Some(line["address"].as_str()?.to_owned()))
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::gateway;

    #[test]
    fn the_gateway_is_told_from_others_that_listen() {
        let log =
            "{\"message\":\"metrics at http://127.0.0.1:9187/metrics\",\"address\":\"127.0.0.1:9187\"}\nnot json\n";
        assert_eq!(gateway(log), None);
        let log =
            format!("{log}{{\"message\":\"gateway at http://127.0.0.1:8081/\",\"address\":\"127.0.0.1:8081\"}}\n");
        assert_eq!(gateway(&log).as_deref(), Some("127.0.0.1:8081"));
    }
}
