//! `cargo xtask quality`: how well faults are found in labelled data, as the tables of docs/quality.md.

mod darpa;
mod explanation;
mod nab;
mod series;
mod traces;
mod vectors;
mod watched;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// Faults in the traces of two microservice benchmarks.
    Traces,
    /// Incidents in vectors of server metrics.
    Vectors,
    /// Events in series of one number.
    Nab,
    /// Attacks among network flows, item by item.
    Darpa,
    /// Whether explanations name what is wrong.
    Explanation,
}

impl Table {
    /// The table, or nothing where its data isn't there.
    fn measured(self, root: &Path) -> Result<Option<String>> {
        match self {
            Self::Traces => traces::table(root),
            Self::Vectors => vectors::table(root),
            Self::Nab => nab::table(),
            Self::Darpa => darpa::table(),
            Self::Explanation => explanation::table(),
        }
    }
}

/// Measures what is asked for, or else everything that there is data for; prints the tables and puts them into the document.
pub(crate) fn run(root: &Path, only: &[Table]) -> Result<ExitCode> {
    let document = root.join("docs/quality.md");
    let mut text = fs::read_to_string(&document).with_context(|| format!("{} can't be read", document.display()))?;
    let all = Table::value_variants();
    for table in if only.is_empty() { all } else { only } {
        let name = table.to_possible_value().expect("every table has a name").get_name().to_owned();
        if let Some(table) = table.measured(root)? {
            println!("\n{table}");
            text = replaced(&text, &name, &table).with_context(|| format!("no place for {name} in the document"))?;
        }
    }
    fs::write(&document, text).with_context(|| format!("{} can't be written", document.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The document with another table between the two comments that hold its place.
fn replaced(text: &str, name: &str, table: &str) -> Option<String> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = text.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}\n{}\n\n{end}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let text = "a\n<!-- t -->\nold\n<!-- end of t -->\nb\n";
        let once = replaced(text, "t", "new\n").expect("it has a place");
        assert_eq!(once, "a\n<!-- t -->\n\nnew\n\n<!-- end of t -->\nb\n");
        assert_eq!(replaced(&once, "t", "new"), Some(once.clone()));
        assert_eq!(replaced(text, "other", "new"), None);
    }
}
