//! Files of ready vectors: CSV with a header, gzipped or not, a row a window; one series a file, or several told apart by a
//! column.

use super::ReplayError;
use super::input::{column, is_absent, open, unreadable};
use super::plan::USUAL_TIME;
use super::tally::{Tally, Trouble};
use super::time::milliseconds;
use super::vectors::{Period, VectorPlan};
use crate::judging::judge::NamedSchema;
use crate::store::vector;
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::vector::{MAX_FEATURES, PERIODS};
use indicatif::ProgressBar;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The vectors of one series.
#[derive(Debug)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Names of the features and the period.
    pub schema: Arc<NamedSchema>,
    /// Whether the file has times; without them rows are counted from the epoch.
    pub has_times: bool,
    /// End of each row's window, ms since the epoch, growing.
    pub ends_ms: Vec<u64>,
    /// The rows, one after the other.
    values: Vec<f32>,
    /// Whether a row is labelled as faulty.
    pub labels: Option<Vec<bool>>,
}

impl Series {
    /// Number of features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.schema.record.len()
    }

    /// Milliseconds from a row to the next.
    #[must_use]
    pub fn period_ms(&self) -> u64 {
        self.schema.record.window_ms
    }

    /// The rows as a monitor's fingerprints.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        let rows = self.ends_ms.iter().zip(self.values.chunks(self.width()));
        rows.map(|(end_ms, row)| vector::fingerprint(*end_ms, self.schema.id, row.to_vec()))
    }

    /// The first feature of every row.
    pub fn first_feature(&self) -> impl Iterator<Item = f32> {
        self.values.iter().step_by(self.width()).copied()
    }
}

/// A file of vectors.
#[derive(Debug)]
pub struct Table {
    /// Its series, in the order of their first rows.
    pub series: Vec<Series>,
    /// For each row of the file, the series that it belongs to.
    pub order: Vec<usize>,
    /// What became of the rows.
    pub tally: Tally,
}

/// Where the columns are.
struct Columns {
    time: Option<usize>,
    series: Option<usize>,
    label: Option<usize>,
    features: Vec<usize>,
    width: usize,
}

/// What was read of a series so far.
#[derive(Default)]
struct Raw {
    times: Vec<Option<u64>>,
    lines: Vec<u64>,
    values: Vec<f32>,
    labels: Vec<bool>,
}

/// Reads the file at `path`, as `plan` says.
///
/// # Errors
/// A file that can't be read, a column that isn't there, or a period that can't be had.
pub fn read(plan: &VectorPlan, path: &Path, bar: &ProgressBar) -> Result<Table, ReplayError> {
    let failed = |error| unreadable(path, error);
    let reader: Box<dyn Read> = open(path, bar).map_err(|error| ReplayError::File(path.to_owned(), error))?;
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header = rows.byte_headers().map_err(failed)?.clone();
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let (columns, features) = columns(plan, &names, path)?;
    let (mut tally, mut order, mut raw) = (Tally::default(), Vec::new(), Vec::<Raw>::new());
    let (mut series_names, mut places) = (Vec::<String>::new(), HashMap::<Vec<u8>, usize>::new());
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row).map_err(failed)? {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != columns.width {
            tally.trouble(Trouble::Uneven, line);
        }
        let name = columns.series.and_then(|column| row.get(column)).unwrap_or_default();
        let place = places.get(name).copied().unwrap_or_else(|| {
            places.insert(name.to_vec(), raw.len());
            series_names.push(String::from_utf8_lossy(name).into_owned());
            raw.push(Raw::default());
            raw.len() - 1
        });
        order.push(place);
        read_row(plan, &columns, &row, line, &mut raw[place], &mut tally);
    }
    if raw.is_empty() {
        return Err(ReplayError::Empty(path.to_owned(), "it has no rows".to_owned()));
    }
    tally.events = order.len() as u64;
    let file_name = name_of(path);
    let mut series = Vec::with_capacity(raw.len());
    for (raw, name) in raw.into_iter().zip(series_names) {
        let name = if columns.series.is_some() { name } else { file_name.clone() };
        series.push(finish(plan, raw, name, &features, &columns, &mut tally)?);
    }
    Ok(Table { series, order, tally })
}

fn columns(plan: &VectorPlan, names: &[String], path: &Path) -> Result<(Columns, Vec<String>), ReplayError> {
    let find = |name: &str| column(names, name, path);
    let optional = |name: &Option<String>| name.as_deref().map(find).transpose();
    let time = match &plan.time {
        Some(name) => Some(find(name)?),
        None => names.iter().position(|name| name == USUAL_TIME),
    };
    let (series, label) = (optional(&plan.series)?, optional(&plan.label)?);
    let (places, features): (Vec<usize>, Vec<String>) = if plan.fields.is_empty() {
        let others = |place: &usize| ![time, series, label].contains(&Some(*place));
        (0..names.len()).filter(others).map(|place| (place, names[place].clone())).unzip()
    } else {
        let mapped = plan.fields.iter().map(|map| Ok((find(&map.column)?, map.field.clone())));
        mapped.collect::<Result<Vec<_>, ReplayError>>()?.into_iter().unzip()
    };
    if places.is_empty() || places.len() > MAX_FEATURES {
        let (path, count) = (path.display(), places.len());
        let what = format!("{path}: vectors have 1 to {MAX_FEATURES} features, these have {count}");
        return Err(ReplayError::Definition(what));
    }
    Ok((Columns { time, series, label, features: places, width: names.len() }, features))
}

