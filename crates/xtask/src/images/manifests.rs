//! What those who read the files say of them: docker compose, Kubernetes' schemas, kustomize, systemd. One that isn't on this
//! machine is said, and left out.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::system::{output, succeed};

/// Asks all of them; how many there were.
pub(super) fn examine(repository: &Path, cache: &Path) -> Result<usize> {
    let mut held = 0;
    let asked: [(&str, Option<()>); 4] = [
        ("docker-compose.yml is right for docker compose", compose(repository)?),
        ("Kubernetes' manifests are right for its schemas", kubernetes(repository, cache)?),
        ("kubectl kustomize puts them together", kustomize(repository, cache)?),
        ("the unit is right for systemd", systemd(repository)?),
    ];
    for (what, answer) in asked {
        match answer {
            Some(()) => {
                println!("  holds: {what}");
                held += 1;
            }
            None => println!("  left out, since nobody here can say: {what}"),
        }
    }
    Ok(held)
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn compose(repository: &Path) -> Result<Option<()>> {
    let mut compose = if is_there("docker", &["compose", "version"]) {
        let mut docker = Command::new("docker");
        docker.arg("compose");
        docker
    } else if is_there("docker-compose", &["version"]) {
        Command::new("docker-compose")
    } else {
        return Ok(None);
    };
    compose.args(["--profile", "demo", "--profile", "observability", "config"]).current_dir(repository);
    let told = output(&mut compose)?;
    ensure!(["redis:", "worker:", "traffic:", "grafana:"].iter().all(|name| told.contains(name)), "{told}");
    Ok(Some(()))
}

fn kubernetes(repository: &Path, cache: &Path) -> Result<Option<()>> {
    let venv = cache.join("kubernetes-validate");
    let program = venv.join("bin/kubernetes-validate");
    if !program.exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/pip"));
        succeed(pip.args(["install", "--quiet", "--disable-pip-version-check", "kubernetes-validate==1.37.0"]))?;
    }
    let folder = repository.join("deploy/kubernetes");
    let mut validate = Command::new(program);
    succeed(validate.arg("--strict").args([folder.join("redis.yaml"), folder.join("worker.yaml")]))?;
    Ok(Some(()))
}

fn kustomize(repository: &Path, cache: &Path) -> Result<Option<()>> {
    if !is_there("kubectl", &["version", "--client"]) {
        return Ok(None);
    }
    let folder = cache.join("kustomize");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    succeed(Command::new("cp").arg("-r").arg(repository.join("deploy/kubernetes")).arg(&folder))?;
    succeed(Command::new(repository.join("deploy/make-secrets")).arg(folder.join("secrets")))?;
    let told = output(Command::new("kubectl").arg("kustomize").arg(&folder))?;
    let kinds = told.lines().filter(|line| line.starts_with("kind: ")).count();
    ensure!(kinds == 7, "{kinds} things instead of 7:\n{told}");
    for used in
        ["secretName: redis-password-", "secretName: worker-secrets-", "name: eddyline-", "image: eddyline-redis:"]
    {
        ensure!(told.contains(used), "nothing has {used}");
    }
    Ok(Some(()))
}

fn systemd(repository: &Path) -> Result<Option<()>> {
    if !is_there("systemd-analyze", &["--version"]) {
        return Ok(None);
    }
    let verify =
        Command::new("systemd-analyze").arg("verify").arg(repository.join("deploy/systemd/eddyline.service")).output();
    let told = String::from_utf8_lossy(&verify.context("systemd-analyze can't be started")?.stderr).into_owned();
    // nothing is installed here
    let wrong: Vec<&str> = told.lines().filter(|line| !line.contains("eddyline is not executable")).collect();
    if !wrong.is_empty() {
        bail!("systemd-analyze verify:\n{}", wrong.join("\n"));
    }
    Ok(Some(()))
}
