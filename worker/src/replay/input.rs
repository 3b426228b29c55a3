//! Files of events: CSV with a header, or one JSON object a line, either of them gzipped. What it is shows in the bytes.

use super::ReplayError;
use super::column::Mapping;
use super::plan::Plan;
use super::pump::{Feed, Pump};
use super::tally::Trouble;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

const BUFFER: usize = 1 << 16;

/// Reads the plan's file into `pump`.
///
/// # Errors
/// A file that can't be read, a column that isn't there, or whatever the feed says.
pub fn read<F: Feed>(plan: &Plan, bar: &ProgressBar, pump: &mut Pump<F>) -> Result<(), ReplayError> {
    let failed = |error| ReplayError::File(plan.file.clone(), error);
    let mut reader = open(&plan.file, bar).map_err(failed)?;
    let start = reader.fill_buf().map_err(failed)?;
    if start.trim_ascii_start().first() == Some(&b'{') {
        read_json_lines(plan, reader, pump)
    } else {
        read_csv(plan, reader, pump)
    }
}

/// The file's bytes, unpacked; `bar` advances as they are read.
///
/// # Errors
/// A file that can't be opened or read.
pub fn open(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn BufRead>> {
    let mut raw = BufReader::with_capacity(BUFFER, bar.wrap_read(File::open(path)?));
    if raw.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}

/// Whether a value stands for an absent field.
#[must_use]
pub fn is_absent(value: &[u8], absent: &[Vec<u8>]) -> bool {
    value.is_empty() || absent.iter().any(|marker| marker == value)
}

/// Why a CSV file can't be read.
#[must_use]
pub fn unreadable(path: &Path, error: csv::Error) -> ReplayError {
    let text = error.to_string();
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::new(io::ErrorKind::InvalidData, text),
    };
    ReplayError::File(path.to_owned(), error)
}

/// Place of the column `name` among those of the file at `path`.
///
/// # Errors
/// There is none.
pub fn column(names: &[String], name: &str, path: &Path) -> Result<usize, ReplayError> {
    names.iter().position(|column| column == name).ok_or_else(|| ReplayError::Column {
        name: name.to_owned(),
        path: path.to_owned(),
        columns: names.join(", "),
    })
}

fn read_csv<F: Feed>(plan: &Plan, reader: Box<dyn BufRead>, pump: &mut Pump<F>) -> Result<(), ReplayError> {
    let failed = |error| unreadable(&plan.file, error);
    let reader: Box<dyn Read> = reader;
    let mut rows = csv::ReaderBuilder::new().flexible(true).buffer_capacity(BUFFER).from_reader(reader);
    let header = rows.byte_headers().map_err(failed)?.clone();
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let find = |name: &str| column(&names, name, &plan.file);
    let time = find(&plan.time)?;
    let columns: Vec<(usize, &str)> = if plan.fields.is_empty() {
        (0..names.len()).filter(|&column| column != time).map(|column| (column, names[column].as_str())).collect()
    } else {
        let mapped = plan.fields.iter().map(|Mapping { column, field }| Ok((find(column)?, field.as_str())));
        mapped.collect::<Result<_, ReplayError>>()?
    };
    let mut row = csv::ByteRecord::new();
    while rows.read_byte_record(&mut row).map_err(failed)? {
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() != names.len() {
            pump.tally.trouble(Trouble::Width, line);
            continue;
        }
        let fields = columns.iter().map(|&(column, field)| (field.as_bytes(), &row[column]));
        pump.row(line, &row[time], fields.filter(|(_, value)| !is_absent(value, &plan.absent)))?;
    }
    Ok(())
}

fn read_json_lines<F: Feed>(plan: &Plan, mut reader: Box<dyn BufRead>, pump: &mut Pump<F>) -> Result<(), ReplayError> {
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let read = reader.read_until(b'\n', &mut text).map_err(|error| ReplayError::File(plan.file.clone(), error))?;
        if read == 0 {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&text) else {
            pump.tally.trouble(Trouble::NotJson, line);
            continue;
        };
        if line == 1 {
            let keys = || object.keys().cloned().collect::<Vec<_>>().join(", ");
            if !object.contains_key(&plan.time) {
                let (name, path) = (plan.time.clone(), plan.file.clone());
                return Err(ReplayError::Column { name, path, columns: keys() });
            }
        }
        let Some(time) = object.get(&plan.time).and_then(scalar) else {
            pump.tally.trouble(Trouble::NoTime, line);
            continue;
        };
        if object.values().any(|value| value.is_object() || value.is_array()) {
            pump.tally.trouble(Trouble::Nested, line);
        }
        let fields: Vec<(&str, String)> = if plan.fields.is_empty() {
            let others = object.iter().filter(|(key, _)| **key != plan.time);
            others.filter_map(|(key, value)| Some((key.as_str(), scalar(value)?))).collect()
        } else {
            let mapped = plan.fields.iter();
            mapped.filter_map(|map| Some((map.field.as_str(), scalar(object.get(&map.column)?)?))).collect()
        };
        let fields = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes()));
        pump.row(line, time.as_bytes(), fields.filter(|(_, value)| !is_absent(value, &plan.absent)))?;
    }
    Ok(())
}

/// A JSON value as a field's text; none for null, objects and lists.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
