use std::fs;

use anyhow::{Context, Result, bail};

use crate::module::workspace_root;

/// The commands that `docs/operations.md` gives for the user `role`, word by word: tests try what operators copy.
pub fn role_template(role: &str) -> Result<Vec<Vec<String>>> {
    let file = workspace_root().join("docs/operations.md");
    let text = fs::read_to_string(&file).with_context(|| format!("{} can't be read", file.display()))?;
    let fenced = text.split("```acl\n").skip(1).filter_map(|block| block.split("```").next());
    let start = format!("ACL SETUSER {role} ");
    let lines: Vec<Vec<String>> = fenced
        .flat_map(str::lines)
        .filter(|line| line.starts_with(&start))
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect();
    if lines.is_empty() {
        bail!("{} has no template for {role}", file.display());
    }
    Ok(lines)
}
