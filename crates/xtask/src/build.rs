//! Building module and worker, in the folder that cargo uses by default.

use std::env;
use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use cargo_metadata::Message;

use crate::stop;

/// The module's package.
pub(crate) const MODULE: &str = "eddyline-redis-module";
/// The worker's package.
pub(crate) const WORKER: &str = "eddyline";

/// Variables that `cargo run` sets for this program: a build script that watches one would run again.
const SET_BY_CARGO: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// What was built.
#[derive(Debug, Default)]
pub(crate) struct Built {
    module: Option<PathBuf>,
    worker: Option<PathBuf>,
}

impl Built {
    /// The module's shared library.
    pub(crate) fn module(&self) -> Result<&Path> {
        self.module.as_deref().context("cargo names no module among what it built")
    }

    /// The program `eddyline`.
    pub(crate) fn worker(&self) -> Result<&Path> {
        self.worker.as_deref().context("cargo names no worker among what it built")
    }
}

/// Builds the packages in one go, in the profile that tests use; cargo shows its own progress.
pub(crate) fn run(root: &Path, packages: &[&str]) -> Result<Built> {
    in_profile("dev", root, packages)
}

/// The same as users run it, for measurements.
pub(crate) fn release(root: &Path, packages: &[&str]) -> Result<Built> {
    in_profile("release", root, packages)
}

fn in_profile(profile: &str, root: &Path, packages: &[&str]) -> Result<Built> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--profile", profile]).args(packages.iter().flat_map(|package| ["--package", package]));
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(root);
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    forget_cargo(&mut cargo);
    // a group of its own, so that the compilers end with it
    let mut cargo = Group(cargo.process_group(0).spawn().context("cargo can't be started")?);
    let messages = cargo.0.stdout.take().context("cargo's messages aren't piped")?;
    let reader = thread::spawn(move || artifacts(BufReader::new(messages)));
    while !reader.is_finished() {
        stop::sleep(Duration::from_millis(50))?;
    }
    let built = reader.join().map_err(|_| anyhow!("cargo's messages can't be read"))??;
    if !cargo.0.wait()?.success() {
        bail!("this doesn't build: {}", packages.join(", "));
    }
    Ok(built)
}

/// What cargo set for this program isn't meant for a cargo that it starts.
pub(crate) fn forget_cargo(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let shown = name.to_string_lossy();
        if SET_BY_CARGO.iter().any(|prefix| shown.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

/// Module and worker among cargo's messages, as far as they are named.
fn artifacts(messages: BufReader<impl std::io::Read>) -> Result<Built> {
    let mut built = Built::default();
    for message in Message::parse_stream(messages) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        if artifact.target.name != "eddyline" {
            continue;
        }
        if artifact.target.is_cdylib() {
            let library = |file: &Path| file.extension().is_some_and(|it| it == env::consts::DLL_EXTENSION);
            built.module = artifact.filenames.into_iter().map(PathBuf::from).find(|file| library(file));
        } else if let Some(program) = artifact.executable {
            built.worker = Some(program.into());
        }
    }
    Ok(built)
}

/// A process and its children; dropped before they are done, it ends them all.
struct Group(Child);

impl Group {
    fn signal(&self, signal: &str) -> bool {
        let group = format!("-{}", self.0.id());
        let sent = Command::new("kill").args(["-s", signal, "--", &group]).stderr(Stdio::null()).status();
        sent.is_ok_and(|status| status.success())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        /// Compilers end their work in order when they are interrupted, and at once when they are killed.
        const IN_ORDER: Duration = Duration::from_secs(2);
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        self.signal("INT");
        let end = Instant::now() + IN_ORDER;
        while self.signal("0") && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
            let _ = self.0.try_wait();
        }
        self.signal("KILL");
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, artifacts};
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Command, Stdio};

    #[test]
    fn module_and_worker_are_told_apart() {
        let artifact = |kind: &str, file: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"x","manifest_path":"/x/Cargo.toml","target":{{"kind":["{kind}"],
                "crate_types":["{kind}"],"name":"eddyline","src_path":"/x","edition":"2024"}},"profile":{{"opt_level":"0",
                "debuginfo":0,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],
                "filenames":["{file}"],"executable":{executable},"fresh":false}}"#
            )
            .replace('\n', "")
        };
        let messages = [
            artifact("lib", "/t/libeddyline.rlib", "null"),
            artifact("cdylib", "/t/libeddyline.so", "null"),
            artifact("bin", "/t/eddyline", r#""/t/eddyline""#),
        ]
        .join("\n");
        let built = artifacts(BufReader::new(messages.as_bytes())).expect("cargo's messages");
        assert_eq!(built.module().ok(), Some(Path::new("/t/libeddyline.so")));
        assert_eq!(built.worker().ok(), Some(Path::new("/t/eddyline")));
    }

    #[test]
    fn children_of_a_build_end_with_it() {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped()).process_group(0);
        let mut group = Group(shell.spawn().expect("a shell"));
        let mut pid = String::new();
        let output = group.0.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut pid).expect("a line");
        let runs =
            || Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().expect("kill").success();
        assert!(runs());
        drop(group);
        eddyline_testkit::eventually(std::time::Duration::from_secs(10), || !runs());
    }
}
