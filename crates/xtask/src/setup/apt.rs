//! Installing with apt, on Debian and its relatives.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Missing, list};
use crate::stop;

/// The version of libclang that the project is tested with; where apt doesn't know it, the newest is taken.
const TESTED: u32 = 14;

/// apt, and the right to use it.
pub(super) struct Apt {
    /// What stands before a command that changes the system.
    prefix: &'static [&'static str],
}

impl Apt {
    /// As root or with a `sudo` that asks nothing; none where that isn't allowed.
    ///
    /// # Errors
    /// This system has no apt.
    pub(super) fn usable() -> Result<Option<Self>> {
        if !succeeds("apt-get", &["--version"]) {
            bail!("this system has no apt-get");
        }
        let is_root = output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
        Ok(match () {
            () if is_root => Some(Self { prefix: &["env"] }),
            () if succeeds("sudo", &["-n", "true"]) => Some(Self { prefix: &["sudo", "-n", "env"] }),
            () => None,
        })
    }

    /// Runs apt-get, said beforehand. A signal doesn't cut it short: half-installed packages are worse than a wait.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<()> {
        stop::check()?;
        let mut words = self.prefix.to_vec();
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

    /// Writes a file of the system.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        let mut tee = Command::new(self.prefix[0]);
        tee.args(&self.prefix[1..]).args(["tee", file]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut tee = tee.spawn().context("tee can't be started")?;
        tee.stdin.take().context("tee has no input")?.write_all(text.as_bytes())?;
        if !tee.wait()?.success() {
            bail!("{file} can't be written");
        }
        Ok(())
    }

    /// Removes a file of the system.
    pub(super) fn remove(&self, file: &str) -> Result<()> {
        let status = Command::new(self.prefix[0]).args(&self.prefix[1..]).args(["rm", "--", file]).status()?;
        if !status.success() {
            bail!("{file} can't be removed");
        }
        Ok(())
    }
}

/// Installs what is missing. Where that isn't allowed, the error says what to type.
pub(super) fn install(missing: &[Missing]) -> Result<()> {
    let Ok(apt) = Apt::usable() else { bail!("please install:{}", list(missing)) };
    let Some(apt) = apt else {
        let names = packages(missing, &known()).join(" ");
        bail!(
            "missing:{}
Please install it, then try again:
  sudo apt-get update
  sudo apt-get install --yes --no-install-recommends {names}",
            list(missing)
        );
    };
    println!("missing:{}", list(missing));
    apt.run(&["update"])?;
    let names = packages(missing, &known());
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(names.iter().map(String::as_str));
    apt.run(&arguments)
}

/// Installs those of these packages that aren't installed. Where that isn't allowed, the error says what to type.
pub(super) fn install_packages(names: &[&str]) -> Result<()> {
    let is_installed = |name: &str| {
        output("dpkg-query", &["--show", "--showformat=${db:Status-Status}", name]).is_some_and(|it| it == "installed")
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    let Some(apt) = Apt::usable().with_context(|| format!("please install {wanted}"))? else {
        bail!("please install it, then try again:\n  sudo apt-get install --yes --no-install-recommends {wanted}");
    };
    if !missing.iter().all(|name| knows(name)) {
        apt.run(&["update"])?;
    }
    apt.run(&[&["install", "--yes", "--no-install-recommends"], &missing[..]].concat())
}

/// Whether apt could install this package.
pub(super) fn knows(package: &str) -> bool {
    // in the language of the machine it would say otherwise
    let policy = output("env", &["LC_ALL=C", "apt-cache", "policy", package]).unwrap_or_default();
    let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"));
    candidate.is_some_and(|version| version.trim() != "(none)")
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
