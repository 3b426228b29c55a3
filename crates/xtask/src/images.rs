//! `cargo xtask images`: what the files in `deploy` say, done without Docker. Each step of the Dockerfile runs in a folder
//! that Debian's packages fill, or, where it compiles, on this machine; then the services of `docker-compose.yml` run in
//! those folders, with the user, secrets, volumes and read-only root that it gives them.

mod compose;
mod container;
mod dockerfile;
mod folder;
#[cfg(test)]
mod kubernetes;
mod layers;
mod manifests;
mod stack;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use self::compose::Compose;
use self::layers::Builder;
use self::stack::Stack;
use crate::system::output;
use crate::{setup, stop};

const EXAMPLES: &str = "\
Examples:
  cargo xtask images                        with what tests are built as, which is there already
  cargo xtask images --profile release      as the images really are

It needs root, for folders of other systems, mmdebstrap and Debian's packages; folders are kept in target/images. Redis' image
is a Debian trixie with its Redis 8 here, Valkey's a bookworm, so that the module is seen to run on both.";

/// Servers that the image can be built on: what the compose file says, and what its comment names.
const SERVERS: [&str; 2] = ["redis:8", "valkey/valkey:8"];

/// What is asked of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What cargo builds by: dev or release
    #[arg(long, default_value = "dev", value_parser = ["dev", "release"])]
    profile: String,
}

/// Builds and examines; ends with how much held.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    stop::listen()?;
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("folders of other systems need root: sudo -E env PATH=\"$PATH\" cargo xtask images");
    }
    setup::install_packages(&["mmdebstrap", "iproute2", "curl", "python3-venv"])?;
    let text = fs::read_to_string(root.join("deploy/Dockerfile"))?;
    let compose = compose::read(&fs::read_to_string(root.join("docker-compose.yml"))?)?;
    let cache = cargo_target(root)?.join("images");
    fs::create_dir_all(&cache)?;
    let mut held = manifests::examine(root, &cache)?;
    for server in SERVERS {
        held += with_server(root, args, &text, &compose, &cache, server).with_context(|| format!("SERVER={server}"))?;
    }
    println!("{held} passed, 0 failed");
    Ok(ExitCode::SUCCESS)
}

fn with_server(root: &Path, args: &Args, text: &str, compose: &Compose, cache: &Path, server: &str) -> Result<usize> {
    println!("images on {server}");
    let stages = dockerfile::read(text, &BTreeMap::from([("SERVER".to_owned(), server.to_owned())]))?;
    let mut builder = Builder { context: root, cache, profile: &args.profile, done: BTreeMap::new() };
    let is_first = server == SERVERS[0];
    let targets: &[&str] = if is_first { &["redis", "worker"] } else { &["redis"] };
    let mut roots = BTreeMap::new();
    for &target in targets {
        roots.insert(target.to_owned(), builder.build(&stages, target)?);
    }
    if !is_first {
        // the demo's traffic comes from the server's image, whichever that is
        let stack = Stack::new(root, compose, &stages, &roots, &cache.join("stack"))?;
        return stack.examine_server();
    }
    Stack::new(root, compose, &stages, &roots, &cache.join("stack"))?.examine()
}

/// The folder that cargo builds in.
fn cargo_target(root: &Path) -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    Ok(metadata.target_directory.into())
}
