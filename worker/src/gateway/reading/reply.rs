//! What Redis replies, as JSON.

use eddyline_wire::text::utf8;
use redis::{FromRedisValue, Value};
use std::collections::BTreeMap;

/// Longest text that is told.
const TEXT: usize = 4096;

/// A reply as JSON; what isn't text is escaped.
#[must_use]
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::Boolean(is) => (*is).into(),
        Value::BulkString(text) => utf8(text, TEXT).into(),
        Value::SimpleString(text) => utf8(text.as_bytes(), TEXT).into(),
        Value::Okay => "OK".into(),
        Value::Array(values) | Value::Set(values) => values.iter().map(json).collect(),
        Value::Map(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| {
                let name = match json(name) {
                    serde_json::Value::String(name) => name,
                    other => other.to_string(),
                };
                (name, json(value))
            });
            serde_json::Value::Object(pairs.collect())
        }
        _ => serde_json::Value::Null,
    }
}

/// The names in a reply that is a map.
#[must_use]
pub fn names_in(map: Option<&Value>) -> Vec<String> {
    let map: Option<BTreeMap<String, Value>> = map.and_then(|map| FromRedisValue::from_redis_value_ref(map).ok());
    map.map(|map| map.into_keys().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_keep_their_shape() {
        let text = |text: &[u8]| Value::BulkString(text.to_vec());
        let map = Value::Map(vec![
            (text(b"state"), text(b"learning \xff")),
            (text(b"late"), Value::Int(3)),
            (text(b"schema"), Value::Nil),
            (text(b"hashed"), Value::Array(vec![Value::Double(0.5)])),
        ]);
        let told = serde_json::json!({"state": "learning \\xff", "late": 3, "schema": null, "hashed": [0.5]});
        assert_eq!(json(&map), told);
        assert_eq!(names_in(Some(&map)), ["hashed", "late", "schema", "state"]);
        assert_eq!(names_in(None), Vec::<String>::new());
    }
}
