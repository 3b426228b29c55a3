//! What `cargo xtask check` needs beside building: other people's programs that tests meet. What can't be had is said, and
//! the suite that needs it fails, so that nothing is left out unnoticed.

use anyhow::{Context, Result};

use super::apt;
use crate::stop;
use crate::system::output;

/// Oldest Node that the SDK and the browser's tests run on.
const NODE: (u32, u32) = (20, 19);

/// A suite, and the packages that it needs.
const NEEDS: [(&str, &[&str]); 6] = [
    ("python and api", &["python3-venv"]),
    ("browser", &["chromium", "fonts-dejavu-core"]),
    ("gateway's tests", &["prometheus"]),
    ("gateway's bench", &["wrk"]),
    ("images", &["mmdebstrap", "iproute2", "curl", "docker-compose"]),
    ("dist", &["binutils"]),
];

/// Installs what is missing and can be had; a line for each suite says what came of it.
pub(super) fn ensure() -> Result<Vec<String>> {
    let mut said = Vec::new();
    for (suite, packages) in NEEDS {
        let names = packages.join(", ");
        said.push(match apt::install_packages(packages) {
            Ok(()) => format!("for {suite}: {names}"),
            Err(error) => format!("for {suite}, missing: {names}: {error:#}"),
        });
        stop::check()?;
    }
    said.push(match node() {
        Ok(version) => format!("for js and browser: node {version}"),
        Err(error) => format!("for js and browser, missing: {error:#}"),
    });
    Ok(said)
}

/// The version of a Node that is new enough, with npm beside it.
fn node() -> Result<String> {
    let there = || -> Result<String> {
        output(std::process::Command::new("npm").arg("--version")).context("npm")?;
        output(std::process::Command::new("node").arg("--version")).context("node")
    };
    if there().is_err() {
        apt::install_packages(&["nodejs", "npm"])?;
    }
    let told = there()?;
    let version = told.trim().trim_start_matches('v');
    let (major, minor) = NODE;
    let advice = || format!("node {major}.{minor} or newer, and here is {version}: Debian 13 has it, or nodejs.org");
    is_new_enough(version).with_context(advice)?;
    Ok(version.to_owned())
}

fn is_new_enough(version: &str) -> Option<()> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let found: (u32, u32) = (numbers.next()??, numbers.next()??);
    (found >= NODE).then_some(())
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        for (version, fits) in
            [("20.19.0", true), ("20.20.2", true), ("22.1.0", true), ("20.9.0", false), ("18.20.4", false)]
        {
            assert_eq!(is_new_enough(version).is_some(), fits, "{version}");
        }
        assert_eq!(is_new_enough("rubbish"), None);
    }
}
