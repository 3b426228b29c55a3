//! What the rules look at: the workspace's packages and its text files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

use super::Finding;

/// Folders that hold nothing of ours.
const NOT_OURS: [&str; 6] = [".git", ".venv", "__pycache__", "dist", "node_modules", "target"];

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) packages: Vec<Package>,
    pub(super) files: Vec<File>,
}

#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) name: String,
    /// Of its Cargo.toml's folder, relative to the root, ending in `/`.
    pub(super) folder: String,
    pub(super) dependencies: Vec<Dependency>,
    /// Names of all packages that normal dependencies lead to.
    pub(super) reaches: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) dev: bool,
    /// Including `default`, unless turned off.
    pub(super) features: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn finding(&self, line: usize, advice: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, advice: advice.into() }
    }
}

impl Package {
    /// A finding at the line of its Cargo.toml that starts with `key`.
    pub(super) fn finding(&self, tree: &Tree, key: &str, advice: impl Into<String>) -> Finding {
        let path = format!("{}Cargo.toml", self.folder);
        let manifest = tree.files.iter().find(|file| file.path == path);
        let at = manifest.and_then(|file| file.text.lines().position(|line| line.starts_with(key)));
        Finding { path, line: at.map_or(1, |at| at + 1), advice: advice.into() }
    }
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).exec()?;
        let mut tree = Self { packages: packages(&metadata)?, files: Vec::new() };
        read_folder(root, "", &mut tree.files)?;
        tree.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    #[cfg(test)]
    pub(super) fn of_files(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File { path: path.into(), text: text.into() };
        Self { packages: Vec::new(), files: files.iter().map(file).collect() }
    }
}

fn packages(metadata: &Metadata) -> Result<Vec<Package>> {
    let graph = metadata.resolve.as_ref().context("cargo metadata resolved no dependencies")?;
    let names: BTreeMap<&PackageId, &str> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let normal: BTreeMap<&PackageId, Vec<&PackageId>> = graph
        .nodes
        .iter()
        .map(|node| {
            let is_normal = |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Normal;
            let normal = node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(is_normal));
            (&node.id, normal.map(|dep| &dep.pkg).collect())
        })
        .collect();
    let mut packages = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root)?;
        let mut reached = BTreeSet::new();
        let mut ahead = normal.get(&package.id).cloned().unwrap_or_default();
        while let Some(id) = ahead.pop() {
            if reached.insert(id) {
                ahead.extend(normal.get(id).into_iter().flatten());
            }
        }
        let dependencies = package.dependencies.iter().map(|dependency| {
            let default = dependency.uses_default_features.then(|| "default".to_owned());
            Dependency {
                name: dependency.name.clone(),
                dev: dependency.kind == DependencyKind::Development,
                features: dependency.features.iter().cloned().chain(default).collect(),
            }
        });
        packages.push(Package {
            name: package.name.to_string(),
            folder: manifest.as_str().trim_end_matches("Cargo.toml").to_owned(),
            dependencies: dependencies.collect(),
            reaches: reached.into_iter().map(|id| names[id].to_owned()).collect(),
        });
    }
    Ok(packages)
}

fn read_folder(folder: &Path, relative: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{relative}{name}");
        if entry.file_type()?.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                read_folder(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
            files.push(File { path, text });
        }
    }
    Ok(())
}
