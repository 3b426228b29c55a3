//! What building and testing need beside Rust: a Redis server, and libclang for the module's bindings. What is missing
//! is installed where that is allowed, and named where it isn't.

mod apt;
mod backports;
mod libclang;
mod server;
mod suites;
mod valkey;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::libclang::Libclang;

/// What was found.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The server's program.
    pub(crate) server: PathBuf,
    /// All of it, for a person.
    pub(crate) found: String,
}

/// Finds what is needed, installing what is missing.
pub(crate) fn run() -> Result<Tools> {
    match look()? {
        Ok(tools) => return Ok(tools),
        Err(missing) => apt::install(&missing)?,
    }
    match look()? {
        Ok(tools) => Ok(tools),
        Err(missing) => bail!("still missing after the installation:{}", list(&missing)),
    }
}

/// Finds or installs the server of another make that the module is tested on too, and says what came of it.
pub(crate) fn second_server() -> Result<String> {
    valkey::ensure()
}

/// Installs what suites of tests need beside building, and says what came of it.
pub(crate) fn suites() -> Result<Vec<String>> {
    suites::ensure()
}

/// Installs those of these packages that aren't installed.
pub(crate) fn install_packages(names: &[&str]) -> Result<()> {
    apt::install_packages(names)
}

/// One thing that isn't there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Missing {
    Server,
    Libclang,
    /// The headers that belong to the libclang that is there, of this version if that is known.
    Headers(Option<u32>),
}

impl Missing {
    /// What it is, and how else than by packages it can be had.
    fn advice(&self) -> &'static str {
        match self {
            Self::Server => "redis-server or valkey-server on the PATH (or set EDDYLINE_SERVER=/path/to/server)",
            Self::Libclang => "libclang, for bindgen (or set LIBCLANG_PATH=/folder/of/libclang.so)",
            Self::Headers(_) => "the headers that come with libclang (stddef.h), for bindgen",
        }
    }
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(|missing| format!("\n  {}", missing.advice())).collect()
}

/// What is there, or else what isn't.
fn look() -> Result<Result<Tools, Vec<Missing>>> {
    let mut missing = Vec::new();
    let server = server::find(env::var_os("EDDYLINE_SERVER"), env::var_os("PATH"))?;
    if server.is_none() {
        missing.push(Missing::Server);
    }
    let libclang = if env::var_os("LIBCLANG_PATH").is_some() {
        "libclang of LIBCLANG_PATH".to_owned()
    } else {
        match libclang::find(Path::new("/")) {
            Libclang::Complete(version) => {
                version.map_or("libclang".to_owned(), |version| format!("libclang {version}"))
            }
            Libclang::WithoutHeaders(version) => {
                missing.push(Missing::Headers(version));
                String::new()
            }
            Libclang::Absent => {
                missing.push(Missing::Libclang);
                String::new()
            }
        }
    };
    Ok(match server {
        Some(server) if missing.is_empty() => {
            let found = format!("{}, {libclang}", server::version(&server)?);
            Ok(Tools { server, found })
        }
        _ => Err(missing),
    })
}
