//! Redis and two workers, and what can be done to them.

use crate::feed::{MONITORS, WINDOW_MS, history, name};
use crate::receiver::Receiver;
use anyhow::{Context, Result, ensure};
use eddyline_testkit::{Sentinel, Server, Setup};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Every write is on disk before it is acknowledged: what a client heard survives a kill.
const PERSISTENT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
pub(crate) const DEPLOYMENT: &str = "chaos";
pub(crate) const WORKERS: usize = 2;
/// What the sentinel calls them.
const SERVICE: &str = "chaos";
/// So that it fails over when it is asked to, and not because writes were paused or the machine is slow.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the primary is now.
pub(crate) type Url = Arc<Mutex<String>>;

/// All that runs.
pub(crate) struct Stage {
    primary: Server,
    standby: Option<Standby>,
    url: Url,
    workers: Vec<Option<Child>>,
    folder: tempfile::TempDir,
}

/// Who takes over, and who tells the workers that it did.
struct Standby {
    replica: Server,
    sentinel: Sentinel,
}

impl Standby {
    fn of(primary: &Server) -> Result<Self> {
        let replica = setup(true).replica_of(primary).start()?;
        Ok(Self { replica, sentinel: Sentinel::watching(SERVICE, primary, PATIENCE)? })
    }
}

impl Stage {
    /// Starts everything, and makes the monitors.
    pub(crate) fn start(receiver: &Receiver, seed: u64, failover: bool) -> Result<Self> {
        let primary = setup(failover).start()?;
        let standby = failover.then(|| Standby::of(&primary)).transpose()?;
        let mut connection = primary.connection()?;
        for i in 0..MONITORS {
            let create = format!(
                "EDDY.CREATE {} CLOCK stream WINDOW {WINDOW_MS} BUCKETS 16 DIMENSIONS 2 service status MEASURES 1 latency_ms \
                 CROSSES 1 service*latency_ms",
                name(i)
            );
            let words: Vec<&str> = create.split(' ').collect();
            redis::cmd(words[0]).arg(&words[1..]).exec(&mut connection)?;
        }
        history(&mut connection, seed)?;
        let folder = tempfile::tempdir()?;
        let url = Arc::new(Mutex::new(primary.url()));
        let mut stage = Self { primary, standby, url, workers: (0..WORKERS).map(|_| None).collect(), folder };
        fs::write(stage.settings_path(), settings(receiver.port()))?;
        for i in 0..WORKERS {
            stage.start_worker(i)?;
        }
        Ok(stage)
    }

    /// Where the primary is, now and later.
    pub(crate) fn url(&self) -> Url {
        Arc::clone(&self.url)
    }

    /// A connection to the primary of now.
    pub(crate) fn connection(&self) -> Result<redis::Connection> {
        self.primary.connection()
    }

    /// Starts worker `i`, if it doesn't run.
    pub(crate) fn start_worker(&mut self, i: usize) -> Result<()> {
        if self.workers[i].is_some() {
            return Ok(());
        }
        let log = File::options().create(true).append(true).open(self.folder.path().join(format!("worker-{i}.log")))?;
        let worker = Command::new(env!("CARGO_BIN_EXE_eddyline"))
            .args(["worker", "--redis", &self.address(), "--deployment", DEPLOYMENT])
            .arg("--config")
            .arg(self.settings_path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.workers[i] = Some(worker.context("the worker can't be started")?);
        Ok(())
    }

    /// Where workers look: their settings stay as they are while primaries come and go.
    fn address(&self) -> String {
        match &self.standby {
            Some(standby) => format!("redis+sentinel://127.0.0.1:{}/{SERVICE}", standby.sentinel.port()),
            None => self.primary.url(),
        }
    }

    /// SIGKILL; says whether it ran.
    pub(crate) fn kill_worker(&mut self, i: usize) -> Result<bool> {
        let Some(mut worker) = self.workers[i].take() else { return Ok(false) };
        ensure!(worker.try_wait()?.is_none(), "worker {i} ended by itself: {}", self.log(i));
        worker.kill()?;
        worker.wait()?;
        Ok(true)
    }

    /// Sends a signal such as `-STOP`; says whether it runs.
    pub(crate) fn signal_worker(&self, i: usize, signal: &str) -> Result<bool> {
        let Some(worker) = &self.workers[i] else { return Ok(false) };
        Ok(Command::new("kill").args([signal, &worker.id().to_string()]).status()?.success())
    }

    /// SIGTERM; an error where it doesn't end well. How long it took.
    pub(crate) fn end_worker(&mut self, i: usize) -> Result<Option<Duration>> {
        let Some(mut worker) = self.workers[i].take() else { return Ok(None) };
        let began = std::time::Instant::now();
        Command::new("kill").args(["-TERM", &worker.id().to_string()]).status()?;
        let status = worker.wait()?;
        ensure!(status.success(), "worker {i} ended with {status}: {}", self.log(i));
        Ok(Some(began.elapsed()))
    }

    /// SIGKILL of the primary. It comes back on its data after `down`; with a replica that one takes over for good, and
    /// gets a replica of its own.
    pub(crate) fn kill_redis(&mut self, down: Duration) -> Result<()> {
        if let Some(standby) = &self.standby {
            standby.sentinel.hear_of(SERVICE, &standby.replica)?;
        }
        self.primary.kill()?;
        std::thread::sleep(down);
        let Some(standby) = &mut self.standby else { return self.primary.start() };
        standby.sentinel.fail_over_to(SERVICE, &standby.replica)?;
        // Producers write before there is a replica again, as they would.
        *self.url.lock().expect("no panic") = standby.replica.url();
        let next = setup(true).replica_of(&standby.replica).start()?;
        self.primary = std::mem::replace(&mut standby.replica, next);
        standby.replica.catch_up_with(&self.primary)
    }

    /// What worker `i` logged, its end.
    pub(crate) fn log(&self, i: usize) -> String {
        let log = fs::read_to_string(self.folder.path().join(format!("worker-{i}.log"))).unwrap_or_default();
        let skipped = log.lines().count().saturating_sub(30);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }

    fn settings_path(&self) -> PathBuf {
        self.folder.path().join("eddyline.toml")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for worker in self.workers.iter_mut().flatten() {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

fn setup(tcp: bool) -> Setup {
    let setup = Server::with_module().args(PERSISTENT);
    if tcp { setup.tcp() } else { setup }
}

/// Every incident has a group of its own, so that each must be told opened and resolved.
fn settings(port: u16) -> String {
    format!(
        "listen = \"none\"

[notify]
budget = \"none\"
group_window = \"0s\"
cool_down = \"1s\"

[sinks.receiver]
type = \"webhook\"
url = \"http://127.0.0.1:{port}/\"
secret = \"a secret for chaos alone\"
allow_private = true
"
    )
}
