//! The entry that a closed window leaves in `{monitor}:fingerprints`, under the id `<window end ms>-0`.
//!
//! Fields: `n` observations, `schema` id (16 hex digits), `v` vector as little-endian f32, `top` JSON, `gap` ms where
//! time before this window is missing, and `partial` 1 where only a part of it was observed.

use crate::text::utf8;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Largest `top`, in bytes.
pub const MAX_TOP: usize = 1024;
/// Longest item text inside `top`, in bytes.
pub const MAX_TOP_ITEM: usize = 96;
/// Longest vector accepted, in features.
pub const MAX_FEATURES: usize = 16_384;

/// One entry of a fingerprint stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// End of the window, ms since the epoch: the entry's id.
    pub end_ms: u64,
    /// Observations in the window.
    pub n: u64,
    /// Id of the schema that names the features.
    pub schema: u64,
    /// The features, in the schema's order; NaN = missing.
    pub values: Vec<f32>,
    /// The heavy hitters behind the buckets.
    pub top: Top,
    /// Milliseconds before what was observed of this window of which nothing is known.
    pub gap_ms: u64,
    /// Whether only a part of the window was observed.
    pub partial: bool,
}

/// What a stream entry lacks to be a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// A field isn't there.
    #[error("fingerprint has no field '{0}'")]
    Missing(&'static str),
    /// A field can't be read.
    #[error("fingerprint's field '{0}' can't be read")]
    Unreadable(&'static str),
    /// Too many features.
    #[error("fingerprint has {0} features, more than {MAX_FEATURES}")]
    TooLong(usize),
    /// The id isn't a window end.
    #[error("fingerprint id '{0}' isn't <window end ms>-0")]
    Id(String),
}

/// Heavy hitters of one window: block name → (item, count, bucket or slot), largest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Top(pub BTreeMap<String, Vec<(String, u64, u32)>>);

impl Top {
    /// Of `items`, in their order of priority, each with its block, count and bucket, as many as fit into [`MAX_TOP`].
    pub fn of<'a>(items: impl IntoIterator<Item = (&'a str, &'a [u8], u64, u32)>) -> Self {
        let mut top = Self::default();
        let mut length = 2;
        for (block, item, count, bucket) in items {
            let item = (utf8(item, MAX_TOP_ITEM), count, bucket);
            // a comma more than the first needs: never too short
            length += json_length(&item) + 1;
            let known = top.0.get_mut(block);
            if known.is_none() {
                length += json_length(block) + 4;
            }
            if length > MAX_TOP {
                break;
            }
            match known {
                Some(items) => items.push(item),
                None => drop(top.0.insert(block.to_owned(), vec![item])),
            }
        }
        top
    }

    /// Compact JSON, `{"service":[["pay",120,5],…],…}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json(self)
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings and integers always serialise")
}

/// Bytes that [`json`] makes of `value`.
fn json_length(value: &(impl Serialize + ?Sized)) -> usize {
    struct Length(usize);
    impl Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).expect("strings and integers always serialise");
    length.0
}

impl Fingerprint {
    /// The entry's id: `<window end ms>-0`.
    #[must_use]
    pub fn id(&self) -> String {
        id(self.end_ms)
    }

