//! `POST /v1/events`: one JSON object, an array of them, or one a line.

use crate::group::{Group, Groups, MAX_FIELDS};
use crate::item::Item;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;

/// Errors that are kept; of more only their number.
pub const MOST_TOLD: usize = 100;
/// Longest name of a field or monitor, in bytes.
pub const MAX_NAME: usize = 1024;

/// How items stand in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object, or an array of objects.
    Json,
    /// An object a line; empty lines count for nothing.
    Lines,
}

/// What stands in a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    /// The observations.
    pub groups: Vec<Group>,
    /// Items there were, good and bad.
    pub items: usize,
    /// Items that aren't observations.
    pub refused: usize,
    /// Of those the first [`MOST_TOLD`], by their place.
    pub told: Vec<(u32, Refusal)>,
    /// Whether it was one object, not a list of them.
    pub is_single: bool,
}

/// Why an item isn't an observation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No object.
    #[error("an item is an object of fields, such as {{\"status\": 500}}")]
    NotAnObject,
    /// Nothing in it, or nothing but null.
    #[error("it has no field with a value")]
    Empty,
    /// More than `EDDY.MOBSERVE` takes.
    #[error("it has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// A name that is no name.
    #[error("a field's name is 1 to {MAX_NAME} bytes")]
    FieldName,
    /// A field that is there twice.
    #[error("it has a field twice")]
    Twice,
    /// A value with values in it.
    #[error("the value of '{0}' is a list or an object; it must be a text, a number, true, false or null")]
    Nested(String),
    /// Not the shape of items that name their monitor.
    #[error("without ?monitor= an item is {{\"monitor\": \"checkout\", \"fields\": {{…}}}}, with nothing beside these")]
    Shape,
    /// A line that isn't JSON.
    #[error("the line isn't JSON: {0}")]
    Line(String),
}

/// Why a body has no items.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body isn't JSON: {0}")]
pub struct NotJson(String);

/// Reads a body whose items are of this monitor, or name theirs.
///
/// # Errors
/// JSON that isn't JSON: nothing of it counts.
pub fn read(body: &[u8], form: Form, monitor: Option<&str>) -> Result<Events, NotJson> {
    let mut reading = Reading { monitor, item: Item::default(), groups: Groups::default(), events: Events::default() };
    match form {
        Form::Json => reading.json(body)?,
        Form::Lines => reading.lines(body),
    }
    let Reading { groups, mut events, .. } = reading;
    events.groups = groups.finish();
    Ok(events)
}

struct Reading<'a> {
    monitor: Option<&'a str>,
    item: Item,
    groups: Groups,
    events: Events,
}

