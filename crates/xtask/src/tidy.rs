//! Rules of the source tree that neither the compiler nor clippy knows. One file a rule, each with a tree that
//! breaks it; adding a rule touches that file and [`RULES`].

mod absolute_paths;
mod code;
mod dependency_edges;
mod file_names;
mod file_sizes;
mod inheritance;
mod open_ends;
mod purity;
mod tree;
mod unsafe_code;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use self::tree::Tree;

const RULES: [fn(&Tree) -> Vec<Finding>; 9] = [
    dependency_edges::check,
    purity::check_dependencies,
    purity::check_sources,
    unsafe_code::check,
    inheritance::check,
    file_names::check,
    file_sizes::check,
    open_ends::check,
    absolute_paths::check,
];

/// A broken rule: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// Prints one line a finding; fails if there is any.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|check| check(&tree)).collect();
    findings.sort_unstable();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files keep {} rules", tree.files.len(), RULES.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} to mend", findings.len());
    Ok(ExitCode::FAILURE)
}
