use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use crate::setup::Setup;
use crate::wait::poll;

/// For loading data, on a machine that builds beside it.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// A primary waits up to 10 s for its replicas before it goes.
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// A server that hangs fails the test instead of hanging it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Lines of the log that go with an error.
const LOG_TAIL: usize = 40;

/// A server of this test's own, in a temporary folder, on a Unix socket. Dropping it kills it, also when the test
/// panics; the end of its log is then printed.
#[derive(Debug)]
pub struct Server {
    program: OsString,
    args: Vec<OsString>,
    port: Option<u16>,
    process: Option<Child>,
    folder: TempDir,
}

impl Server {
    /// A server without the module.
    pub fn plain() -> Setup {
        Setup::new(false)
    }

    /// A server with the module, which is built first where it isn't fresh.
    pub fn with_module() -> Setup {
        Setup::new(true)
    }

    pub(crate) fn stopped(program: OsString, args: Vec<OsString>, port: Option<u16>) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let server = Self { program, args, port, process: None, folder };
        fs::create_dir(server.data_dir())?;
        Ok(server)
    }

    /// Starts a server that was killed or shut down, on its old data, and waits until it answers.
    pub fn start(&mut self) -> Result<()> {
        if self.process.is_some() {
            bail!("the server runs already");
        }
        let output = File::options().create(true).append(true).open(self.log_path())?;
        let spawned = Command::new(&self.program)
            .args(["--port", &self.port.unwrap_or(0).to_string(), "--bind", "127.0.0.1"])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.data_dir())
            .args(["--save", "", "--enable-debug-command", "yes"])
            // By default a primary waits 5 s for more replicas before it serves the first.
            .args(["--repl-diskless-sync-delay", "0"])
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn();
        match spawned {
            Ok(process) => self.process = Some(process),
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "{} not found: apt-get install redis-server (or set EDDYLINE_SERVER=/path/to/server)",
                self.program.display()
            ),
            Err(error) => return Err(error).with_context(|| format!("{} can't be started", self.program.display())),
        }
        let started = poll(STARTS_WITHIN, || match self.exited() {
            Err(error) => Some(Err(error)),
            Ok(true) => Some(Err(anyhow!("the server exited; its log ends:\n{}", self.log_tail()))),
            Ok(false) => self.answers().then_some(Ok(())),
        });
        let started = started.unwrap_or_else(|| Err(anyhow!("the server doesn't answer:\n{}", self.log_tail())));
        if started.is_err() {
            self.kill()?;
        }
        started
    }

    /// SIGKILL, as a crash would end it; the data stays as it is on disk.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// `SHUTDOWN`: writes what the server's own settings make it write (nothing, without `--save` or
    /// `--appendonly`), and waits until the process is gone.
    pub fn shutdown(&mut self) -> Result<()> {
        // The answer to success is a closed connection, so only a process that stays is a failure.
        let answer = redis::cmd("SHUTDOWN").exec(&mut self.connection()?);
        let gone = poll(STOPS_WITHIN, || match self.exited() {
            Ok(gone) => gone.then_some(Ok(())),
            Err(error) => Some(Err(error)),
        });
        match gone {
            Some(result) => result?,
            None => bail!("the server didn't shut down: {answer:?}"),
        }
        self.process = None;
        Ok(())
    }

    /// Shuts the server down and starts it on its old data.
    pub fn restart(&mut self) -> Result<()> {
        self.shutdown()?;
        self.start()
    }

    /// A new connection, which gives up reading after 30 s.
    pub fn connection(&self) -> Result<redis::Connection> {
        let connection = redis::Client::open(self.url())?.get_connection()?;
        connection.set_read_timeout(Some(ANSWERS_WITHIN))?;
        Ok(connection)
    }

    /// `redis+unix:///path`, as the client library takes it.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Port on the loopback, where the server was set up with one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Where the server keeps its RDB and AOF files.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that the server has logged and printed so far, over all its starts.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Log and standard error in one file: a panic's text goes to the latter.
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Process id, for signals; none when killed or shut down.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    fn answers(&self) -> bool {
        let pong = self.connection().and_then(|mut connection| Ok(redis::cmd("PING").exec(&mut connection)?));
        pong.is_ok()
    }

    fn exited(&mut self) -> Result<bool> {
        match &mut self.process {
            Some(process) => Ok(process.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let skipped = log.lines().count().saturating_sub(LOG_TAIL);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("the server can't be killed: {error:#}");
        }
        if thread::panicking() {
            eprintln!("the server's log ends:\n{}", self.log_tail());
        }
    }
}
