//! Debian's backports as a source of packages, from the mirror that the system uses already.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::apt::Apt;

/// Where apt's sources are.
const FOLDER: &str = "/etc/apt";
/// Name of the file that is added, without its ending.
const OURS: &str = "/etc/apt/sources.list.d/eddyline-backports";

/// Adds the backports of this release of Debian and reads their list; where they can't be read, takes them away again.
pub(super) fn add(apt: &Apt) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = codename(&release).context("this isn't a release of Debian")?;
    let files = sources(Path::new(FOLDER));
    let derived = files.iter().find_map(|file| {
        let ending = file.extension()?.to_str()?;
        Some((format!("{OURS}.{ending}"), of_file(ending, &fs::read_to_string(file).ok()?, codename)?))
    });
    let Some((file, entry)) = derived else { bail!("apt has no source of {codename} to derive its backports from") };
    println!("  {entry}\n  > {file}");
    apt.write(&file, &entry)?;
    let read = apt.run(&["update"]);
    if read.is_err() {
        apt.remove(&file)?;
    }
    read
}

/// `sources.list` and what stands beside it, in apt's order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let parts = fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = parts.map(|entry| entry.path()).collect();
    parts.sort();
    [folder.join("sources.list")].into_iter().chain(parts).collect()
}

/// The release's name where `/etc/os-release` is that of Debian itself.
fn codename(release: &str) -> Option<&str> {
    let value = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"'))
    };
    value("VERSION_CODENAME").filter(|_| value("ID") == Some("debian"))
}

/// The entry of the backports, like that of `codename` in a file of this ending.
fn of_file(ending: &str, text: &str, codename: &str) -> Option<String> {
    match ending {
        "list" => text.lines().find_map(|line| of_line(line, codename)),
        "sources" => text.split("\n\n").find_map(|stanza| of_stanza(stanza, codename)),
        _ => None,
    }
}

/// `deb [options] uri suite component...`
fn of_line(line: &str, codename: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(options, rest)| (format!("[{options}] "), rest))?,
        None => (String::new(), rest),
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [uri, suite, components @ ..] = &words[..] else { return None };
    let fits = *suite == codename && components.contains(&"main");
    fits.then(|| format!("deb {options}{uri} {codename}-backports main\n"))
}

/// Fields of one source, each with the lines that continue it.
fn of_stanza(stanza: &str, codename: &str) -> Option<String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in stanza.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            *value += &format!("\n{line}");
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let has = |name: &str, word: &str| {
        fields.iter().any(|(field, value)| field == name && value.split_whitespace().any(|it| it == word))
    };
    if !has("types", "deb") || !has("suites", codename) || !has("components", "main") || has("enabled", "no") {
        return None;
    }
    let line = |(name, value): &(String, String)| match name.as_str() {
        "types" => "types: deb\n".to_owned(),
        "suites" => format!("suites: {codename}-backports\n"),
        "components" => "components: main\n".to_owned(),
        _ => format!("{name}: {value}\n"),
    };
    Some(fields.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::{codename, of_file};

    #[test]
    fn backports_come_from_where_the_release_comes_from() {
        let list = "# deb http://old/ bookworm main\ndeb http://a/security bookworm-security main\n\
                    deb [arch=amd64 signed-by=/k.gpg]  http://a/debian bookworm main contrib\n";
        assert_eq!(
            of_file("list", list, "bookworm").as_deref(),
            Some("deb [arch=amd64 signed-by=/k.gpg] http://a/debian bookworm-backports main\n")
        );
        assert_eq!(of_file("list", list, "trixie"), None);
        let sources = "Types: deb\nURIs: http://b/x\nSuites: nodistro\nComponents: main\n\n\
                       Types: deb deb-src\n# a remark\nURIs: http://a/debian\nSuites: bookworm bookworm-updates\n\
                       Components: main non-free\nSigned-By:\n -----BEGIN\n .\n";
        assert_eq!(
            of_file("sources", sources, "bookworm").as_deref(),
            Some(
                "types: deb\nuris: http://a/debian\nsuites: bookworm-backports\ncomponents: main\nsigned-by: \n -----BEGIN\n .\n"
            )
        );
        let off = "Enabled: no\nTypes: deb\nURIs: http://a/debian\nSuites: bookworm\nComponents: main\n";
        assert_eq!(of_file("sources", off, "bookworm"), None);
        assert_eq!(of_file("save", list, "bookworm"), None);
    }

    #[test]
    fn only_debian_has_debians_backports() {
        assert_eq!(codename("ID=debian\nVERSION_CODENAME=bookworm\n"), Some("bookworm"));
        assert_eq!(codename("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n"), None);
    }
}
