//! The settings in force, each with where it is from, in the shape of the file; secrets are asterisks.

use super::file::{Item, Table, Value, join, quoted};
use super::origin::Origin;
use super::reference::is_reference;
use serde::Serialize;
use std::fmt;

/// What is told of all settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective(Vec<Group>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    header: Option<String>,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    key: String,
    value: String,
    from: String,
}

impl Effective {
    /// What follows belongs to this section.
    pub(super) fn begin(&mut self, header: Option<String>) {
        self.0.push(Group { header, lines: Vec::new() });
    }

    /// One value that may be told.
    pub(super) fn tell(&mut self, key: &str, value: &impl Serialize, origin: &Origin) {
        self.line(key.to_owned(), told(value), origin.to_string());
    }

    /// One value that was given as text.
    pub(super) fn tell_text(&mut self, key: &str, text: &str, origin: &Origin) {
        let value = if text.parse::<f64>().is_ok_and(f64::is_finite) { text.to_owned() } else { quoted(text) };
        self.line(key.to_owned(), value, origin.to_string());
    }

    /// A section that was read as `section`, whose secrets serialise as asterisks. What refers to another place is told as
    /// it is written.
    pub(super) fn tell_section(&mut self, section: &impl Serialize, written: &Table) {
        let Ok(serde_json::Value::Object(values)) = serde_json::to_value(section) else { return };
        self.tell_values("", values, written);
    }

    fn tell_values(&mut self, path: &str, values: serde_json::Map<String, serde_json::Value>, written: &Table) {
        let empty = Table::default();
        for (key, value) in values {
            let path = join(path, &key);
            let item = written.get(&key);
            let origin = item.map_or(Origin::Default, |item| Origin::File(item.line));
            match (value, item) {
                (serde_json::Value::Null, _) => {}
                (serde_json::Value::Object(values), Some(Item { value: Value::Table(written), .. })) => {
                    self.tell_values(&path, values, written);
                }
                (serde_json::Value::Object(values), _) => self.tell_values(&path, values, &empty),
                (_, Some(Item { value: Value::Plain(toml::Value::String(text)), .. })) if is_reference(text) => {
                    self.tell(&path, text, &origin);
                }
                (value, _) => self.tell(&path, &value, &origin),
            }
        }
    }

    fn line(&mut self, key: String, value: String, from: String) {
        if let Some(group) = self.0.last_mut() {
            group.lines.push(Line { key, value, from });
        }
    }
}

/// As TOML writes it: as JSON does, where it isn't a table.
fn told(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => quoted(&text),
        Ok(other) => other.to_string(),
        Err(_) => quoted("***"),
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            if let Some(header) = &group.header {
                writeln!(f, "[{header}]")?;
            }
            let lines: Vec<_> =
                group.lines.iter().map(|line| (format!("{} = {}", line.key, line.value), line)).collect();
            let width = lines.iter().map(|(text, _)| text.chars().count()).filter(|width| *width <= 60).max();
            for (text, line) in &lines {
                writeln!(f, "{text:width$}  # {}", line.from, width = width.unwrap_or(0))?;
            }
        }
        Ok(())
    }
}
