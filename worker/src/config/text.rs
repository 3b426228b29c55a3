//! Values of the file as the text that flags and the environment would have for them.

use super::file::Value;
use eddyline_wire::text::printable;

/// A value as text.
pub(super) fn text_of(value: &Value) -> Result<String, String> {
    const ALLOWED: &str = "must be a text, a number, true, false, or a list of texts";
    match value {
        Value::Plain(toml::Value::String(text)) => Ok(text.clone()),
        Value::Plain(toml::Value::Integer(number)) => Ok(number.to_string()),
        Value::Plain(toml::Value::Float(number)) => Ok(number.to_string()),
        Value::Plain(toml::Value::Boolean(truth)) => Ok(truth.to_string()),
        other => texts_of(other).map(|texts| texts.join(", ")).ok_or_else(|| ALLOWED.to_owned()),
    }
}

/// A list of texts.
pub(super) fn texts_of(value: &Value) -> Option<Vec<String>> {
    let Value::Plain(toml::Value::Array(values)) = value else { return None };
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// That a text, which is no secret, won't do, and why.
pub(super) fn refused(text: &str, why: &str) -> String {
    format!("'{}' is refused: {why}", printable(text.as_bytes(), 64))
}
