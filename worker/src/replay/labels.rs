//! What is known to have been wrong, and which stretches don't count.

use super::ReplayError;
use std::path::Path;

/// Seconds after a fault in which an alert is neither right nor wrong.
pub const AFTERMATH_S: f64 = 60.0;

/// A labelled fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// First second, since the epoch.
    pub start_s: f64,
    /// First second after it.
    pub end_s: f64,
    /// What it was, for people.
    pub what: String,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// First second, since the epoch.
    pub start_s: f64,
    /// Last second, or the first after it; see where it is used.
    pub end_s: f64,
}

/// All labels of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// Faults, in order of their start.
    pub faults: Vec<Fault>,
    /// Stretches that have data (both ends included); without them everything counts.
    pub segments: Option<Vec<Stretch>>,
    /// Stretches that may be faults without a label (end excluded).
    pub suspect: Option<Vec<Stretch>>,
}

impl Labels {
    /// Reads the files that were given.
    ///
    /// # Errors
    /// A file that can't be opened, lacks a column or holds something else than a number.
    pub fn read(faults: &Path, segments: Option<&Path>, suspect: Option<&Path>) -> Result<Self, ReplayError> {
        let mut read = Vec::new();
        let table = Table::open(faults)?;
        let (start, end) = (table.column("start_ts")?, table.column("end_ts")?);
        let words: Vec<usize> = ["fault_id", "service", "type"].iter().filter_map(|name| table.find(name)).collect();
        table.each(|row| {
            let what: Vec<&str> = words.iter().filter_map(|&column| row.get(column)).collect();
            read.push(Fault { start_s: number(row, start)?, end_s: number(row, end)?, what: what.join(" ") });
            Some(())
        })?;
        read.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        let segments = segments.map(|path| stretches(path, "first_start_ms", "last_start_ms", 1000.0)).transpose()?;
        let suspect = suspect.map(|path| stretches(path, "start_ts", "end_ts", 1.0)).transpose()?;
        Ok(Self { faults: read, segments, suspect })
    }
}

fn stretches(path: &Path, start: &str, end: &str, units_a_second: f64) -> Result<Vec<Stretch>, ReplayError> {
    let table = Table::open(path)?;
    let (start, end) = (table.column(start)?, table.column(end)?);
    let mut read = Vec::new();
    table.each(|row| {
        read.push(Stretch { start_s: number(row, start)? / units_a_second, end_s: number(row, end)? / units_a_second });
        Some(())
    })?;
    Ok(read)
}

fn number(row: &csv::StringRecord, column: usize) -> Option<f64> {
    row.get(column)?.trim().parse().ok().filter(|x: &f64| x.is_finite())
}

struct Table<'a> {
    path: &'a Path,
    reader: csv::Reader<std::fs::File>,
    columns: csv::StringRecord,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path) -> Result<Self, ReplayError> {
        let unreadable = |error: csv::Error| ReplayError::Labels(path.to_owned(), error.to_string());
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        let columns = reader.headers().map_err(unreadable)?.clone();
        Ok(Self { path, reader, columns })
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn column(&self, name: &str) -> Result<usize, ReplayError> {
        self.find(name).ok_or_else(|| ReplayError::Column {
            name: name.to_owned(),
            path: self.path.to_owned(),
            columns: self.columns.iter().collect::<Vec<_>>().join(", "),
        })
    }

    /// Calls `read` with every row; what it can't read is an error: labels are few and must be right.
    fn each(self, mut read: impl FnMut(&csv::StringRecord) -> Option<()>) -> Result<(), ReplayError> {
        for row in self.reader.into_records() {
            let row = row.map_err(|error| ReplayError::Labels(self.path.to_owned(), error.to_string()))?;
            if read(&row).is_none() {
                let line = row.position().map_or(0, csv::Position::line);
                return Err(ReplayError::Labels(self.path.to_owned(), format!("line {line}: a time isn't a number")));
            }
        }
        Ok(())
    }
}
