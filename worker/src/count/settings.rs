//! What a worker is to count: a flag or a table of the settings file, checked by the grammar of `EDDY.CREATE`.

use crate::config::secret::Secret;
use eddyline_wire::command::create::Create;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use serde::{Deserialize, Serialize};

/// Most monitors that one worker counts.
pub const MOST: usize = 100;

/// `[count.<monitor>]` of the settings file: the options of `EDDY.CREATE` by name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CountSettings {
    /// The stream to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The streams, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<String>,
    /// Where to start when it is counted for the first time: an entry's id, or `$` for the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who moves time: `server` or `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Length of a window in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
    /// Buckets of a dimension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u64>,
    /// Fingerprints to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<u64>,
    /// Bytes that the monitor may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Categorical fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
    /// Fields counted jointly, such as `service*status`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub crosses: Vec<String>,
    /// Numeric fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<String>,
    /// Fields of which the distinct values are counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uniques: Vec<String>,
    /// Fields of which only a keyed hash is kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashed: Vec<String>,
    /// The hash's key, 32 hexadecimal digits; without it the worker draws one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<Secret>,
}

impl CountSettings {
    /// The monitor `name` that this table asks for.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub fn create(&self, name: &str) -> Result<Create, String> {
        let streams: Vec<&String> = self.stream.iter().chain(&self.streams).collect();
        if streams.is_empty() {
            return Err("stream must be the name of a stream, or streams the names of several".to_owned());
        }
        let streams: Vec<Vec<u8>> = streams.iter().map(|stream| stream.as_bytes().to_vec()).collect();
        let mut words: Vec<String> = Vec::new();
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let options = [
            ("FROM", self.from.clone()),
            ("CLOCK", self.clock.clone()),
            ("WINDOW", number(self.window_ms)),
            ("BUCKETS", number(self.buckets)),
            ("RETENTION", number(self.retention)),
            ("MEMORY", number(self.memory)),
            ("SALT", self.salt.as_ref().map(|salt| salt.expose().to_owned())),
        ];
        for (option, value) in options {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        let lists = [
            ("DIMENSIONS", &self.dimensions),
            ("CROSSES", &self.crosses),
            ("MEASURES", &self.measures),
            ("UNIQUES", &self.uniques),
            ("HASHED", &self.hashed),
        ];
        for (option, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            words.extend([option.to_owned(), names.len().to_string()]);
            words.extend(names.iter().cloned());
        }
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        checked(name, &streams, &words)
    }
}

/// What a flag asks for: `stream`, `stream=monitor` or `stream=monitor OPTION …`.
///
/// # Errors
/// What is wrong, and what is allowed.
pub fn of_flag(text: &str) -> Result<Create, String> {
    let (stream, definition) = text.split_once('=').unwrap_or((text, ""));
    let mut words = definition.split_whitespace();
    let name = words.next().unwrap_or(stream);
    let options: Vec<&[u8]> = words.map(str::as_bytes).collect();
    checked(name, &[stream.as_bytes().to_vec()], &options)
}

fn checked(name: &str, streams: &[Vec<u8>], options: &[&[u8]]) -> Result<Create, String> {
    let plain = |error: String| error.trim_start_matches("ERR ").to_owned();
    let keys = Companions::of(name.as_bytes()).map_err(|error| {
        format!(
            "'{}' can't be the name of a monitor, so give one, as in STREAM=NAME: {error}",
            printable(name.as_bytes(), 64)
        )
    })?;
    let create = Create::of_sources(keys, streams, options).map_err(|error| plain(error.to_string()))?;
    if create.nx || create.dryrun {
        return Err("NX and DRYRUN are of no use here: what is counted already goes on".to_owned());
    }
    let definition = super::translate::definition(&create);
    eddyline_monitor::Monitor::new(definition).map_err(|error| plain(error.to_string()))?;
    Ok(create)
}

/// All that is to be counted, by flags and by the file.
///
/// # Errors
/// Two of one name, or too many.
pub fn distinct(all: Vec<Create>) -> Result<Vec<Create>, String> {
    if all.len() > MOST {
        return Err(format!("{} monitors are to be counted by this worker, at most {MOST} can be", all.len()));
    }
    for (i, create) in all.iter().enumerate() {
        if all[..i].iter().any(|other| other.keys == create.keys) {
            let name = printable(create.keys.monitor(), 64);
            return Err(format!("monitor '{name}' is to be counted twice: give one of the two another name"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_has_a_stream_a_name_and_the_options_of_the_command() {
        let create = of_flag("metrics=checkout CROSSES 1 peer*latency_ms WINDOW 10000").unwrap();
        assert_eq!((create.keys.monitor(), create.window_ms), (&b"checkout"[..], 10_000));
        assert_eq!((create.sources, create.crosses.len()), (vec![b"metrics".to_vec()], 1));
        let create = of_flag("metrics").unwrap();
        assert_eq!((create.keys.monitor(), create.inferred()), (&b"metrics"[..], true));
        assert_eq!(of_flag("a=b FROM 0").unwrap().keys.monitor(), b"b");
    }

    #[test]
    fn a_table_says_the_same_as_a_flag() {
        let table: CountSettings = toml::from_str(
            "stream = 'metrics'\nfrom = '0'\nclock = 'stream'\nwindow_ms = 1000\ncrosses = ['service*status']\n\
             measures = ['latency_ms@0.25']\nhashed = ['user']\nsalt = '000102030405060708090a0b0c0d0e0f'",
        )
        .unwrap();
        let flag = of_flag(
            "metrics=checkout FROM 0 CLOCK stream WINDOW 1000 CROSSES 1 service*status MEASURES 1 latency_ms@0.25 \
             HASHED 1 user SALT 000102030405060708090a0b0c0d0e0f",
        );
        assert_eq!(table.create("checkout"), flag);
        assert!(!format!("{table:?}").contains("0001020304"));
    }

    #[test]
    fn each_mistake_is_named() {
        for (flag, says) in [
            ("", "1 to 1024 bytes"),
            ("{x}", "STREAM=NAME"),
            ("metrics=a b", "unknown option 'b'"),
            ("metrics=a WINDOW 5", "WINDOW must be 100 to 86400000 ms, got '5'"),
            ("metrics=a SOURCES 1 b", "option SOURCES is given twice"),
            ("metrics=a NX", "NX and DRYRUN"),
            ("metrics=a MEMORY 16384 UNIQUES 1 user BUCKETS 1024 DIMENSIONS 1 x", "MEMORY 16384 is too small"),
        ] {
            let error = of_flag(flag).unwrap_err();
            assert!(error.contains(says), "{flag}: {error}");
        }
        let unknown = toml::from_str::<CountSettings>("stream = 'a'\nwindows = 5").unwrap_err().to_string();
        assert!(unknown.contains("window_ms"), "{unknown}");
        assert!(CountSettings::default().create("checkout").unwrap_err().contains("stream must be"));
        let twice = [of_flag("a=x"), of_flag("b=x")].map(Result::unwrap);
        assert!(distinct(twice.to_vec()).unwrap_err().contains("'x' is to be counted twice"));
    }
}
