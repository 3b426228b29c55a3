//! What the file chooses for monitors: `[defaults]`, and `[monitor."pattern"]`.

use super::by_monitor::{ByMonitor, Section};
use super::fault::Fault;
use super::file::{Item, Table, Value, join};
use super::load::Loading;
use super::nearest::no_such_key;
use super::origin::Origin;
use super::secret::Secret;
use super::text::{refused, text_of};
use crate::judging::choices::Choices;
use wildmatch::WildMatch;

/// More sections than these are a mistake.
const MOST_SECTIONS: usize = 1000;
/// Of a section's pattern, in bytes; no monitor's name is longer.
const LONGEST_PATTERN: usize = 1024;
/// The key under which a section has what it chooses for single features.
const FEATURE: &str = "feature";

/// A choice as the file has it.
struct Chosen<'a> {
    /// As [`Choices::set`] knows it.
    name: String,
    /// As the file has it, from its section on.
    path: String,
    line: usize,
    text: String,
    value: &'a toml::Value,
}

impl Loading<'_> {
    pub(super) fn choices(&mut self, table: &Table) -> ByMonitor {
        let defaults = self.defaults(table);
        let mut sections = Vec::new();
        let Some((line, patterns)) = self.section(table, "monitor") else { return ByMonitor { defaults, sections } };
        if patterns.0.len() > MOST_SECTIONS {
            self.faults.push(Fault::at(self.file, line, "monitor", format!("has more than {MOST_SECTIONS} sections")));
            return ByMonitor { defaults, sections };
        }
        for item in &patterns.0 {
            let path = join("monitor", &item.key);
            let Value::Table(section) = &item.value else {
                let why = "must be a section for the monitors of this name, such as [monitor.\"shop-*\"]";
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            };
            if item.key.is_empty() || item.key.len() > LONGEST_PATTERN {
                let why = format!("a pattern of names is 1 to {LONGEST_PATTERN} bytes");
                self.faults.push(Fault::at(self.file, item.line, &path, why));
                continue;
            }
            let chosen = self.chosen(section, &path);
            self.effective.begin(Some(path));
            for chosen in &chosen {
                self.effective.tell(&chosen.path, chosen.value, &Origin::File(chosen.line));
            }
            let choices = chosen.into_iter().map(|chosen| (chosen.name, chosen.text)).collect();
            sections.push(Section { pattern: WildMatch::new(&item.key), choices });
        }
        ByMonitor { defaults, sections }
    }

    /// The choices for every monitor: of `[defaults]`, over them those of environment and flags.
    fn defaults(&mut self, table: &Table) -> Choices {
        let mut choices = Choices::default();
        let chosen = match self.section(table, "defaults") {
            Some((_, section)) => self.chosen(section, "defaults"),
            None => Vec::new(),
        };
        for chosen in &chosen {
            if let Some(Err(why)) = choices.set(&chosen.name, &chosen.text) {
                self.faults.push(Fault::at(self.file, chosen.line, &join("defaults", &chosen.name), why));
            }
        }
        self.effective.begin(Some("defaults".to_owned()));
        for given in self.given {
            let text = given.values.last().map_or("", Secret::expose);
            let in_file = chosen.iter().find(|chosen| chosen.name == given.key);
            match in_file {
                Some(chosen) if given.origin == Origin::Default => {
                    self.effective.tell(&chosen.path, chosen.value, &Origin::File(chosen.line));
                }
                _ => match choices.set(&given.key, text) {
                    None => {}
                    Some(Ok(())) => self.effective.tell_text(&given.key, text, &given.origin),
                    Some(Err(why)) => self.faults.push(Fault::of_given(&given.origin, &given.key, refused(text, &why))),
                },
            }
        }
        for chosen in chosen.iter().filter(|chosen| self.given.iter().all(|given| given.key != chosen.name)) {
            self.effective.tell(&chosen.path, chosen.value, &Origin::File(chosen.line));
        }
        choices
    }

    /// A section's choices in their order, each good by itself.
    fn chosen<'t>(&mut self, section: &'t Table, path: &str) -> Vec<Chosen<'t>> {
        let mut all = Vec::new();
        for item in &section.0 {
            match &item.value {
                Value::Plain(value) => all.extend(self.choice(&item.key, item, value, path, &item.key)),
                Value::Table(features) if item.key == FEATURE => {
                    for feature in &features.0 {
                        let Value::Table(controls) = &feature.value else {
                            let why =
                                "must be a table of what is chosen for this feature, such as { direction = \"up\" }";
                            let key = join(&join(path, FEATURE), &feature.key);
                            self.faults.push(Fault::at(self.file, feature.line, &key, why));
                            continue;
                        };
                        for control in &controls.0 {
                            let name = format!("{}:{}", control.key, feature.key);
                            let own = join(&join(FEATURE, &feature.key), &control.key);
                            match &control.value {
                                Value::Plain(value) => all.extend(self.choice(&name, control, value, path, &own)),
                                Value::Table(_) => self.no_choice(control, path, &own),
                            }
                        }
                    }
                }
                Value::Table(_) => self.no_choice(item, path, &join("", &item.key)),
            }
        }
        all
    }

    fn choice<'t>(
        &mut self,
        name: &str,
        item: &Item,
        value: &'t toml::Value,
        path: &str,
        own: &str,
    ) -> Option<Chosen<'t>> {
        let own = if own == item.key { join("", own) } else { own.to_owned() };
        let read = text_of(&item.value).and_then(|text| match Choices::default().set(name, &text) {
            Some(Ok(())) => Ok(Some(text)),
            Some(Err(why)) => Err(refused(&text, &why)),
            None => Ok(None),
        });
        match read {
            Ok(Some(text)) => return Some(Chosen { name: name.to_owned(), path: own, line: item.line, text, value }),
            Ok(None) => self.no_choice(item, path, &own),
            Err(why) => self.faults.push(Fault::at(self.file, item.line, &format!("{path}.{own}"), why)),
        }
        None
    }

    /// Within a feature other names count than beside it.
    fn no_choice(&mut self, item: &Item, path: &str, own: &str) {
        let known: Vec<&str> = if own.starts_with(&format!("{FEATURE}.")) {
            Choices::names_of_features().collect()
        } else {
            Choices::names().chain([FEATURE]).collect()
        };
        self.faults.push(Fault::at(self.file, item.line, &format!("{path}.{own}"), no_such_key(&item.key, &known)));
    }
}
