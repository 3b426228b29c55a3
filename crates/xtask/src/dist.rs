//! `cargo xtask dist`: what a release carries for this platform, in target/dist, tried before it is called done.

pub(crate) mod glibc;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};
use eddyline_testkit::Server;

use crate::build::{MODULE, WORKER, forget_cargo};
use crate::system::{output, succeed};
use crate::{setup, stop};

const EXAMPLES: &str = "\
Examples:
  cargo xtask dist                  takes minutes: everything is optimised as a whole
  cargo xtask dist --profile dev    tries out all but that

target/dist then has eddyline-VERSION-PLATFORM.tar.gz and its .sha256. In it: the module, the program, SHA256SUMS of both, the
licences of all that they are made of, systemd's files, the documents, and the rules for Prometheus and Grafana among them.";

/// What the archive has beside the two programs: files of the repository, and all in these folders.
const FILES: [&str; 5] = ["CHANGELOG.md", "LICENSE", "README.md", "deploy/systemd", "docs"];
const PROGRAMS: [&str; 2] = ["eddyline", "libeddyline.so"];

/// What is asked of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What cargo builds by: dev or release
    #[arg(long, default_value = "release", value_parser = ["dev", "release"])]
    profile: String,
}

/// Builds, packs, unpacks and tries it.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    stop::listen()?;
    let tools = setup::run()?;
    let platform = platform()?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), platform.clone()])
        .exec()?;
    let version = version(&metadata)?;
    let folder = PathBuf::from(&metadata.target_directory).join("dist");
    let name = format!("eddyline-{version}-{platform}");
    let content = folder.join(&name);
    if content.exists() {
        fs::remove_dir_all(&content)?;
    }
    fs::create_dir_all(&content)?;
    println!("building, profile {}", args.profile);
    let mut build = Command::new(root.join("deploy/image/build"));
    build.arg(&content).env("PROFILE", &args.profile);
    forget_cargo(&mut build);
    succeed(&mut build)?;
    for program in PROGRAMS {
        println!("{program} needs glibc {}", glibc::check(&content.join(program))?);
    }
    for file in output(Command::new("git").arg("ls-files").args(FILES).current_dir(root))?.lines() {
        let to = content.join(file);
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(root.join(file), to).with_context(|| format!("{file} can't be copied"))?;
    }
    let licences = licences::of(&metadata, &[MODULE, WORKER], root)?;
    println!("{} packages of others, {} licences' texts", licences.packages, licences.texts);
    fs::write(content.join("LICENCES.txt"), licences.document)?;
    let sums = output(Command::new("sha256sum").args(PROGRAMS).current_dir(&content))?;
    fs::write(content.join("SHA256SUMS"), sums)?;
    let archive = pack(root, &folder, &name)?;
    let tried = tempfile::tempdir()?;
    succeed(Command::new("tar").arg("-xzf").arg(folder.join(&archive)).arg("-C").arg(tried.path()))?;
    attempt(&tried.path().join(&name), &version, &tools.server)?;
    println!("{}", folder.join(archive).display());
    Ok(ExitCode::SUCCESS)
}

/// The same archive of the same files, whoever packs it and when.
fn pack(root: &Path, folder: &Path, name: &str) -> Result<String> {
    let time = output(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root))?;
    let archive = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+w,go-w,a+rX"]);
    tar.arg(format!("--mtime=@{}", time.trim())).args(["--use-compress-program", "gzip -n"]);
    succeed(tar.args(["-cf", &archive, name]).current_dir(folder))?;
    let sum = output(Command::new("sha256sum").arg(&archive).current_dir(folder))?;
    fs::write(folder.join(format!("{archive}.sha256")), sum)?;
    Ok(archive)
}

/// What somebody who unpacked it does first.
fn attempt(unpacked: &Path, version: &str, server: &Path) -> Result<()> {
    succeed(Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(unpacked))?;
    let told = output(Command::new(unpacked.join("eddyline")).arg("--version"))?;
    if told.trim() != format!("eddyline {version}") {
        bail!("the program calls itself {told:?}, not eddyline {version}");
    }
    let module = unpacked.join("libeddyline.so");
    let server = Server::plain().program(server).args(["--loadmodule".as_ref(), module.as_os_str()]).start()?;
    redis::cmd("EDDY.LIST").exec(&mut server.connection()?).context("the module doesn't work")?;
    println!("tried: checksums, version, the module in a server");
    Ok(())
}

fn platform() -> Result<String> {
    let told = output(Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn version(metadata: &Metadata) -> Result<String> {
    let worker = metadata.packages.iter().find(|package| package.name.as_str() == WORKER);
    Ok(worker.context("there is no worker")?.version.to_string())
}

#[cfg(test)]
mod tests {
    use super::FILES;
    use std::path::Path;

    #[test]
    fn what_the_archive_carries_is_there() {
        for file in FILES {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file).exists(), "{file}");
        }
    }
}