fn read_row(plan: &VectorPlan, columns: &Columns, row: &csv::ByteRecord, line: u64, raw: &mut Raw, tally: &mut Tally) {
    let mut unreadable = false;
    let values = columns.features.iter().map(|&column| {
        let value = row.get(column).unwrap_or_default().trim_ascii();
        number(value).unwrap_or_else(|| {
            unreadable |= !is_absent(value, &plan.absent);
            f32::NAN
        })
    });
    raw.values.extend(values);
    if unreadable {
        tally.trouble(Trouble::Value, line);
    }
    let time = columns.time.and_then(|column| milliseconds(row.get(column).unwrap_or_default(), plan.time_unit).ok());
    raw.times.push(time);
    raw.lines.push(line);
    let label = columns.label.and_then(|column| number(row.get(column).unwrap_or_default().trim_ascii()));
    raw.labels.push(label.is_some_and(|label| label > 0.5));
}

fn number(text: &[u8]) -> Option<f32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn finish(
    plan: &VectorPlan,
    raw: Raw,
    name: String,
    features: &[String],
    columns: &Columns,
    tally: &mut Tally,
) -> Result<Series, ReplayError> {
    let period_ms = match plan.period {
        Period::Of(ms) => ms,
        Period::OfTimes => usual_step(&raw.times).ok_or_else(|| ReplayError::Period(name.clone()))?,
    };
    if !PERIODS.contains(&period_ms) {
        let what = format!("series '{name}': a period is 100 ms to a day, got {period_ms} ms");
        return Err(ReplayError::Definition(what));
    }
    let has_times = columns.time.is_some();
    let (mut ends_ms, mut last) = (Vec::with_capacity(raw.times.len()), None::<u64>);
    for (time, line) in raw.times.into_iter().zip(raw.lines) {
        let next = last.map_or(period_ms, |last| last + period_ms);
        let end_ms = match time {
            Some(time) if last.is_none_or(|last| time > last) => time,
            Some(_) => {
                tally.trouble(Trouble::NotLater, line);
                last.unwrap_or_default() + 1
            }
            None => {
                if has_times {
                    tally.trouble(Trouble::Timeless, line);
                }
                next
            }
        };
        ends_ms.push(end_ms);
        last = Some(end_ms);
    }
    tally.join(Tally { span: ends_ms.first().copied().zip(last), ..Tally::default() });
    Ok(Series {
        name,
        schema: vector::named_schema(period_ms, features.to_vec()),
        has_times,
        ends_ms,
        values: raw.values,
        labels: columns.label.is_some().then_some(raw.labels),
    })
}

/// The most frequent step between rows; of equally frequent ones the shortest.
fn usual_step(times: &[Option<u64>]) -> Option<u64> {
    let mut counts = BTreeMap::<u64, usize>::new();
    for pair in times.windows(2) {
        if let [Some(before), Some(after)] = pair
            && after > before
        {
            *counts.entry(after - before).or_default() += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(step, _)| step)
}

/// The name of a file without its endings, and without `_test`.
#[must_use]
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = name.strip_suffix(".csv").unwrap_or(name);
    name.strip_suffix("_test").unwrap_or(name).to_owned()
}

/// Reads the labels of one series: 0 or 1 a row, in the column `label` or else the first.
///
/// # Errors
/// A file that can't be read, or as many rows as `rows` not in it.
pub fn read_labels(path: &Path, rows: usize) -> Result<Vec<bool>, ReplayError> {
    let reader: Box<dyn Read> =
        open(path, &ProgressBar::hidden()).map_err(|error| ReplayError::File(path.to_owned(), error))?;
    let mut table = csv::Reader::from_reader(reader);
    let header = table.headers().map_err(|error| unreadable(path, error))?;
    let place = header.iter().position(|name| name == "label").unwrap_or(0);
    let mut labels = Vec::with_capacity(rows);
    for row in table.byte_records() {
        let row = row.map_err(|error| unreadable(path, error))?;
        let label = row.get(place).and_then(|value| number(value.trim_ascii())).filter(|label| label.is_finite());
        let line = row.position().map_or(0, csv::Position::line);
        let wrong = || ReplayError::Labels(path.to_owned(), format!("line {line}: a label isn't a number"));
        labels.push(label.ok_or_else(wrong)? > 0.5);
    }
    if labels.len() != rows {
        let what = format!("it has {} labels where the vectors have {rows} rows", labels.len());
        return Err(ReplayError::Labels(path.to_owned(), what));
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_is_the_most_frequent_step() {
        let times = |times: &[u64]| usual_step(&times.iter().map(|time| Some(*time)).collect::<Vec<_>>());
        assert_eq!(times(&[0, 300, 600, 1_500, 1_800, 1_790]), Some(300));
        assert_eq!(times(&[0, 5, 15]), Some(5));
        assert_eq!(times(&[7]), None);
        assert_eq!(usual_step(&[Some(1), None, Some(3)]), None);
    }

    #[test]
    fn a_series_is_named_like_its_file() {
        let names = ["a/machine-1-2_test.csv.gz", "load.csv", "x.csv.old"].map(|path| name_of(Path::new(path)));
        assert_eq!(names, ["machine-1-2", "load", "x.csv.old"]);
    }
}
