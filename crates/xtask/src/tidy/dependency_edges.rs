//! Who may depend on whom: `sketch ← monitor ← redis-module → wire ← worker → detect`, `monitor ← worker`,
//! `measures ← worker` for replays, `intake ← worker` for what comes by HTTP, and `sketch ← redis-module` for the commands
//! that are about a sketch and no monitor.

use super::Finding;
use super::tree::Tree;

const ALLOWED: [(&str, &[&str]); 10] = [
    ("eddyline-sketch", &[]),
    ("eddyline-monitor", &["eddyline-sketch"]),
    ("eddyline-detect", &[]),
    ("eddyline-wire", &[]),
    ("eddyline-measures", &[]),
    ("eddyline-intake", &[]),
    ("eddyline-testkit", &[]),
    ("eddyline-redis-module", &["eddyline-monitor", "eddyline-sketch", "eddyline-wire"]),
    ("eddyline", &["eddyline-detect", "eddyline-intake", "eddyline-measures", "eddyline-monitor", "eddyline-wire"]),
    (
        "eddyline-fuzz",
        &["eddyline", "eddyline-intake", "eddyline-monitor", "eddyline-sketch", "eddyline-testkit", "eddyline-wire"],
    ),
];

/// Allowed to use anything.
const TOOLS: &str = "xtask";
/// Allowed to everyone, but only in tests.
const FOR_TESTS: &str = "eddyline-testkit";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| package.name != TOOLS) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            let advice = format!("decide what {} may depend on, in tidy's table of edges", package.name);
            findings.push(package.finding(tree, "name", advice));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let ours = tree.packages.iter().any(|package| package.name == name);
            let for_tests = name == FOR_TESTS && dependency.dev;
            if ours && !allowed.contains(&name) && !for_tests {
                let advice =
                    format!("{} mustn't depend on {name}: move what it needs, or meet through Redis", package.name);
                findings.push(package.finding(tree, name, advice));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::{Dependency, Package, Tree};

    fn tree(dependency: Dependency) -> Tree {
        let package = |name: &str| Package { name: name.into(), folder: format!("{name}/"), ..Package::default() };
        let mut packages: Vec<_> =
            ["eddyline-sketch", "eddyline-monitor", "eddyline-testkit"].into_iter().map(package).collect();
        packages[1].dependencies.push(dependency);
        let manifest = ("eddyline-monitor/Cargo.toml", "[dependencies]\neddyline-testkit.workspace = true\n");
        Tree { packages, ..Tree::of_files(&[manifest]) }
    }

    #[test]
    fn testkit_outside_of_tests_is_found() {
        let of = |name: &str, dev| tree(Dependency { name: name.into(), dev, ..Dependency::default() });
        assert_eq!(check(&of("eddyline-sketch", false)), []);
        assert_eq!(check(&of("serde", false)), []);
        assert_eq!(check(&of("eddyline-testkit", true)), []);
        let findings = check(&of("eddyline-testkit", false));
        assert_eq!((findings.len(), findings[0].line), (1, 2));
        assert!(findings[0].to_string().starts_with("eddyline-monitor/Cargo.toml:2: eddyline-monitor mustn't"));
    }

    #[test]
    fn package_without_a_decision_is_found() {
        let mut tree = tree(Dependency { name: "serde".into(), ..Dependency::default() });
        tree.packages[0].name = "eddyline-newcomer".into();
        assert!(check(&tree)[0].advice.contains("eddyline-newcomer"));
    }
}
