//! Version, edition and lints are said once, in the workspace.

use super::Finding;
use super::tree::Tree;

const INHERITED: [(&str, &str); 3] =
    [("package", "version.workspace=true"), ("package", "edition.workspace=true"), ("lints", "workspace=true")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let path = format!("{}Cargo.toml", package.folder);
        let Some(manifest) = tree.files.iter().find(|file| file.path == path) else { continue };
        for (section, entry) in INHERITED {
            if !has_entry(&manifest.text, section, entry) {
                findings.push(manifest.finding(1, format!("inherit from the workspace: {entry} in [{section}]")));
            }
        }
    }
    findings
}

/// Whether the section holds the line, blanks aside.
fn has_entry(manifest: &str, section: &str, entry: &str) -> bool {
    let mut current = "";
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            current = name.trim_end().trim_end_matches(']');
        } else if current == section && line.replace(' ', "") == entry {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::{Package, Tree};

    #[test]
    fn own_version_and_missing_lints_are_found() {
        let good = "[package]\nversion.workspace = true\nedition.workspace = true\n\n[lints]\nworkspace = true\n";
        let bad = "[package]\nversion = \"0.2.0\"\nedition.workspace = true\n\n[dependencies]\nworkspace = true\n";
        let package = |folder: &str| Package { folder: folder.into(), ..Package::default() };
        let tree = Tree {
            packages: vec![package("good/"), package("bad/")],
            ..Tree::of_files(&[("good/Cargo.toml", good), ("bad/Cargo.toml", bad)])
        };
        let findings = check(&tree);
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(|finding| finding.path == "bad/Cargo.toml"));
    }
}
