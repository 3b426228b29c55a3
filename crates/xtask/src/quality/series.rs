//! Series of ready vectors, as files.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;

/// The series of a set that are measured, by name.
pub(super) fn of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with("_test.csv.gz") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Labels of a series, row by row.
pub(super) fn labels(series: &Path) -> Result<Vec<bool>> {
    let (_, flags) = read(Path::new(&series.to_string_lossy().replace("_test.csv", "_labels.csv")))?;
    Ok(flags.iter().map(|row| row.first().is_some_and(|flag| *flag > 0.5)).collect())
}

/// Names and rows of a table of numbers; what is no number is missing.
pub(super) fn read(file: &Path) -> Result<(Vec<String>, Vec<Vec<f32>>)> {
    let open = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(open));
    let names = table.headers()?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for row in table.records() {
        rows.push(row?.iter().map(|value| value.parse().unwrap_or(f32::NAN)).collect());
    }
    Ok((names, rows))
}
