//! The licences of all that the programs are made of: a list, then every text once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, Package};

use crate::build::forget_cargo;
use crate::system::output;

/// How the files that hold a licence's text begin.
const NAMES: [&str; 5] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE"];
/// Where files of others are kept in this repository.
const VENDORED: &str = "worker/dashboard";

/// What goes with the programs.
#[derive(Debug)]
pub(super) struct Licences {
    pub(super) document: String,
    pub(super) packages: usize,
    pub(super) texts: usize,
}

/// Those of everything that these packages are linked with, and of what is kept in the repository at `root`.
pub(super) fn of(metadata: &Metadata, packages: &[&str], root: &Path) -> Result<Licences> {
    let others = linked(metadata, packages)?;
    let mut list = String::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &others {
        let name = format!("{} {}", package.name, package.version);
        let licence = package.license.as_deref();
        let Some(licence) = licence.or(package.license_file.as_ref().map(|_| "see below")) else {
            bail!("{name} says nothing about its licence");
        };
        writeln!(list, "{name}: {licence}")?;
        let folder = package.manifest_path.parent().context("no folder")?;
        for text in texts_in(folder.as_std_path())? {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for file in vendored(&root.join(VENDORED))? {
        let name = file.strip_prefix(root)?.display().to_string();
        writeln!(list, "{name}: see below")?;
        texts.entry(normal(&fs::read(&file)?)).or_default().insert(name);
    }
    let mut document = format!("eddyline is made of these, beside its own code (LICENSE).\n\n{list}");
    for (text, names) in &texts {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        write!(document, "\n{}\n{}\n\n{text}\n", "-".repeat(100), names.join(", "))?;
    }
    Ok(Licences { document, packages: others.len(), texts: texts.len() })
}

/// The packages of others that end up in these, by name and version; neither what only runs while they are built nor what
/// their tests need. As cargo tree has it: cargo metadata also turns on the features that tests ask for.
fn linked<'a>(metadata: &'a Metadata, packages: &[&str]) -> Result<Vec<&'a Package>> {
    let mut tree = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]);
    tree.args(packages.iter().flat_map(|package| ["--package", package])).current_dir(&metadata.workspace_root);
    forget_cargo(&mut tree);
    let told = output(&mut tree)?;
    let name_and_version = |line: &str| -> Option<(String, String)> {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    let reached: BTreeSet<(String, String)> = told.lines().filter_map(name_and_version).collect();
    let named = |package: &&Package| reached.contains(&(package.name.to_string(), package.version.to_string()));
    let mut others: Vec<&Package> = metadata.packages.iter().filter(named).filter(|it| it.source.is_some()).collect();
    others.sort_by_key(|package| (package.name.to_string(), package.version.clone()));
    Ok(others)
}

/// The licences' texts in a package's folder.
fn texts_in(folder: &Path) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_licence(&path) && path.is_file() {
            texts.insert(normal(&fs::read(&path)?));
        }
    }
    Ok(texts)
}

fn vendored(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(vendored(&path)?);
        } else if is_licence(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    NAMES.iter().any(|start| name.contains(start)) && !name.ends_with(".RS")
}

/// Alike for texts that differ in the ends of their lines alone.
fn normal(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{normal, of};
    use crate::build::{MODULE, WORKER};
    use cargo_metadata::MetadataCommand;
    use std::path::Path;

    #[test]
    fn every_package_that_is_linked_is_listed_with_its_licence() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).exec().expect("metadata");
        let licences = of(&metadata, &[MODULE, WORKER], &root).expect("everyone says what their licence is");
        let (list, texts) = licences.document.split_once("\n---").expect("texts");
        for name in ["redis ", "tokio ", "redis-module "] {
            assert!(list.lines().any(|line| line.starts_with(name) && line.contains(": ")), "{name}");
        }
        assert!(!list.contains("proptest") && !list.contains("eddyline-sketch"), "neither tests nor our own");
        assert!(texts.contains("Permission is hereby granted") && texts.contains("Apache License"));
        assert!(
            licences.texts > 10 && licences.packages > licences.texts / 4,
            "{} {}",
            licences.packages,
            licences.texts
        );
    }

    #[test]
    fn texts_are_alike_whatever_their_lines_end_in() {
        assert_eq!(normal(b"a \r\nb\r\n"), normal(b"\na\nb"));
    }
}
