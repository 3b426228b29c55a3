use std::env;
use std::ffi::OsString;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};
use cargo_metadata::Message;

const PACKAGE: &str = "eddyline-redis-module";

/// Variables that cargo sets for a test and that a cargo started by it mustn't inherit: build scripts that watch
/// one would run again. What the user sets (`CARGO_HOME`, `CARGO_TARGET_DIR`, `RUSTFLAGS`, ...) stays.
const SET_FOR_A_TEST: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// The module's shared library, built with the profile and into the target folder of the running test: once a
/// process; across processes cargo's own lock on that folder lets one build while the others wait, and the others
/// then find it fresh. The path is the one that cargo reports.
pub fn module_path() -> Result<&'static Path> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    match built {
        Ok(path) => Ok(path),
        Err(error) => Err(anyhow!("{error}")),
    }
}

/// The folder of the workspace's Cargo.toml.
pub(crate) fn workspace_root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", PACKAGE, "--message-format", "json-render-diagnostics"])
        .args(same_output(&env::current_exe()?))
        .current_dir(workspace_root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for (name, _) in env::vars_os() {
        let shown = name.to_string_lossy();
        if SET_FOR_A_TEST.iter().any(|prefix| shown.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    let mut running = cargo.spawn().context("cargo can't be started")?;
    let messages = running.stdout.take().context("cargo's messages aren't piped")?;
    let mut library = None;
    for message in Message::parse_stream(BufReader::new(messages)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.is_cdylib()
            && artifact.target.name == "eddyline"
        {
            library = artifact.filenames.into_iter().find(|file| is_library(file.as_std_path()));
        }
    }
    if !running.wait()?.success() {
        bail!("the module doesn't build: cargo build -p {PACKAGE}");
    }
    let library = library.context("cargo reports no shared library of the module")?;
    Ok(library.into_std_path_buf())
}

fn is_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == env::consts::DLL_EXTENSION)
}

/// Arguments that make cargo build where and how it built `executable`: `<target folder>[/<triple>]/<profile>/deps/x`,
/// the target folder being the one that cargo tags as a cache. None where the path isn't of that form.
fn same_output(executable: &Path) -> Vec<OsString> {
    let mut folders = executable.ancestors().skip(1).peekable();
    if folders.peek().is_some_and(|folder| folder.ends_with("deps") || folder.ends_with("examples")) {
        folders.next();
    }
    let (Some(profile), Some(mut target)) = (folders.next(), folders.next()) else {
        return Vec::new();
    };
    let mut triple = None;
    if !target.join("CACHEDIR.TAG").exists() {
        triple = target.file_name();
        match folders.next() {
            Some(parent) if parent.join("CACHEDIR.TAG").exists() => target = parent,
            _ => return Vec::new(),
        }
    }
    let profile = match profile.file_name() {
        Some(name) if name == "debug" => "dev".into(),
        Some(name) => name.to_owned(),
        None => return Vec::new(),
    };
    let mut arguments = vec!["--target-dir".into(), target.into(), "--profile".into(), profile];
    if let Some(triple) = triple {
        arguments.extend(["--target".into(), triple.to_owned()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::same_output;
    use std::fs;

    #[test]
    fn module_is_built_where_the_test_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        fs::create_dir(&target).expect("a target folder");
        fs::write(target.join("CACHEDIR.TAG"), "").expect("cargo's tag");
        let of = |path: &str| same_output(&target.join(path));
        let at = target.as_os_str();

        assert_eq!(of("debug/deps/test-1"), ["--target-dir".as_ref(), at, "--profile".as_ref(), "dev".as_ref()]);
        assert_eq!(of("release/tool"), ["--target-dir".as_ref(), at, "--profile".as_ref(), "release".as_ref()]);
        assert_eq!(of("x86_64-foo/debug/deps/test-1")[4..], ["--target", "x86_64-foo"]);
        assert!(same_output(&folder.path().join("elsewhere/test-1")).is_empty());
    }
}