impl Reading<'_> {
    fn json(&mut self, body: &[u8]) -> Result<(), NotJson> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = if body.trim_ascii_start().first() == Some(&b'[') {
            json.deserialize_seq(&mut *self)
        } else {
            self.events.is_single = true;
            self.item.seed(self.monitor.is_some()).deserialize(&mut json).map(|()| self.take())
        };
        read.and_then(|()| json.end()).map_err(|error| NotJson(error.to_string()))
    }

    fn lines(&mut self, body: &[u8]) {
        for line in body.split(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let mut json = serde_json::Deserializer::from_slice(line);
            let read = self.item.seed(self.monitor.is_some()).deserialize(&mut json);
            match read.and_then(|()| json.end()) {
                Ok(()) => self.take(),
                Err(error) => self.refuse(Refusal::Line(error.to_string())),
            }
        }
    }

    /// The item was read whole.
    fn take(&mut self) {
        let (refusal, at) = (self.item.refusal.take(), self.place());
        let Item { monitor, fields, values, .. } = &self.item;
        let monitor = self.monitor.unwrap_or(monitor);
        match refusal {
            Some(refusal) => self.refuse(refusal),
            None if fields.is_empty() => self.refuse(Refusal::Empty),
            None if !self.groups.push(monitor, fields, values, at) => self.refuse(Refusal::Twice),
            None => self.events.items += 1,
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        if self.events.told.len() < MOST_TOLD {
            self.events.told.push((self.place(), refusal));
        }
        self.events.refused += 1;
        self.events.items += 1;
    }

    fn place(&self) -> u32 {
        u32::try_from(self.events.items).unwrap_or(u32::MAX)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.item.seed(self.monitor.is_some()))?.is_some() {
            if self.events.items == u32::MAX as usize {
                return Err(A::Error::custom("too many items"));
            }
            self.take();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Texts;

    fn words(texts: &Texts) -> Vec<String> {
        texts.iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
    }

    #[test]
    fn an_object_is_an_observation_and_null_is_absent() {
        let body = br#" {"endpoint":"/charge","status":500,"ms":34.5,"ok":false,"user":null,"n":-7,"big":1e21} "#;
        let events = read(body, Form::Json, Some("checkout")).unwrap();
        assert!(events.is_single && events.refused == 0 && events.items == 1);
        let [group] = &events.groups[..] else { panic!("{events:?}") };
        assert_eq!(words(&group.fields), ["endpoint", "status", "ms", "ok", "n", "big"]);
        assert_eq!(words(&group.values), ["/charge", "500", "34.5", "false", "-7", "1000000000000000000000"]);
    }

    #[test]
    fn a_bad_item_is_told_by_its_place_and_the_others_count() {
        let long = format!(r#"{{"{}":1}}"#, "x".repeat(1025));
        let many = format!("{{{}}}", (0..65).map(|i| format!("\"f{i}\":1")).collect::<Vec<_>>().join(","));
        let body = format!(
            r#"[{{"a":1}},7,{{"a":[[{{}}],2]}},{{}},{{"a":null}},{{"a":1,"a":2}},{long},{many},{{"":1}},[1],{{"a":{{"b":1}}}},{{"a":2}}]"#
        );
        let events = read(body.as_bytes(), Form::Json, Some("m")).unwrap();
        let told: Vec<_> = events.told.iter().map(|(at, why)| (*at, why.clone())).collect();
        let nested = || Refusal::Nested("a".into());
        assert_eq!(
            told,
            [
                (1, Refusal::NotAnObject),
                (2, nested()),
                (3, Refusal::Empty),
                (4, Refusal::Empty),
                (5, Refusal::Twice),
                (6, Refusal::FieldName),
                (7, Refusal::TooManyFields),
                (8, Refusal::FieldName),
                (9, Refusal::NotAnObject),
                (10, nested()),
            ]
        );
        let [group] = &events.groups[..] else { panic!("{events:?}") };
        assert_eq!((words(&group.values), &group.items[..]), (vec!["1".into(), "2".into()], &[0, 11][..]));
        assert_eq!((events.items, events.refused), (12, 10));
    }

    #[test]
    fn items_may_name_their_monitor() {
        let body = br#"[{"fields":{"a":1},"monitor":"x"},{"monitor":"y","fields":{"a":2}},{"a":1},{"monitor":null,"fields":{"a":1}},
            {"monitor":"x"},{"monitor":"x","fields":{"a":1},"at":5},{"monitor":"x","fields":3}]"#;
        let events = read(body, Form::Json, None).unwrap();
        let names: Vec<_> = events.groups.iter().map(|group| group.monitor.as_str()).collect();
        assert_eq!(names, ["x", "y"]);
        let places: Vec<_> = events.told.iter().filter(|(_, why)| *why == Refusal::Shape).map(|(at, _)| *at).collect();
        assert_eq!(places, [2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_line_that_is_broken_is_one_item() {
        let body = b"{\"a\":1}\r\n\n{\"a\":\n{\"a\":\"\xff\"}\n{\"a\":2} {\"a\":3}\n{\"a\":4}";
        let events = read(body, Form::Lines, Some("m")).unwrap();
        assert_eq!((events.items, events.refused), (5, 3), "{events:?}");
        assert_eq!(words(&events.groups[0].values), ["1", "4"]);
    }

    #[test]
    fn json_that_is_none_is_refused_whole() {
        let deep = "[".repeat(100_000);
        let deep_value = format!("{{\"a\":{deep}");
        for body in
            ["", "[", "[{\"a\":1}", "{\"a\":1}{\"a\":2}", "[{\"a\":1},]", "{\"a\":1e999}", "nul", &deep, &deep_value]
        {
            assert!(read(body.as_bytes(), Form::Json, Some("m")).is_err(), "{body:.20}");
        }
        assert!(read(b"[{\"a\":\"\xff\"}]", Form::Json, Some("m")).is_err());
    }

    #[test]
    fn deep_values_are_one_items_error() {
        let body = format!("[{{\"a\":{}{}}},{{\"a\":1}}]", "[".repeat(10_000), "]".repeat(10_000));
        let events = read(body.as_bytes(), Form::Json, Some("m")).unwrap();
        assert_eq!((events.items, events.refused), (2, 1));
    }

    #[test]
    fn more_errors_than_are_told_are_counted() {
        let body = format!("[{}1]", "1,".repeat(499));
        let events = read(body.as_bytes(), Form::Json, Some("m")).unwrap();
        assert_eq!((events.refused, events.told.len()), (500, MOST_TOLD));
    }
}
