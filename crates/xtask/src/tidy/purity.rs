//! Pure crates do no IO and know neither clock nor chance: same calls, same bytes.

use super::Finding;
use super::code::{paths, without_literals};
use super::tree::Tree;

const PURE: [&str; 6] =
    ["eddyline-sketch", "eddyline-monitor", "eddyline-detect", "eddyline-wire", "eddyline-measures", "eddyline-intake"];

/// Not to be reached by any chain of normal dependencies.
const IMPURE: [&str; 3] = ["redis", "redis-module", "tokio"];

/// Features of `rand` that draw on the operating system.
const ENTROPY: [&str; 3] = ["default", "os_rng", "thread_rng"];

const FORBIDDEN: [&str; 8] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
];

const INSTEAD: &str = "time, bytes and chance come in as arguments, and maps are ordered";

pub(super) fn check_dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        for impure in IMPURE.into_iter().filter(|&impure| package.reaches.contains(impure)) {
            let advice = format!("{} is pure but reaches {impure}: move the IO to module or worker", package.name);
            findings.push(package.finding(tree, impure, advice));
        }
        for rand in package.dependencies.iter().filter(|dependency| dependency.name == "rand" && !dependency.dev) {
            if rand.features.iter().any(|feature| ENTROPY.contains(&feature.as_str())) {
                let advice = format!("{} is pure: rand without {ENTROPY:?}, seeded", package.name);
                findings.push(package.finding(tree, "rand", advice));
            }
        }
    }
    findings
}

pub(super) fn check_sources(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| PURE.contains(&package.name.as_str())) {
        let sources = format!("{}src/", package.folder);
        for file in tree.files.iter().filter(|file| file.is_rust() && file.path.starts_with(&sources)) {
            for (line, path) in paths(&without_literals(&file.text)) {
                if let Some(forbidden) = FORBIDDEN.iter().find(|forbidden| opens(&path, forbidden)) {
                    let advice = format!("{} is pure: no {forbidden}; {}", package.name, INSTEAD);
                    findings.push(file.finding(line, advice));
                }
            }
        }
    }
    findings
}

/// Whether naming `path` gives access to `forbidden`: itself, what is in it, or all of its module.
fn opens(path: &str, forbidden: &str) -> bool {
    let path = path.trim_start_matches("::");
    let inside = path.strip_prefix(forbidden).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    let module = path.strip_suffix("::self").or(path.strip_suffix("::")).unwrap_or(path);
    let whole = module != "std" && forbidden.rsplit_once("::").is_some_and(|(parent, _)| parent == module);
    inside || whole
}

#[cfg(test)]
mod tests {
    use super::{check_dependencies, check_sources};
    use crate::tidy::tree::{Dependency, Package, Tree};

    fn wire(files: &[(&str, &str)]) -> Tree {
        let package = Package { name: "eddyline-wire".into(), folder: "crates/wire/".into(), ..Package::default() };
        Tree { packages: vec![package], ..Tree::of_files(files) }
    }

    #[test]
    fn reached_runtime_and_entropy_are_found() {
        let mut tree = wire(&[("crates/wire/Cargo.toml", "[dependencies]\nrand = \"0.9\"\n")]);
        assert_eq!(check_dependencies(&tree), []);
        tree.packages[0].reaches.insert("tokio".into());
        tree.packages[0].dependencies.push(Dependency {
            name: "rand".into(),
            dev: false,
            features: vec!["default".into()],
        });
        let findings = check_dependencies(&tree);
        assert_eq!(findings.len(), 2);
        assert!(findings[0].advice.contains("tokio"));
        assert_eq!(findings[1].line, 2);
    }

    #[test]
    fn clock_and_files_are_found_however_imported() {
        let source = "\
use std::{collections::BTreeMap, fs};
use std::time::{Duration, Instant};
// std::net is only mentioned here
fn f() { ::std::time::SystemTime::now(); \"std::env\"; }
use std::time::{self, Duration};
use std::collections::*;
use std::{iter, ops::Range, time::Duration, fsx};
";
        let findings = check_sources(&wire(&[
            ("crates/wire/src/keys.rs", source),
            ("crates/wire/tests/golden.rs", "use std::fs;"),
            ("worker/src/main.rs", "use std::fs;"),
        ]));
        let lines: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        let path = "crates/wire/src/keys.rs";
        assert_eq!(lines, [(path, 1), (path, 2), (path, 4), (path, 5), (path, 6)]);
    }
}