    /// Field–value pairs as they stand in the stream.
    #[must_use]
    pub fn to_fields(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut fields = vec![
            ("n", self.n.to_string().into_bytes()),
            ("schema", schema_id(self.schema).into_bytes()),
            ("v", self.values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            ("top", self.top.to_json().into_bytes()),
        ];
        if self.gap_ms > 0 {
            fields.push(("gap", self.gap_ms.to_string().into_bytes()));
        }
        if self.partial {
            fields.push(("partial", b"1".to_vec()));
        }
        fields
    }

    /// Reads an entry; unknown fields are ignored.
    ///
    /// # Errors
    /// A missing or unreadable field, or a vector longer than [`MAX_FEATURES`].
    pub fn from_fields<'a>(
        id: &str,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, FingerprintError> {
        let end_ms = id
            .split_once('-')
            .filter(|(_, seq)| *seq == "0")
            .and_then(|(ms, _)| ms.parse().ok())
            .ok_or_else(|| FingerprintError::Id(id.to_owned()))?;
        let (mut n, mut schema, mut values, mut top, mut gap_ms, mut partial) =
            (None, None, None, Top::default(), 0, false);
        for (field, value) in fields {
            match field {
                b"n" => n = Some(number(value).ok_or(FingerprintError::Unreadable("n"))?),
                b"schema" => {
                    let hex = std::str::from_utf8(value).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
                    schema = Some(hex.ok_or(FingerprintError::Unreadable("schema"))?);
                }
                b"v" => values = Some(vector(value)?),
                b"top" => {
                    top = serde_json::from_slice(value).map_err(|_| FingerprintError::Unreadable("top"))?;
                }
                b"partial" => partial = value == b"1",
                b"gap" => gap_ms = number(value).ok_or(FingerprintError::Unreadable("gap"))?,
                _ => {}
            }
        }
        Ok(Self {
            end_ms,
            n: n.ok_or(FingerprintError::Missing("n"))?,
            schema: schema.ok_or(FingerprintError::Missing("schema"))?,
            values: values.ok_or(FingerprintError::Missing("v"))?,
            top,
            gap_ms,
            partial,
        })
    }
}

/// The id of the window that ends at `end_ms`, in every stream keyed by windows.
#[must_use]
pub fn id(end_ms: u64) -> String {
    format!("{end_ms}-0")
}

/// A schema's id as text: 16 hex digits.
#[must_use]
pub fn schema_id(id: u64) -> String {
    format!("{id:016x}")
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

pub(crate) fn vector(blob: &[u8]) -> Result<Vec<f32>, FingerprintError> {
    let (values, rest) = blob.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(FingerprintError::Unreadable("v"));
    }
    if values.len() > MAX_FEATURES {
        return Err(FingerprintError::TooLong(values.len()));
    }
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Fingerprint {
        let top = Top::of([("service", &b"pay"[..], 120, 5)]);
        Fingerprint {
            end_ms: 1_700_000_005_000,
            n: 3,
            schema: 0xab,
            values: vec![3.0, 0.5],
            top,
            gap_ms: 10_000,
            partial: true,
        }
    }

    fn read(fields: &[(&'static str, Vec<u8>)]) -> Result<Fingerprint, FingerprintError> {
        let pairs = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_slice()));
        Fingerprint::from_fields("1700000005000-0", pairs)
    }

    #[test]
    fn the_entry_has_its_golden_bytes() {
        let text: Vec<String> =
            sample().to_fields().iter().map(|(field, value)| format!("{field}={}", utf8(value, 99))).collect();
        assert_eq!(
            text,
            [
                "n=3",
                "schema=00000000000000ab",
                "v=\0\0@@\0\0\0?",
                r#"top={"service":[["pay",120,5]]}"#,
                "gap=10000",
                "partial=1"
            ]
        );
        assert_eq!(sample().id(), "1700000005000-0");
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        assert_eq!(read(&sample().to_fields()), Ok(sample()));
    }

    #[test]
    fn a_missing_field_is_named() {
        for field in ["n", "schema", "v"] {
            let fields: Vec<_> = sample().to_fields().into_iter().filter(|(name, _)| *name != field).collect();
            assert_eq!(read(&fields).unwrap_err().to_string(), format!("fingerprint has no field '{field}'"));
        }
    }

    #[test]
    fn top_never_grows_past_its_limit() {
        let items: Vec<String> = (0..200).map(|i| format!("/a\"é/{i}")).collect();
        let blocks = ["endpoint", "service*endpoint"];
        let candidates = items.iter().enumerate().map(|(i, item)| (blocks[i % 2], item.as_bytes(), i as u64, i as u32));
        let top = Top::of(candidates);
        let told: usize = top.0.values().map(Vec::len).sum();
        assert!((40..100).contains(&told), "{told}");
        assert!(top.to_json().len() > MAX_TOP - 64, "{}", top.to_json().len());
        assert!(top.to_json().len() <= MAX_TOP);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(id in ".{0,24}", n: Vec<u8>, schema: Vec<u8>, v: Vec<u8>, top: Vec<u8>) {
            let fields = [("n", n), ("schema", schema), ("v", v), ("top", top)];
            let pairs = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_slice()));
            let _ = Fingerprint::from_fields(&id, pairs);
        }
    }
}
