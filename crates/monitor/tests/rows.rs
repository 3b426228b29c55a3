//! Many observations at once count as one after the other.

use eddyline_monitor::{Definition, Hashed, Measure, Monitor};
use proptest::prelude::*;

const FIELDS: [&[u8]; 6] = [b"item", b"n_ms", b"user", b"other", b"item", b"kind"];

fn definition(given: bool, hashed: bool) -> Definition {
    let part = |field: &str| Measure { field: field.to_owned(), first_edge: None };
    let hashed = if hashed { Hashed { fields: vec!["user".to_owned()], key: [7; 16] } } else { Hashed::default() };
    let fields = Definition {
        dimensions: vec!["kind".to_owned(), "item".to_owned()],
        crosses: vec![vec![part("item"), part("n_ms")], vec![part("item"), part("kind")]],
        measures: vec![part("n_ms")],
        uniques: vec!["user".to_owned()],
        ..Definition::default()
    };
    Definition { hashed, ..if given { fields } else { Definition::default() } }
}

proptest! {
    #[test]
    fn rows_count_as_single_observations(
        columns in prop::collection::vec(0..FIELDS.len(), 1..7), values in prop::collection::vec("[0-9a-c]{0,3}", 0..120),
        given: bool, hashed: bool, paused: bool, open: bool,
    ) {
        let columns: Vec<&[u8]> = columns.into_iter().map(|column| FIELDS[column]).collect();
        let whole = values.len() - values.len() % columns.len();
        let values: Vec<&[u8]> = values[..whole].iter().map(String::as_bytes).collect();
        let mut single = Monitor::new(definition(given, hashed))?;
        if open {
            single.close(10_000);
        }
        single.set_paused(paused);
        let mut many = single.clone();
        let rows = values.chunks(columns.len());
        let replies = rows.map(|row| single.observe(columns.iter().copied().zip(row.iter().copied()))).last();
        let reply = many.observe_rows(&columns, &values);
        prop_assert_eq!(many.encode(), single.encode());
        if let Some(last) = replies {
            prop_assert_eq!(reply, last);
        }
    }
}
