//! The file, as keys in their order, each with its line.

use super::fault::Fault;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// Larger than any file a person writes.
const MOST_BYTES: u64 = 1 << 20;

/// Keys in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table(pub(super) Vec<Item>);

/// A key and what it is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) key: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Anything but a table; also arrays, whatever they hold.
    Plain(toml::Value),
    Table(Table),
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Table, Fault> {
    let unreadable = |error: std::io::Error| Fault::of_file(path, format!("can't be read: {error}"));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::of_file(path, "is larger than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        Fault::at(path, line + 1, "", "isn't UTF-8")
    })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Table, Fault> {
    let line_of = |at: usize| text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1;
    match DeTable::parse(text) {
        Ok(table) => Ok(ordered(table.into_inner(), &line_of)),
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(span.start));
            Err(Fault::at(path, line, "", format!("isn't TOML: {}", error.message().replace('\n', ", "))))
        }
    }
}

fn ordered(table: DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Table {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let item = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let line = line_of(key.span().start);
        let span = value.span();
        let value = match value.into_inner() {
            DeValue::Table(table) => Value::Table(ordered(table, line_of)),
            other => Value::Plain(plain(Spanned::new(span, other))),
        };
        Item { key: std::borrow::Cow::into_owned(key.into_inner()), line, value }
    };
    Table(entries.into_iter().map(item).collect())
}

/// A number too large for TOML's integers stays as its text, which whoever reads it refuses.
fn plain(value: Spanned<DeValue<'_>>) -> toml::Value {
    let text = value.as_ref().as_integer().map(|number| number.as_str().to_owned());
    toml::Value::deserialize(ValueDeserializer::from(value))
        .unwrap_or_else(|_| toml::Value::String(text.unwrap_or_default()))
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Item> {
        self.0.iter().find(|item| item.key == key)
    }
}

/// `path` and `key` joined as TOML writes it.
pub(super) fn join(path: &str, key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let key = if is_bare { key.to_owned() } else { quoted(key) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// A text as TOML and JSON write it alike.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Table, String> {
        parse(Path::new("x.toml"), text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn keys_keep_their_order_and_line() {
        let table = read_text("z = 1\n\n[b.\"y*\"]\nq = 2\n[b.a]\nx = { k = 'v' }\n").unwrap();
        let Value::Table(b) = &table.get("b").unwrap().value else { panic!("{table:?}") };
        let names: Vec<_> = b.0.iter().map(|item| (item.key.as_str(), item.line)).collect();
        assert_eq!(names, [("y*", 3), ("a", 5)]);
        assert_eq!(table.get("z").unwrap().line, 1);
    }

    #[test]
    fn what_is_not_toml_is_told_by_line() {
        let error = read_text("a = 1\nb = \n").unwrap_err();
        assert!(error.starts_with("x.toml:2: isn't TOML: "), "{error}");
        let error = read_text("a = 1\n[b]\n[b]\n").unwrap_err();
        assert!(error.starts_with("x.toml:3: ") && error.contains("duplicate"), "{error}");
        assert!(read_text(&format!("a = {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn odd_keys_are_quoted() {
        assert_eq!(join(&join("monitor", "shop-*"), "budget"), "monitor.\"shop-*\".budget");
        assert_eq!(join("", "a\"b"), "\"a\\\"b\"");
    }
}
