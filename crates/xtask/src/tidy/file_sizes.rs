//! A Rust file that has to be scrolled for long is two rooms.

use super::Finding;
use super::tree::Tree;

const MOST_LINES: usize = 500;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            findings.push(file.finding(MOST_LINES + 1, format!("split the file: {lines} lines, at most {MOST_LINES}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn long_rust_file_is_found() {
        let (most, more) = ("\n".repeat(500), "\n".repeat(501));
        let tree = Tree::of_files(&[("a.rs", &most), ("b.rs", &more), ("c.md", &more)]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "b.rs");
    }
}
