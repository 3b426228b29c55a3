//! File, environment and flags become one checked [`Config`], or a list of all that is wrong with them.

use super::effective::Effective;
use super::fault::{Fault, Faults};
use super::file::{self, Table, Value, join};
use super::nearest::no_such_key;
use super::origin::{Given, Origin};
use super::secret::Secret;
use super::text::{text_of, texts_of};
use super::{Config, Fixed, Live, keys, reference, typed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// More sinks and monitors than these are a mistake.
const MOST_SINKS: usize = 32;
const MOST_MONITORS: usize = 10_000;

/// Where settings come from: the same at every reload.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// What environment and flags say, and the defaults of flags.
    pub given: Vec<Given>,
}

/// What came of it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same, for people.
    pub effective: Effective,
}

impl Sources {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn load(&self) -> Result<Loaded, Faults> {
        let table = match &self.file {
            Some(path) => file::read(path).map_err(|fault| Faults(vec![fault]))?,
            None => Table::default(),
        };
        let path = self.file.clone().unwrap_or_default();
        let mut loading =
            Loading { file: &path, given: &self.given, faults: Vec::new(), effective: Effective::default() };
        let config = loading.config(&table);
        match config {
            Some(config) if loading.faults.is_empty() => Ok(Loaded { config, effective: loading.effective }),
            _ => Err(Faults(loading.faults)),
        }
    }
}

/// Settings on their way from text to values.
pub(super) struct Loading<'a> {
    pub(super) file: &'a Path,
    pub(super) given: &'a [Given],
    pub(super) faults: Vec<Fault>,
    pub(super) effective: Effective,
}

