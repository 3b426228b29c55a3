//! A section as the type that its owner gave it, and what serde says about one that doesn't fit, told by key and line.

use super::fault::Fault;
use super::file::{Item, Table, Value, join};
use super::nearest::nearest;
use super::reference::resolve;
use serde::de::DeserializeOwned;
use std::path::Path;

/// A section of the file.
pub(super) struct Section<'a> {
    pub(super) file: &'a Path,
    /// Its name, as TOML writes it.
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) table: &'a Table,
}

impl Section<'_> {
    /// Reads it. References are followed first.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Fault>> {
        let (table, mut secrets, mut faults) = (toml::Table::new(), Vec::new(), Vec::new());
        let table = self.resolved(self.table, &self.path, table, &mut secrets, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let error = match table.clone().try_into() {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let mut why = explained(error.message());
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            why = why.replace(secret.as_str(), "***");
        }
        let (key, line) = match culprit::<T>(&table, error.message()).and_then(|key| self.table.get(&key)) {
            Some(item) => (join(&self.path, &item.key), item.line),
            None => (self.path.clone(), self.line),
        };
        Err(vec![Fault::at(self.file, line, &key, why)])
    }

    fn resolved(
        &self,
        table: &Table,
        path: &str,
        mut plain: toml::Table,
        secrets: &mut Vec<String>,
        faults: &mut Vec<Fault>,
    ) -> toml::Table {
        for Item { key, line, value } in &table.0 {
            let path = join(path, key);
            let value = match value {
                Value::Table(table) => self.resolved(table, &path, toml::Table::new(), secrets, faults).into(),
                Value::Plain(value) => match followed(value, secrets) {
                    Ok(value) => value,
                    Err(why) => {
                        faults.push(Fault::at(self.file, *line, &path, why));
                        continue;
                    }
                },
            };
            plain.insert(key.clone(), value);
        }
        plain
    }
}

/// The value with what its texts refer to; that is also a secret not to be told.
fn followed(value: &toml::Value, secrets: &mut Vec<String>) -> Result<toml::Value, String> {
    match value {
        toml::Value::String(text) => {
            let found = resolve(text)?;
            if found != *text {
                secrets.push(found.clone());
            }
            Ok(found.into())
        }
        toml::Value::Array(values) => {
            let values: Result<Vec<_>, _> = values.iter().map(|value| followed(value, secrets)).collect();
            Ok(toml::Value::Array(values?))
        }
        toml::Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| Ok((key.clone(), followed(value, secrets)?)));
            Ok(toml::Value::Table(pairs.collect::<Result<_, String>>()?))
        }
        other => Ok(other.clone()),
    }
}

/// The key without which the section would be refused for something else, or not at all. Which types and enums serde had
/// to buffer on the way, where it loses the place, doesn't matter so.
fn culprit<T: DeserializeOwned>(table: &toml::Table, message: &str) -> Option<String> {
    if message.contains("missing") {
        return None;
    }
    // Without its type a section is always refused for something else.
    let (types, others): (Vec<_>, Vec<_>) = table.keys().partition(|key| *key == "type");
    let is_behind = |key: &&String| {
        let mut rest = table.clone();
        rest.remove(*key);
        !rest.try_into::<T>().is_err_and(|error: toml::de::Error| error.message() == message)
    };
    others.into_iter().chain(types).find(is_behind).cloned()
}

/// What serde says, without the value, which may be a secret, and with the name that was probably meant.
fn explained(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let hint =
        |known: &[&str], name| nearest(name, known.iter().copied()).map(|near| format!(", did you mean {near}?"));
    match (&names[..], message.split_once(", expected ")) {
        ([name, known @ ..], _) if message.starts_with("unknown field") => super::nearest::no_such_key(name, known),
        ([name, known @ ..], _) if message.starts_with("unknown variant") => {
            let hint = hint(known, name).unwrap_or_else(|| ".".to_owned());
            format!("there is no {} here{hint} One of {}", name.escape_debug(), known.join(", "))
        }
        (_, Some((_, expected))) if message.starts_with("invalid") => format!("must be {expected}"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
    enum Sink {
        Hook {
            #[allow(dead_code)]
            url: String,
            #[allow(dead_code)]
            port: Option<u16>,
            #[allow(dead_code)]
            headers: Option<BTreeMap<String, String>>,
        },
        Out,
    }

    fn read(pairs: &[(&str, toml::Value)]) -> Result<Sink, String> {
        let items = pairs.iter().enumerate().map(|(at, (key, value))| Item {
            key: (*key).to_owned(),
            line: at + 11,
            value: Value::Plain(value.clone()),
        });
        let table = Table(items.collect());
        let section = Section { file: Path::new("x.toml"), path: "sinks.a".to_owned(), line: 10, table: &table };
        section.read().map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn faults_are_told_by_key_and_line_whatever_serde_lost() {
        let hook = ("type", "hook".into());
        let refused = |pairs: &[_]| read(pairs).unwrap_err();
        assert_eq!(
            refused(&[hook.clone(), ("url", "x".into()), ("prot", 1.into())]),
            "x.toml:13: sinks.a.prot: there is no such key, did you mean port? Keys here: url, port, headers"
        );
        assert_eq!(refused(&[hook.clone(), ("port", 1.into())]), "x.toml:10: sinks.a: missing field `url`");
        assert_eq!(
            refused(&[hook.clone(), ("port", 70_000.into()), ("url", "x".into())]),
            "x.toml:12: sinks.a.port: must be u16"
        );
        assert_eq!(
            refused(&[("type", "hok".into()), ("url", "x".into())]),
            "x.toml:11: sinks.a.type: there is no hok here, did you mean hook? One of hook, out"
        );
    }

    #[test]
    fn secrets_are_not_told() {
        let error = read(&[("type", "hook".into()), ("url", 123_456.into())]).unwrap_err();
        assert_eq!(error, "x.toml:12: sinks.a.url: must be a string");
        let error = read(&[("type", "env:CARGO_PKG_NAME".into())]).unwrap_err();
        assert!(error.contains("there is no *** here") && !error.contains("eddyline"), "{error}");
    }

    #[test]
    fn references_are_followed_wherever_they_stand() {
        let headers = toml::Table::from_iter([("a".to_owned(), "env:CARGO_PKG_NAME".into())]);
        let read_back = read(&[("type", "hook".into()), ("url", "x".into()), ("headers", headers.into())]).unwrap();
        let Sink::Hook { headers: Some(headers), .. } = read_back else { panic!("{read_back:?}") };
        assert_eq!(headers["a"], "eddyline");
        let error = read(&[("type", "hook".into()), ("url", "env:NO_SUCH".into())]).unwrap_err();
        assert!(error.starts_with("x.toml:12: sinks.a.url: the environment variable 'NO_SUCH' isn't set"), "{error}");
    }
}
