//! A file is named after what it holds; these names hold anything.

use super::Finding;
use super::tree::Tree;

const SAY_NOTHING: [&str; 7] = ["common", "helper", "helpers", "manager", "misc", "util", "utils"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let says_nothing = |part: &str| {
            let stem = part.split('.').next().unwrap_or(part);
            SAY_NOTHING.contains(&stem.to_lowercase().as_str())
        };
        if let Some(part) = file.path.split('/').find(|part| says_nothing(part)) {
            findings.push(file.finding(1, format!("name {part} after what it holds")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn names_that_say_nothing_are_found() {
        let tree = Tree::of_files(&[
            ("crates/wire/src/keys.rs", ""),
            ("crates/wire/src/utils.rs", ""),
            ("sdk-js/helpers/index.ts", ""),
        ]);
        assert_eq!(check(&tree).len(), 2);
    }
}
