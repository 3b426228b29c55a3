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

/// The Dockerfile's targets.
const REDIS: &str = "redis";
const WORKER: &str = "worker";

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
    let mut builder = Builder { context: root, cache: &cache, profile: &args.profile, done: BTreeMap::new() };
    for server in SERVERS {
        println!("images on {server}");
        let stages = dockerfile::read(&text, &BTreeMap::from([("SERVER".to_owned(), server.to_owned())]))?;
        builder.done.remove(REDIS);
        let roots = [REDIS, WORKER].map(|target| Ok((target.to_owned(), builder.build(&stages, target)?)));
        let roots = roots.into_iter().collect::<Result<BTreeMap<_, _>>>()?;
        let stack = Stack::new(root, &compose, &stages, &roots, &cache.join("stack"))?;
        // all of it once; the rest is the same whatever the server
        let examined = if server == SERVERS[0] { stack.examine() } else { stack.examine_server() };
        held += examined.with_context(|| format!("SERVER={server}"))?;
    }
    println!("{held} passed, 0 failed");
    Ok(ExitCode::SUCCESS)
}

/// The folder that cargo builds in.
fn cargo_target(root: &Path) -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    Ok(metadata.target_directory.into())
}
