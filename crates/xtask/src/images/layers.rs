//! Running a Dockerfile's steps: in folders that stand for images, but for what is compiled, which happens on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::dockerfile::{Stage, Step};
use super::folder;
use crate::build::forget_cargo;
use crate::dist::glibc;
use crate::system::{quoted, succeed};

/// The step that compiles. The image that it runs in has Rust; what stands for it here hasn't.
const COMPILES: &str = "deploy/image/build ";

/// Where stages become folders, each once for all servers but those that have the server in them.
pub(super) struct Builder<'a> {
    /// The repository, which is what `docker build` is given.
    pub(super) context: &'a Path,
    pub(super) cache: &'a Path,
    pub(super) profile: &'a str,
    /// By the stage's name.
    pub(super) done: BTreeMap<String, PathBuf>,
}

impl Builder<'_> {
    /// The folder of the stage of this name, after those that it needs.
    pub(super) fn build(&mut self, stages: &[Stage], name: &str) -> Result<PathBuf> {
        if let Some(folder) = self.done.get(name) {
            return Ok(folder.clone());
        }
        let stage = stages.iter().find(|stage| stage.name == name).with_context(|| format!("no stage {name}"))?;
        let root = self.cache.join("roots").join(name);
        let compiles = |step: &Step| matches!(step, Step::Run(line) if line.starts_with(COMPILES));
        if stage.steps.iter().all(compiles) {
            // what it runs in is this machine
            self.build(stages, &stage.base)?;
            folder::empty(&root)?;
        } else if stages.iter().any(|other| other.name == stage.base) {
            let base = self.build(stages, &stage.base)?;
            folder::copy(&base, &root)?;
        } else {
            let archive = folder::archive(self.cache, &stage.base)?;
            folder::unpack(&archive, &root)?;
            if stage.base.starts_with("redis:") || stage.base.starts_with("valkey/") {
                // as those images have it
                succeed(Command::new("install").args(["-d", "-o", "999", "-g", "999"]).arg(root.join("data")))?;
            }
        }
        let mut workdir = "/".to_owned();
        for step in &stage.steps {
            self.step(stages, &root, &mut workdir, step).with_context(|| format!("stage {name}: {step:?}"))?;
        }
        self.done.insert(name.to_owned(), root.clone());
        Ok(root)
    }

    fn step(&mut self, stages: &[Stage], root: &Path, workdir: &mut String, step: &Step) -> Result<()> {
        match step {
            Step::Workdir(folder) => {
                folder.clone_into(workdir);
                Ok(fs::create_dir_all(inside(root, folder))?)
            }
            // the whole repository is there for what is compiled, which happens where it stands already
            Step::Copy { from: None, sources, to } if sources == &["."] && to == "." => Ok(()),
            Step::Copy { from, sources, to } => {
                let origin = match from {
                    Some(stage) => self.build(stages, stage)?,
                    None => self.context.to_owned(),
                };
                copy(&origin, sources, &inside(root, to), to.ends_with('/'))
            }
            Step::Run(line) => match line.strip_prefix(COMPILES) {
                Some(out) => self.compile(&inside(root, out)),
                None => run(root, workdir, line),
            },
        }
    }

    fn compile(&self, out: &Path) -> Result<()> {
        println!("  {}, on this machine, profile {}", COMPILES.trim(), self.profile);
        let mut build = Command::new(self.context.join(COMPILES.trim()));
        build.arg(out).env("PROFILE", self.profile).current_dir(self.context);
        forget_cargo(&mut build);
        succeed(&mut build)?;
        for entry in fs::read_dir(out)? {
            let file = entry?.path();
            println!("  {} needs glibc {}", file.display(), glibc::check(&file)?);
        }
        Ok(())
    }
}

/// A path of the image, as this machine has it.
pub(super) fn inside(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn copy(origin: &Path, sources: &[String], to: &Path, is_folder: bool) -> Result<()> {
    if sources.len() > 1 && !is_folder {
        bail!("several files need a folder, which ends in /");
    }
    fs::create_dir_all(if is_folder { Some(to) } else { to.parent() }.context("to where?")?)?;
    for source in sources {
        let source = inside(origin, source);
        if !source.is_file() {
            bail!("{} is no file", source.display());
        }
        let target = if is_folder { to.join(source.file_name().context("it has no name")?) } else { to.to_owned() };
        fs::copy(&source, &target)?;
    }
    Ok(())
}

fn run(root: &Path, workdir: &str, line: &str) -> Result<()> {
    println!("  {line}, in {}", root.display());
    let mut script = folder::mounts(root);
    let inner = format!("cd {} && {line}", quoted(workdir));
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    script += &format!("exec chroot {} env {path} sh -c {}\n", quoted(&root.display().to_string()), quoted(&inner));
    succeed(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
}

#[cfg(test)]
mod tests {
    use super::copy;
    use std::fs;

    #[test]
    fn what_is_copied_is_a_file_that_is_there_and_stays_executable() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (root, to) = (folder.path(), folder.path().join("to/bin"));
        fs::write(root.join("a"), "x").expect("a file");
        assert!(std::process::Command::new("chmod").arg("755").arg(root.join("a")).status().expect("chmod").success());
        copy(root, &["a".to_owned()], &to, true).expect("it is there");
        let meta = fs::metadata(to.join("a")).expect("it was copied");
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777, 0o755);
        assert!(copy(root, &["b".to_owned()], &to, true).is_err());
        assert!(copy(root, &["a".to_owned(), "a".to_owned()], &root.join("c"), false).is_err());
    }
}
