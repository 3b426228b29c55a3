//! The server's program.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The program of the user's choice, or else the first of the usual ones on the search path.
pub(super) fn find(chosen: Option<OsString>, search_path: Option<OsString>) -> Result<Option<PathBuf>> {
    let on_path = |name: &Path| on_path(name, search_path.as_ref());
    let Some(chosen) = chosen.filter(|chosen| !chosen.is_empty()).map(PathBuf::from) else {
        return Ok(PROGRAMS.iter().find_map(|name| on_path(Path::new(name))));
    };
    let found = if chosen.components().count() == 1 { on_path(&chosen) } else { Some(chosen.clone()) };
    match found.filter(|program| program.is_file()) {
        Some(program) => Ok(Some(program)),
        None => bail!("EDDYLINE_SERVER={} isn't a program", chosen.display()),
    }
}

/// The first program of this name on the search path.
pub(super) fn on_path(name: &Path, search_path: Option<&OsString>) -> Option<PathBuf> {
    let folders = search_path.into_iter().flat_map(env::split_paths);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Its name and version, such as `redis-server 7.0.15`.
pub(super) fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{} can't be started", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name} {}", version.unwrap_or("of unknown version")))
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::fs;

    #[test]
    fn chosen_server_comes_before_redis_before_valkey() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = |name: &str| folder.path().join(name);
        let found = |chosen: Option<&str>| find(chosen.map(Into::into), Some(folder.path().into()));
        assert_eq!(found(None).expect("nothing is chosen"), None);
        for name in ["valkey-server", "redis-server", "mine"] {
            fs::write(program(name), "").expect("a file");
            let first = if name == "mine" { "redis-server" } else { name };
            assert_eq!(found(None).expect("nothing is chosen"), Some(program(first)));
        }
        assert_eq!(found(Some("mine")).expect("it is there"), Some(program("mine")));
        assert_eq!(found(program("mine").to_str()).expect("it is there"), Some(program("mine")));
        let error = found(Some("other")).expect_err("it isn't there");
        assert_eq!(error.to_string(), "EDDYLINE_SERVER=other isn't a program");
    }
}
