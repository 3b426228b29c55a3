//! `[http]`: where the gateway listens, and who may what.

use super::fault::Fault;
use super::file::{Item, Table, Value, join};
use super::keys;
use super::load::Loading;
use super::origin::Origin;
use super::secret::Secret;
use super::text::text_of;
use crate::gateway::settings::{self, HttpSettings, KeySettings};
use crate::observe::listen::Listen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// More keys or origins than these are a mistake.
const MOST_KEYS: usize = 1000;
const MOST_ORIGINS: usize = 100;
/// Of a key's name, in bytes.
const LONGEST_NAME: usize = 64;

const HTTP: &str = "http";
const LISTEN: &str = "listen";
const KEYS: &str = "keys";

/// What came of the section.
pub(super) struct Http {
    pub(super) listen: Option<Listen>,
    pub(super) settings: HttpSettings,
}

/// The rest of the section.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rest {
    cors: Vec<settings::Origin>,
}

impl Loading<'_> {
    pub(super) fn http(&mut self, table: &Table) -> Http {
        let nothing = Table::default();
        let (line, section) = self.section(table, HTTP).unwrap_or((0, &nothing));
        let is_rest = |item: &&Item| item.key != LISTEN && item.key != KEYS;
        let written = Table(section.0.iter().filter(is_rest).cloned().collect());
        let rest = self.typed::<Rest>(HTTP.to_owned(), line, &written);
        self.effective.begin(Some(HTTP.to_owned()));
        let listen = self.http_listen(section);
        let Rest { cors } = self.told(rest, &written).unwrap_or_default();
        if cors.len() > MOST_ORIGINS {
            let why = format!("has more than {MOST_ORIGINS} origins");
            self.faults.push(Fault::at(self.file, line, &join(HTTP, "cors"), why));
        }
        let keys = self.http_keys(section);
        if let (Some((Listen::At(address), origin)), true) = (&listen, keys.is_empty())
            && !address.ip().is_loopback()
        {
            let why = format!(
                "{address} can be reached from other machines, which needs a key: 'eddyline key' makes one for [http.keys]; \
                 without, 127.0.0.1:8080 serves this machine alone"
            );
            self.faults.push(match origin {
                Origin::File(line) => Fault::at(self.file, *line, &join(HTTP, LISTEN), why),
                _ => Fault::of_given(origin, HTTP, why),
            });
        }
        Http { listen: listen.map(|(listen, _)| listen), settings: HttpSettings { cors, keys } }
    }

    /// What flag or environment say counts more. One in the file is checked all the same.
    fn http_listen(&mut self, section: &Table) -> Option<(Listen, Origin)> {
        let mut said = None;
        if let Some(item) = section.get(LISTEN) {
            match text_of(&item.value).and_then(|text| keys::listen(&text)) {
                Ok(listen) => said = Some((listen, Origin::File(item.line))),
                Err(why) => self.faults.push(Fault::at(self.file, item.line, &join(HTTP, LISTEN), why)),
            }
        }
        if let Some(given) = self.given.iter().find(|given| given.key == HTTP && given.origin != Origin::Default) {
            match keys::listen(given.values.last().map_or("", Secret::expose)) {
                Ok(listen) => said = Some((listen, given.origin.clone())),
                Err(why) => self.faults.push(Fault::of_given(&given.origin, HTTP, why)),
            }
        }
        if let Some((listen, origin)) = &said {
            self.effective.tell(LISTEN, &listen.to_string(), origin);
        }
        said
    }

    fn http_keys(&mut self, section: &Table) -> BTreeMap<String, KeySettings> {
        let (mut all, path) = (BTreeMap::new(), join(HTTP, KEYS));
        let Some((line, sections)) = self.section(section, KEYS) else { return all };
        if sections.0.len() > MOST_KEYS {
            self.faults.push(Fault::at(self.file, line, &path, format!("has more than {MOST_KEYS} keys")));
            return all;
        }
        for item in &sections.0 {
            let path = join(&path, &item.key);
            let Value::Table(written) = &item.value else {
                let why = format!("must be a section of its own, [{path}]");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            };
            if item.key.is_empty() || item.key.len() > LONGEST_NAME {
                let why = format!("a key's name is 1 to {LONGEST_NAME} bytes");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            }
            let key = self.typed::<KeySettings>(path.clone(), item.line, written);
            self.effective.begin(Some(path));
            if let Some(key) = self.told(key, written) {
                all.insert(item.key.clone(), key);
            }
        }
        all
    }
}
