//! Work left open belongs into an issue.

use super::Finding;
use super::code::lines_with_word;
use super::tree::Tree;

/// In two halves, so that this file doesn't find itself.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for mark in MARKS {
            for line in lines_with_word(&file.text, mark) {
                findings.push(file.finding(line, format!("do it, or open an issue: {mark}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{MARKS, check};
    use crate::tidy::tree::Tree;

    #[test]
    fn marks_are_found_in_comments_and_prose() {
        let source = format!("// a todo list\n// {}: later\n", MARKS[0]);
        let prose = format!("Some day ({})", MARKS[1]);
        let findings = check(&Tree::of_files(&[("a.rs", &source), ("b.md", &prose)]));
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].line, 2);
    }
}
