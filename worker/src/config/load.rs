//! File, environment and flags become one checked [`Config`], or a list of all that is wrong with them.

use super::effective::Effective;
use super::fault::{Fault, Faults};
use super::file::{self, Table, Value, join};
use super::nearest::no_such_key;
use super::origin::{Given, Origin};
use super::secret::Secret;
use super::text::{text_of, texts_of};
use super::{Config, Fixed, Live, keys, reference, typed};
use crate::notify::settings::NotifySettings;
use crate::sinks;
use crate::sinks::settings::SinkSettings;
use eddyline_wire::command::create::Create;
use eddyline_wire::keys::MAX_NAME;
use eddyline_wire::text::printable;
use serde::Serialize;
use serde::de::DeserializeOwned;
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
    /// What flags want counted, beside what the file has.
    pub counted: Vec<Create>,
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
        let mut loading = Loading {
            file: &path,
            given: &self.given,
            counted: &self.counted,
            faults: Vec::new(),
            effective: Effective::default(),
        };
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
    pub(super) counted: &'a [Create],
    pub(super) faults: Vec<Fault>,
    pub(super) effective: Effective,
}

impl Loading<'_> {
    fn config(&mut self, table: &Table) -> Option<Config> {
        self.effective.begin(None);
        let fixed = self.fixed(table);
        let mut monitors = self.monitors(table);
        let log = self.one(table, ("log", keys::LOG), keys::log, |text, _| text.to_owned());
        let choices = self.choices(table);
        let notify = self.notify(table);
        let sinks = self.sinks(table);
        let http = self.http(table);
        let counted = self.counted(table);
        // what is counted here is scored too
        monitors.extend(counted.iter().map(|create| printable(create.keys.monitor(), MAX_NAME)));
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
        let live = Live { monitors, log: log?, choices, notify: notify?, sinks, http: http.settings };
        Some(Config { fixed: Fixed { counted, http: http.listen, ..fixed? }, live })
    }

    fn fixed(&mut self, table: &Table) -> Option<Fixed> {
        let redis = |text: &str| {
            let url = reference::resolve(text)?;
            Ok((keys::redis(&url)?, Secret::new(url)))
        };
        // No password: the address alone.
        let redis = self.one(table, ("redis", keys::REDIS), redis, |_, (address, _)| address.shown().to_owned());
        let trusting = |path: &str| match (path, &redis) {
            ("", _) | (_, None) => Ok(None),
            (path, Some((redis, _))) => keys::trusting(redis.clone(), path).map(|redis| Some((redis, path.to_owned()))),
        };
        let trusting = self.one(table, ("redis_ca", ""), trusting, |path, _| path.to_owned());
        let deployment = self.one(table, ("deployment", keys::DEPLOYMENT), keys::deployment, |text, _| text.to_owned());
        let listen = self.one(table, ("listen", keys::LISTEN), keys::listen, |text, _| text.to_owned());
        let (redis, redis_url) = redis?;
        let (redis, redis_ca) = trusting?.unwrap_or((redis, String::new()));
        Some(Fixed {
            redis,
            redis_url,
            redis_ca,
            deployment: deployment?,
            listen: listen?,
            http: None,
            counted: Vec::new(),
        })
    }

    /// The value that counts for a key at the top. One in the file is checked even where another counts more.
    fn one<T>(
        &mut self,
        table: &Table,
        (key, default): (&str, &str),
        read: impl Fn(&str) -> Result<T, String>,
        show: impl Fn(&str, &T) -> String,
    ) -> Option<T> {
        let mut said = Vec::new();
        if let Some(item) = table.get(key) {
            match text_of(&item.value) {
                Ok(text) => said.push((text, Origin::File(item.line))),
                Err(why) => self.faults.push(Fault::at(self.file, item.line, key, why)),
            }
        }
        let given = self.given.iter().find(|given| given.key == key && given.origin != Origin::Default);
        said.extend(
            given.map(|given| (given.values.last().map_or("", Secret::expose).to_owned(), given.origin.clone())),
        );
        if said.is_empty() {
            said.push((default.to_owned(), Origin::Default));
        }
        let mut counts = None;
        for (text, origin) in said {
            match (read(&text), &origin) {
                (Ok(value), _) => counts = Some((show(&text, &value), value, origin)),
                (Err(why), Origin::File(line)) => self.faults.push(Fault::at(self.file, *line, key, why)),
                (Err(why), _) => self.faults.push(Fault::of_given(&origin, key, why)),
            }
        }
        let (shown, value, origin) = counts?;
        self.effective.tell(key, &shown, &origin);
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

    fn notify(&mut self, table: &Table) -> Option<NotifySettings> {
        const KEY: &str = "notify";
        let nothing = Table::default();
        let (line, written) = self.section(table, KEY).unwrap_or((0, &nothing));
        let notify = self.typed(KEY.to_owned(), line, written);
        self.effective.begin(Some(KEY.to_owned()));
        self.told(notify, written)
    }

    fn sinks(&mut self, table: &Table) -> BTreeMap<String, SinkSettings> {
        let mut all = BTreeMap::new();
        let Some((line, sections)) = self.section(table, "sinks") else { return all };
        if sections.0.len() > MOST_SINKS {
            self.faults.push(Fault::at(self.file, line, "sinks", format!("has more than {MOST_SINKS} sinks")));
            return all;
        }
        for item in &sections.0 {
            let path = join("sinks", &item.key);
            let Value::Table(written) = &item.value else {
                let why = format!("must be a section of its own, [{path}]");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            };
            let sink = self.typed::<SinkSettings>(path.clone(), item.line, written);
            self.effective.begin(Some(path.clone()));
            let Some(sink) = self.told(sink, written) else { continue };
            if let Err(refused) = sinks::make(&item.key, &sink) {
                self.faults.push(Fault::at(self.file, item.line, &path, refused.why));
            }
            all.insert(item.key.clone(), sink);
        }
        all
    }

    pub(super) fn typed<T: DeserializeOwned>(&mut self, path: String, line: usize, table: &Table) -> Option<T> {
        let section = typed::Section { file: self.file, path, line, table };
        section.read().map_err(|faults| self.faults.extend(faults)).ok()
    }

    pub(super) fn told<T: Serialize>(&mut self, section: Option<T>, written: &Table) -> Option<T> {
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
