//! `unsafe` stays in the module's FFI files.

use super::Finding;
use super::code::{lines_with_word, without_literals};
use super::tree::Tree;

const ALLOWED: &str = "redis-module/src/ffi";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust() && !file.path.starts_with(ALLOWED)) {
        for line in lines_with_word(&without_literals(&file.text), "unsafe") {
            findings.push(file.finding(line, format!("move the unsafe code to {ALLOWED}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn unsafe_outside_of_the_ffi_files_is_found() {
        let code = "#![deny(unsafe_code)] // unsafe\nfn f() { unsafe { g() } }\n";
        let findings =
            check(&Tree::of_files(&[("redis-module/src/ffi/stream.rs", code), ("redis-module/src/timer.rs", code)]));
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("redis-module/src/timer.rs", 2));
    }
}
