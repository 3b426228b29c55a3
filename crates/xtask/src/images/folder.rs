//! Folders that stand for images: those of a registry are made of Debian's packages, since there may be no registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::stop;
use crate::system::{quoted, succeed};

/// What stands for an image: a release of Debian and packages more.
struct Like {
    release: &'static str,
    packages: &'static [&'static str],
    /// Sources of packages beside the release's own.
    sources: &'static [&'static str],
}

/// Redis' image has the Redis of the same major version that Debian has; the newest Debian, too.
fn like(image: &str) -> Option<Like> {
    let (release, packages, sources): (_, &[_], &[_]) = match image {
        "redis:8" => ("trixie", &["redis-server"], &[]),
        "valkey/valkey:8" => (
            "bookworm",
            &["valkey-server/bookworm-backports", "valkey-tools/bookworm-backports"],
            &[
                "deb http://deb.debian.org/debian bookworm main",
                "deb http://deb.debian.org/debian bookworm-backports main",
            ],
        ),
        "debian:bookworm-slim" => ("bookworm", &[], &[]),
        _ if image.starts_with("rust:") && image.ends_with("-bookworm") => ("bookworm", &[], &[]),
        _ => return None,
    };
    Some(Like { release, packages, sources })
}

/// An archive of the folder of an image, made once and then kept in `cache`.
pub(super) fn archive(cache: &Path, image: &str) -> Result<PathBuf> {
    let like = like(image).with_context(|| format!("nothing is known that stands for {image}"))?;
    let name = match like.packages.first() {
        Some(package) => format!("{}-{}", like.release, package.split('/').next().unwrap_or_default()),
        None => like.release.to_owned(),
    };
    let file = cache.join(format!("{name}.tar"));
    if file.exists() {
        return Ok(file);
    }
    println!("  {image} is made of Debian {} {}", like.release, like.packages.join(" "));
    let part = cache.join(format!("{name}.part.tar"));
    let mut make = Command::new("mmdebstrap");
    make.args(["--quiet", "--variant=minbase"]);
    for package in like.packages {
        make.arg(format!("--include={package}"));
    }
    make.arg(like.release).arg(&part).args(like.sources);
    succeed(&mut make)?;
    fs::rename(&part, &file)?;
    Ok(file)
}

/// The archive's contents at `folder`, in place of what was there.
pub(super) fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    stop::check()?;
    empty(folder)?;
    succeed(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(folder))
}

/// A folder with nothing in it.
pub(super) fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    Ok(fs::create_dir_all(folder)?)
}

/// Another folder with the same contents.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    stop::check()?;
    remove(to)?;
    succeed(Command::new("cp").args(["-a", "--reflink=auto", "--"]).arg(from).arg(to))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        // nothing of this machine may be mounted there
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let inside = format!(" {}/", folder.display());
        if mounts.lines().any(|mount| mount.contains(&inside)) {
            bail!("something is mounted below {}", folder.display());
        }
        fs::remove_dir_all(folder).with_context(|| format!("{} can't be removed", folder.display()))?;
    }
    Ok(())
}

/// A folder of the system as a program in it sees it: with processes, devices and names of the network. To be followed by
/// commands, in namespaces of their own.
pub(super) fn mounts(root: &Path) -> String {
    let root = quoted(&root.display().to_string());
    format!(
        "set -e\nmount --bind {root} {root}\nmount -t proc proc {root}/proc\nmount --rbind /dev {root}/dev\n\
         touch {root}/etc/resolv.conf\nmount --bind \"$(readlink -f /etc/resolv.conf)\" {root}/etc/resolv.conf\n"
    )
}