impl Loading<'_> {
    fn config(&mut self, table: &Table) -> Option<Config> {
        self.effective.begin(None);
        let fixed = self.fixed(table);
        let monitors = self.monitors(table);
        let log = self.one(table, "log", keys::log, |text, _| text.to_owned());
        let choices = self.choices(table);
        let notify = match self.section(table, "notify") {
            Some((line, written)) => {
                let notify = self.typed("notify".to_owned(), line, written);
                self.effective.begin(Some("notify".to_owned()));
                self.told(notify, written)
            }
            None => Some(toml::Table::default()),
        };
        let sinks = self.sinks(table);
        for item in &table.0 {
            if !keys::ALL.contains(&item.key.as_str()) {
                self.faults.push(Fault::at(
                    self.file,
                    item.line,
                    &join("", &item.key),
                    no_such_key(&item.key, &keys::ALL),
                ));
            }
        }
        let live = Live { monitors, log: log?, choices, notify: notify?, sinks };
        Some(Config { fixed: fixed?, live })
    }

    fn fixed(&mut self, table: &Table) -> Option<Fixed> {
        let redis = |text: &str| {
            let url = reference::resolve(text)?;
            Ok((keys::redis(&url)?, Secret::new(url)))
        };
        // No password: the address alone.
        let redis = self.one(table, "redis", redis, |_, (address, _)| address.shown().to_owned());
        let deployment = self.one(table, "deployment", keys::deployment, |text, _| text.to_owned());
        let listen = self.one(table, "listen", keys::listen, |text, _| text.to_owned());
        let (redis, redis_url) = redis?;
        Some(Fixed { redis, redis_url, deployment: deployment?, listen: listen? })
    }

    /// The value that counts for a key at the top. One in the file is checked even where another counts more.
    fn one<T>(
        &mut self,
        table: &Table,
        key: &str,
        read: impl Fn(&str) -> Result<T, String>,
        show: impl Fn(&str, &T) -> String,
    ) -> Option<T> {
        let mut counts = None;
        if let Some(item) = table.get(key) {
            let text = text_of(&item.value);
            match text.clone().and_then(|text| read(&text)) {
                Ok(value) => counts = Some((text.unwrap_or_default(), value, Origin::File(item.line))),
                Err(why) => self.faults.push(Fault::at(self.file, item.line, key, why)),
            }
        }
        let given = self.given.iter().find(|given| given.key == key);
        if let Some(given) = given.filter(|given| given.origin != Origin::Default || table.get(key).is_none()) {
            let text = given.values.last().map_or("", Secret::expose);
            match read(text) {
                Ok(value) => counts = Some((text.to_owned(), value, given.origin.clone())),
                Err(why) => self.faults.push(Fault::of_given(&given.origin, key, why)),
            }
        }
        let Some((text, value, origin)) = counts else {
            if given.is_none() && table.get(key).is_none() {
                self.faults.push(Fault::of_given(&Origin::Default, key, "isn't set"));
            }
            return None;
        };
        self.effective.tell(key, &show(&text, &value), &origin);
        Some(value)
    }

    fn monitors(&mut self, table: &Table) -> Vec<String> {
        const KEY: &str = "monitors";
        let mut names = (Vec::new(), Origin::Default);
        if let Some(item) = table.get(KEY) {
            match texts_of(&item.value) {
                Some(texts) if texts.len() <= MOST_MONITORS => names = (texts, Origin::File(item.line)),
                _ => {
                    let why = format!("must be a list of at most {MOST_MONITORS} names, such as [\"checkout\"]");
                    self.faults.push(Fault::at(self.file, item.line, KEY, why));
                }
            }
            for error in names.0.iter().filter_map(|name| keys::monitor(name).err()) {
                self.faults.push(Fault::at(self.file, item.line, KEY, error));
            }
        }
        if let Some(given) = self.given.iter().find(|given| given.key == KEY && given.origin != Origin::Default) {
            names = (given.values.iter().map(|name| name.expose().to_owned()).collect(), given.origin.clone());
            for error in names.0.iter().filter_map(|name| keys::monitor(name).err()) {
                self.faults.push(Fault::of_given(&given.origin, KEY, error));
            }
        }
        self.effective.tell(KEY, &names.0, &names.1);
        names.0
    }

    fn sinks(&mut self, table: &Table) -> BTreeMap<String, toml::Table> {
        let mut sinks = BTreeMap::new();
        let Some((line, sections)) = self.section(table, "sinks") else { return sinks };
        if sections.0.len() > MOST_SINKS {
            self.faults.push(Fault::at(self.file, line, "sinks", format!("has more than {MOST_SINKS} sinks")));
            return sinks;
        }
        for item in &sections.0 {
            let path = join("sinks", &item.key);
            if let Err(why) = keys::sink_name(&item.key) {
                self.faults.push(Fault::at(self.file, item.line, &path, why));
            }
            let Value::Table(written) = &item.value else {
                let why = format!("must be a section of its own, [{path}]");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            };
            let sink = self.typed(path.clone(), item.line, written);
            self.effective.begin(Some(path));
            if let Some(sink) = self.told(sink, written) {
                sinks.insert(item.key.clone(), sink);
            }
        }
        sinks
    }

    fn typed<T: serde::de::DeserializeOwned>(&mut self, path: String, line: usize, table: &Table) -> Option<T> {
        let section = typed::Section { file: self.file, path, line, table };
        section.read().map_err(|faults| self.faults.extend(faults)).ok()
    }

    fn told<T: serde::Serialize>(&mut self, section: Option<T>, written: &Table) -> Option<T> {
        section.inspect(|section| self.effective.tell_section(section, written))
    }

    /// The section `key`, if the file has it, and its line.
    pub(super) fn section<'t>(&mut self, table: &'t Table, key: &str) -> Option<(usize, &'t Table)> {
        let item = table.get(key)?;
        match &item.value {
            Value::Table(section) => Some((item.line, section)),
            Value::Plain(_) => {
                self.faults.push(Fault::at(self.file, item.line, key, format!("must be a section, [{key}]")));
                None
            }
        }
    }
}
