//! Whatever objects are sent in whatever order, each comes out as it went in.

use eddyline_intake::events::{Form, read};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::BTreeMap;

type Item = BTreeMap<String, Json>;

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        "\\PC{0,12}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
    ]
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    vec(btree_map("[a-c]{1,2}", value(), 0..5), 0..30)
}

/// As text, without what is absent.
fn texts(item: &Item) -> BTreeMap<String, String> {
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Null => None,
        // Numbers are written out, and 1.0 is 1.
        other => Some(other.as_f64().filter(|_| other.is_f64()).map_or(other.to_string(), |number| number.to_string())),
    };
    item.iter().filter_map(|(field, value)| Some((field.clone(), text(value)?))).collect()
}

proptest! {
    #[test]
    fn every_item_comes_out_as_it_went_in(items in items(), as_lines in any::<bool>()) {
        let body = match as_lines {
            true => items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect(),
            false => serde_json::to_string(&items).unwrap(),
        };
        let form = if as_lines { Form::Lines } else { Form::Json };
        let events = read(body.as_bytes(), form, Some("m")).unwrap();
        prop_assert_eq!(events.items, items.len());
        let mut out = vec![BTreeMap::new(); items.len()];
        for group in &events.groups {
            let n = group.fields.len();
            for (row, item) in group.items.iter().enumerate() {
                let values = group.values.range(row * n..(row + 1) * n);
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                out[*item as usize] = group.fields.iter().map(text).zip(values.map(text)).collect();
            }
        }
        let expected: Vec<_> = items.iter().map(texts).collect();
        prop_assert_eq!(out, expected);
        let refused: Vec<_> = events.told.iter().map(|(at, _)| *at as usize).collect();
        let empty: Vec<_> = (0..items.len()).filter(|at| texts(&items[*at]).is_empty()).collect();
        prop_assert_eq!(refused, empty);
    }

    #[test]
    fn no_bytes_do_any_harm(body in vec(any::<u8>(), 0..200), as_lines in any::<bool>()) {
        let form = if as_lines { Form::Lines } else { Form::Json };
        if let Ok(events) = read(&body, form, None) {
            let rows: usize = events.groups.iter().map(|group| group.items.len()).sum();
            prop_assert_eq!(rows + events.refused, events.items);
        }
    }
}
