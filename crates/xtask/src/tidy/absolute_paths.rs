//! Nothing in the tree names a folder of the machine it was written on.

use super::Finding;
use super::tree::Tree;

const FIRST_PARTS: [&str; 5] = ["Users", "home", "root", "tmp", "work"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(path) = machine_path(line) {
                findings.push(file.finding(at + 1, format!("no path of one machine: {path}")));
            }
        }
    }
    findings
}

/// The first path of the line that starts in a folder of machines; not where the slash continues a relative path or
/// an address.
fn machine_path(line: &str) -> Option<&str> {
    line.match_indices('/').find_map(|(at, _)| {
        let part = line[at + 1..].split('/').next()?;
        let path = &line[at..];
        let is_whole = path[1 + part.len()..].starts_with('/');
        let is_inner = line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/}>)".contains(c));
        let end = path.find(|c: char| c.is_whitespace() || "\"'`)".contains(c)).unwrap_or(path.len());
        (FIRST_PARTS.contains(&part) && is_whole && !is_inner).then_some(&path[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::{FIRST_PARTS, check};
    use crate::tidy::tree::Tree;

    #[test]
    fn machine_paths_are_found_and_other_slashes_left_alone() {
        for part in FIRST_PARTS {
            let text = format!("fine: https://host/{part}/a, ../{part}/b, \"/{part}\"\n`/{part}/someone/x` is not\n");
            let findings = check(&Tree::of_files(&[("README.md", &text)]));
            assert_eq!(findings.len(), 1, "{text}");
            assert_eq!(findings[0].line, 2);
            assert!(findings[0].advice.ends_with(&format!("/{part}/someone/x")));
        }
    }
}
