//! Installing with apt, on Debian and its relatives.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Missing, list};
use crate::stop;

/// The version of libclang that the project is tested with; where apt doesn't know it, the newest is taken.
const TESTED: u32 = 14;

/// Installs what is missing, as root or with a `sudo` that asks nothing. Where that isn't allowed, the error says what
/// to type.
pub(super) fn install(missing: &[Missing]) -> Result<()> {
    if !succeeds("apt-get", &["--version"]) {
        bail!("please install:{}", list(missing));
    }
    let is_root = output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    let prefix: &[&str] = match () {
        () if is_root => &["env"],
        () if succeeds("sudo", &["-n", "true"]) => &["sudo", "-n", "env"],
        () => {
            let names = packages(missing, &known()).join(" ");
            bail!(
                "missing:{}
Please install it, then try again:
  sudo apt-get update
  sudo apt-get install --yes --no-install-recommends {names}",
                list(missing)
            );
        }
    };
    println!("missing:{}", list(missing));
    run(prefix, &["update"])?;
    let names = packages(missing, &known());
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(names.iter().map(String::as_str));
    run(prefix, &arguments)
}

/// Names of the packages that hold what is missing, out of the versions of libclang that apt knows.
fn packages(missing: &[Missing], known: &[u32]) -> Vec<String> {
    let version =
        if known.is_empty() || known.contains(&TESTED) { TESTED } else { known.iter().copied().fold(0, u32::max) };
    let headers = |version: u32| format!("libclang-common-{version}-dev");
    let mut packages = Vec::new();
    for thing in missing {
        match thing {
            Missing::Server => packages.push("redis-server".to_owned()),
            Missing::Libclang | Missing::Headers(None) => {
                packages.extend([format!("libclang1-{version}"), headers(version)]);
            }
            Missing::Headers(Some(version)) => packages.push(headers(*version)),
        }
    }
    packages
}

/// Versions of which apt has both library and headers.
fn known() -> Vec<u32> {
    let names = |prefix: &str| output("apt-cache", &["pkgnames", prefix]).unwrap_or_default();
    versions(&names("libclang1-"), &names("libclang-common-"))
}

fn versions(libraries: &str, headers: &str) -> Vec<u32> {
    let has_headers = |version: &u32| headers.lines().any(|line| line == format!("libclang-common-{version}-dev"));
    let all = libraries.lines().filter_map(|line| line.strip_prefix("libclang1-")?.parse().ok());
    all.filter(has_headers).collect()
}

/// Runs apt-get, said beforehand. A signal doesn't cut it short: half-installed packages are worse than a wait.
fn run(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    stop::check()?;
    let mut words = prefix.to_vec();
    words.extend(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    words.extend(arguments);
    let line = words.join(" ");
    println!("  {line}");
    let status = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("{} can't be started", words[0]))?;
    stop::check()?;
    if !status.success() {
        bail!("this failed: {line}");
    }
    Ok(())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    output(program, arguments).is_some()
}

/// What a program prints, if it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{packages, versions};
    use crate::setup::Missing;

    #[test]
    fn tested_version_is_preferred_to_the_newest() {
        let all = [Missing::Server, Missing::Libclang];
        assert_eq!(packages(&all, &[13, 14, 19]), ["redis-server", "libclang1-14", "libclang-common-14-dev"]);
        assert_eq!(packages(&all[1..], &[17, 19, 18]), ["libclang1-19", "libclang-common-19-dev"]);
        assert_eq!(packages(&[Missing::Headers(Some(16))], &[14, 16]), ["libclang-common-16-dev"]);
    }

    #[test]
    fn version_without_headers_is_not_known() {
        let libraries = "libclang1-14\nlibclang1-19\nlibclang1-14-dbgsym\nlibclang1-22\n";
        assert_eq!(versions(libraries, "libclang-common-19-dev\nlibclang-common-14-dev\n"), [14, 19]);
    }
}
