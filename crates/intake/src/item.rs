//! One item of a body, read into memory that the next one uses again.

use crate::events::{MAX_NAME, Refusal};
use crate::field::{Name, Value};
use crate::group::{MAX_FIELDS, Texts};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What was read of an item. What is wrong with it doesn't end the reading: the items after it count.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) monitor: String,
    pub(crate) fields: Texts,
    pub(crate) values: Texts,
    pub(crate) refusal: Option<Refusal>,
}

/// Which part of an item is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The item, whose monitor is known: an object of fields.
    Bare,
    /// The item, which names its monitor.
    Named,
    /// The fields of one that names its monitor.
    Fields,
}

pub(crate) struct Seed<'a> {
    item: &'a mut Item,
    part: Part,
}

impl Item {
    /// Reads the next one.
    pub(crate) fn seed(&mut self, is_bare: bool) -> Seed<'_> {
        self.fields.clear();
        self.values.clear();
        self.refusal = None;
        Seed { item: self, part: if is_bare { Part::Bare } else { Part::Named } }
    }

    /// The first thing that is wrong counts.
    fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    fn fields<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Name(self.fields.writer()))?.is_some() {
            self.fields.end();
            let name = self.fields.last().len();
            if !(1..=MAX_NAME).contains(&name) {
                self.refuse(Refusal::FieldName);
            } else if self.fields.len() > MAX_FIELDS {
                self.refuse(Refusal::TooManyFields);
            }
            if self.refusal.is_some() {
                map.next_value::<IgnoredAny>()?;
                self.fields.drop_last();
                continue;
            }
            match map.next_value_seed(Value(self.values.writer()))? {
                Some(true) => self.values.end(),
                Some(false) => self.fields.drop_last(),
                None => {
                    let name: String = String::from_utf8_lossy(self.fields.last()).chars().take(64).collect();
                    self.refuse(Refusal::Nested(name));
                }
            }
        }
        Ok(())
    }

    fn named<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        let (mut has_monitor, mut has_fields, mut key) = (false, false, Vec::new());
        while map.next_key_seed(Name(&mut key))?.is_some() {
            match &key[..] {
                b"monitor" if !has_monitor => {
                    let mut name = Vec::new();
                    let is_text = map.next_value_seed(Value(&mut name))? == Some(true) && name.len() <= MAX_NAME;
                    self.monitor = String::from_utf8(name).unwrap_or_default();
                    has_monitor = is_text && !self.monitor.is_empty();
                    if !has_monitor {
                        self.refuse(Refusal::Shape);
                    }
                }
                b"fields" if !has_fields => {
                    map.next_value_seed(Seed { item: self, part: Part::Fields })?;
                    has_fields = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    self.refuse(Refusal::Shape);
                }
            }
            key.clear();
        }
        if !(has_monitor && has_fields) {
            self.refuse(Refusal::Shape);
        }
        Ok(())
    }

    fn no_object<E>(&mut self, part: Part) -> Result<(), E> {
        self.refuse(if part == Part::Fields { Refusal::Shape } else { Refusal::NotAnObject });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.part {
            Part::Bare | Part::Fields => self.item.fields(map),
            Part::Named => self.item.named(map),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.item.no_object(self.part)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.item.no_object(self.part)
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.item.no_object(self.part)
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.item.no_object(self.part)
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.item.no_object(self.part)
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.item.no_object(self.part)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.item.no_object(self.part)
    }
}
