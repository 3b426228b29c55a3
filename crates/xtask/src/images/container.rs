//! A service of the compose file at work: a process in its image's folder, with no more rights than the file gives it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::folder;
use super::layers::inside;
use crate::stop;
use crate::system::{output, quoted, succeed};

/// A network of its own, in which every service is this machine and ports are free.
pub(super) struct Network(Child);

impl Network {
    pub(super) fn new() -> Result<Self> {
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "setpriv", "--pdeathsig", "KILL", "sleep", "infinity"]).stdin(Stdio::null());
        let network = Self(unshare.spawn().context("unshare can't be started")?);
        let end = Instant::now() + Duration::from_secs(10);
        // until the namespace is there, this one's link is up already, which changes nothing
        while output(Command::new("nsenter").args(network.within()).args(["ip", "-o", "addr", "show", "lo"]))?
            .contains("inet")
        {
            if Instant::now() > end {
                bail!("there is no network of its own");
            }
            stop::sleep(Duration::from_millis(20))?;
        }
        succeed(Command::new("nsenter").args(network.within()).args(["ip", "link", "set", "lo", "up"]))?;
        Ok(network)
    }

    fn within(&self) -> [String; 3] {
        ["--target".to_owned(), self.0.id().to_string(), "--net".to_owned()]
    }

    /// Status and body of the answer to a request for this address.
    pub(super) fn get(&self, url: &str, headers: &[&str]) -> Result<(u16, String)> {
        let mut curl = Command::new("nsenter");
        curl.args(self.within()).args(["curl", "--silent", "--show-error", "--max-time", "10"]);
        curl.args(["--noproxy", "*", "--write-out", "\n%{http_code}"]);
        for header in headers {
            curl.args(["--header", header]);
        }
        let answer = output(curl.arg(url))?;
        let (body, status) = answer.rsplit_once('\n').context("no status")?;
        Ok((status.parse()?, body.to_owned()))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a process is and what it may.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    /// `number:number`
    pub(super) user: String,
    pub(super) workdir: String,
    pub(super) tmpfs: Vec<String>,
    /// A path of this machine, one within, and whether it may be written.
    pub(super) mounts: Vec<(PathBuf, String, bool)>,
    /// Other names of this machine.
    pub(super) hosts: Vec<String>,
}

impl Place {
    /// The command in this place.
    fn command(&self, network: &Network, command: &[String]) -> Result<Command> {
        let (user, group) = self.user.split_once(':').context("a user is two numbers")?;
        for folder in &self.tmpfs {
            fs::create_dir_all(inside(&self.root, folder))?;
        }
        for (from, to, _) in &self.mounts {
            let to = inside(&self.root, to);
            if from.is_dir() {
                fs::create_dir_all(to)?;
            } else {
                fs::create_dir_all(to.parent().context("no folder")?)?;
                File::options().create(true).append(true).open(to)?;
            }
        }
        fs::write(self.root.join("etc/hosts"), format!("127.0.0.1 localhost {}\n", self.hosts.join(" ")))?;
        let root = quoted(&self.root.display().to_string());
        let mut script = folder::mounts(&self.root);
        script += &format!("mount -o remount,bind,ro {root}\n");
        for folder in &self.tmpfs {
            script += &format!("mount -t tmpfs -o mode=1777 tmpfs {root}{}\n", quoted(folder));
        }
        for (from, to, is_writable) in &self.mounts {
            script += &format!("mount --bind {} {root}{}\n", quoted(&from.display().to_string()), quoted(to));
            if !is_writable {
                script += &format!("mount -o remount,bind,ro {root}{}\n", quoted(to));
            }
        }
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        script += &format!(
            "exec chroot {root} setpriv --reuid={user} --regid={group} --clear-groups --no-new-privs --inh-caps=-all \
             --bounding-set=-all --pdeathsig=KILL -- env -i -C {} PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin {}\n",
            quoted(&self.workdir),
            words.join(" ")
        );
        let mut nsenter = Command::new("nsenter");
        nsenter.args(network.within()).args(["unshare", "--mount", "sh", "-c", &script]).stdin(Stdio::null());
        Ok(nsenter)
    }

    /// What the command prints, if it succeeds.
    pub(super) fn output(&self, network: &Network, command: &[String]) -> Result<String> {
        output(&mut self.command(network, command)?)
    }
}

/// A service that runs. Dropping it kills it.
pub(super) struct Container {
    name: String,
    process: Child,
    log: File,
}

impl Container {
    pub(super) fn start(name: &str, network: &Network, place: &Place, command: &[String]) -> Result<Self> {
        let log = tempfile::tempfile().context("no temporary file")?;
        let mut process = place.command(network, command)?;
        // a group of its own, so that a signal reaches all of it
        let process = process.process_group(0).stdout(log.try_clone()?).stderr(log.try_clone()?).spawn()?;
        Ok(Self { name: name.to_owned(), process, log })
    }

    /// Everything that it said, read without moving the place where it writes.
    pub(super) fn log(&self) -> Result<String> {
        let mut log = vec![0; usize::try_from(self.log.metadata()?.len())?];
        self.log.read_exact_at(&mut log, 0)?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// An error, with its log, once it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let log = self.log()?;
        bail!("{} ended with {status}:\n{log}", self.name)
    }

    /// Asks it to end, and waits so long.
    pub(super) fn stop(&mut self, within: Duration) -> Result<ExitStatus> {
        self.signal("TERM");
        let end = Instant::now() + within;
        while Instant::now() < end {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            stop::sleep(Duration::from_millis(20))?;
        }
        let log = self.log()?;
        bail!("{} didn't end within {within:?}:\n{log}", self.name)
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-s", signal, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.signal("KILL");
        let _ = self.process.wait();
    }
}

/// Waits until `is_so`, and for `within` at most.
pub(super) fn wait(what: &str, within: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let end = Instant::now() + within;
    let mut last = None;
    while Instant::now() < end {
        match is_so() {
            Ok(true) => return Ok(()),
            Ok(false) => last = None,
            Err(error) => {
                stop::check()?;
                last = Some(error);
            }
        }
        stop::sleep(Duration::from_millis(200))?;
    }
    match last {
        Some(error) => Err(error.context(format!("not within {within:?}: {what}"))),
        None => bail!("not within {within:?}: {what}"),
    }
}

/// The path of this machine that a file of the repository means.
pub(super) fn of_repository(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches("./"))
}
