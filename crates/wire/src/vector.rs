//! The entry that somebody else leaves in `{monitor}:fingerprints` of a vector monitor: `XADD … * cpu 0.3 mem 0.7`, plain
//! numeric fields; or all values in one field `v`, as little-endian f32.
//!
//! A vector monitor is a name whose key isn't a monitor and whose `{monitor}:settings` have `period_ms`. The names of its
//! features are in the setting `features`, a JSON array: what the first entry has where nobody set it.

use crate::fingerprint::{FingerprintError, vector};
use std::collections::{BTreeMap, BTreeSet};

/// Setting: milliseconds from a vector to the next.
pub const PERIOD: &str = "period_ms";
/// Setting: names of the features.
pub const FEATURES: &str = "features";
/// Most features of a vector: a model's memory grows with them.
pub const MAX_FEATURES: usize = 1024;
/// As far as vectors may be apart, in ms.
pub const PERIODS: std::ops::RangeInclusive<u64> = 100..=86_400_000;

/// Why an entry, or a setting, is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// The blob can't be read.
    #[error("{0}")]
    Blob(#[from] FingerprintError),
    /// A vector of another length than its monitor's.
    #[error("vector has {got} values, this monitor has {expected} features")]
    Length {
        /// Values found.
        got: usize,
        /// Features.
        expected: usize,
    },
    /// No field of it is a feature with a number.
    #[error("vector has no number in any of the monitor's features")]
    Empty,
    /// Too many fields.
    #[error("vector has more than {MAX_FEATURES} features")]
    TooMany,
    /// The id isn't a time of its own.
    #[error("vector's id isn't <ms>-0: of the vectors of one millisecond only the first is judged")]
    Id,
    /// The setting isn't a period.
    #[error("setting '{PERIOD}' must be 100 to 86400000, got '{0}'")]
    Period(String),
    /// The setting isn't a list of names.
    #[error("setting '{FEATURES}' must be a JSON array of 1 to {MAX_FEATURES} different names")]
    Features,
}

/// What is odd about an entry that is of use nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// The field's value isn't a number: it is missing.
    NotANumber,
    /// The field is there twice: the first counts.
    Twice,
    /// The field isn't one of the monitor's features: it isn't looked at.
    Unknown,
}

impl Oddity {
    /// What was found and what was done.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::NotANumber => "isn't a number, so it is missing",
            Self::Twice => "is there twice, the first counts",
            Self::Unknown => "isn't in the setting 'features', so it isn't looked at",
        }
    }
}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// Whether an entry is a fingerprint with a schema, as the module writes them.
#[must_use]
pub fn is_fingerprint<'a>(mut fields: impl Iterator<Item = Pair<'a>> + Clone) -> bool {
    fields.clone().any(|(field, _)| field == b"schema") && fields.any(|(field, _)| field == b"v")
}

/// The blob, where that is all that there is.
fn blob<'a>(mut fields: impl Iterator<Item = Pair<'a>>) -> Option<&'a [u8]> {
    let (field, value) = fields.next()?;
    (field == b"v" && fields.next().is_none() && number(value).is_none()).then_some(value)
}

/// The features that a monitor has whose first entry this is: the fields with numbers, or as many as the blob has values.
///
/// # Errors
/// None, or too many.
pub fn features<'a>(fields: impl Iterator<Item = Pair<'a>> + Clone) -> Result<Vec<String>, VectorError> {
    let names: Vec<String> = if let Some(blob) = blob(fields.clone()) {
        (0..vector(blob)?.len()).map(|place| format!("f{place:02}")).collect()
    } else {
        let (mut names, mut known) = (Vec::new(), BTreeSet::new());
        // One more than allowed is enough to refuse it: an entry may have millions of fields.
        for (field, _) in fields.filter(|(_, value)| number(value).is_some()) {
            let name = String::from_utf8_lossy(field).into_owned();
            if known.insert(name.clone()) {
                names.push(name);
            }
            if names.len() > MAX_FEATURES {
                break;
            }
        }
        names
    };
    match names.len() {
        0 => Err(VectorError::Empty),
        1..=MAX_FEATURES => Ok(names),
        _ => Err(VectorError::TooMany),
    }
}

/// The values of `features`, NaN where the entry has none; what is odd is told to `odd`.
///
/// # Errors
/// An entry without any value, or a blob of another length.
pub fn values<'a>(
    fields: impl Iterator<Item = Pair<'a>> + Clone,
    features: &[String],
    mut odd: impl FnMut(Oddity, &'a [u8]),
) -> Result<Vec<f32>, VectorError> {
    if let Some(blob) = blob(fields.clone()) {
        let values = vector(blob)?;
        let (got, expected) = (values.len(), features.len());
        return if got == expected { Ok(values) } else { Err(VectorError::Length { got, expected }) };
    }
    let mut values = vec![None; features.len()];
    let mut places: Option<BTreeMap<&str, usize>> = None;
    let mut place = 0;
    let mut any = false;
    for (field, value) in fields {
        // Entries have their fields in the order of the features as a rule.
        let is_next = features.get(place).is_some_and(|name| name.as_bytes() == field);
        let found = if is_next {
            Some(place)
        } else {
            let named = || features.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
            places.get_or_insert_with(named).get(&*String::from_utf8_lossy(field)).copied()
        };
        let Some(found) = found else {
            odd(Oddity::Unknown, field);
            continue;
        };
        place = found + 1;
        if values[found].is_some() {
            odd(Oddity::Twice, field);
            continue;
        }
        let read = number(value);
        if read.is_none() {
            odd(Oddity::NotANumber, field);
        }
        any |= read.is_some();
        values[found] = Some(read.unwrap_or(f32::NAN));
    }
    if any { Ok(values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect()) } else { Err(VectorError::Empty) }
}

/// The end of the window of the entry with this id, ms since the epoch.
///
/// # Errors
/// The id of a second entry in one millisecond.
pub fn end_ms(id: &str) -> Result<u64, VectorError> {
    let ms = id.strip_suffix("-0").and_then(|ms| ms.parse().ok());
    ms.ok_or(VectorError::Id)
}

/// The period that a setting says.
///
/// # Errors
/// A value out of range.
pub fn period(setting: &[u8]) -> Result<u64, VectorError> {
    let text = std::str::from_utf8(setting).ok().map(str::trim);
    let ms = text.and_then(|text| text.parse().ok()).filter(|ms| PERIODS.contains(ms));
    ms.ok_or_else(|| VectorError::Period(crate::text::printable(setting, 64)))
}

/// The features that a setting names.
///
/// # Errors
/// Anything but a list of different names.
pub fn named_features(setting: &[u8]) -> Result<Vec<String>, VectorError> {
    let names: Vec<String> = serde_json::from_slice(setting).map_err(|_| VectorError::Features)?;
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted.dedup();
    let fine = (1..=MAX_FEATURES).contains(&names.len()) && sorted.len() == names.len();
    if fine { Ok(names) } else { Err(VectorError::Features) }
}

/// A number as text; `nan` is none that is there.
fn number(value: &[u8]) -> Option<f32> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs<'a>(fields: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = Pair<'a>> + Clone {
        fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes()))
    }

    #[test]
    fn the_first_entry_names_the_features() {
        let names = features(pairs(&[("cpu", "0.3"), ("host", "web-1"), ("mem", "1e3"), ("cpu", "5")])).unwrap();
        assert_eq!(names, ["cpu", "mem"]);
        let blob: Vec<u8> = [0.5_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(features([(&b"v"[..], &blob[..])].into_iter()).unwrap(), ["f00", "f01"]);
        // a feature may well be called v
        assert_eq!(features(pairs(&[("v", "230.5")])).unwrap(), ["v"]);
        assert_eq!(features(pairs(&[("host", "web-1")])), Err(VectorError::Empty));
    }

    #[test]
    fn values_stand_where_their_names_do_and_what_is_odd_is_told() {
        let features = ["cpu", "mem", "disk"].map(str::to_owned);
        let mut odd = Vec::new();
        let fields = [("mem", "2"), ("cpu", "1"), ("net", "7"), ("mem", "3"), ("disk", "full")];
        let values = values(pairs(&fields), &features, |what, field| odd.push((what, field))).unwrap();
        assert_eq!((values[0], values[1]), (1.0, 2.0));
        assert!(values[2].is_nan());
        let told = [(Oddity::Unknown, &b"net"[..]), (Oddity::Twice, b"mem"), (Oddity::NotANumber, b"disk")];
        assert_eq!(odd, told);
    }

    #[test]
    fn an_entry_of_no_use_is_refused() {
        let features = ["cpu", "mem"].map(str::to_owned);
        let read = |fields: &[(&str, &str)]| {
            let fields: Vec<Pair<'_>> = pairs(fields).collect();
            values(fields.iter().copied(), &features, |_, _| {})
        };
        assert_eq!(read(&[("disk", "1")]), Err(VectorError::Empty));
        assert_eq!(read(&[("cpu", "high")]), Err(VectorError::Empty));
        let short = 1.5_f32.to_le_bytes();
        let error = values([(&b"v"[..], &short[..])].into_iter(), &features, |_, _| {}).unwrap_err();
        assert_eq!(error.to_string(), "vector has 1 values, this monitor has 2 features");
        assert_eq!(end_ms("17-1"), Err(VectorError::Id));
        assert_eq!(end_ms("17-0"), Ok(17));
    }

    #[test]
    fn settings_are_read_or_refused_by_name() {
        assert_eq!(period(b"60000"), Ok(60_000));
        assert_eq!(period(b"1m").unwrap_err().to_string(), "setting 'period_ms' must be 100 to 86400000, got '1m'");
        assert!(period(b"5").is_err());
        assert_eq!(named_features(br#"["cpu","mem"]"#).unwrap(), ["cpu", "mem"]);
        for bad in ["cpu mem", "[]", r#"["a","a"]"#, r#"["a",1]"#] {
            assert_eq!(named_features(bad.as_bytes()), Err(VectorError::Features), "{bad}");
        }
    }

    #[test]
    fn an_entry_of_very_many_fields_is_refused_before_all_are_compared() {
        let names: Vec<String> = (0..200_000).map(|place| format!("field{place}")).collect();
        let fields = names.iter().map(|name| (name.as_bytes(), &b"1"[..]));
        assert_eq!(super::features(fields.clone()), Err(VectorError::TooMany));
        let known = &names[..MAX_FEATURES];
        assert_eq!(values(fields, known, |_, _| {}).unwrap(), [1.0; MAX_FEATURES]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(fields: Vec<(Vec<u8>, Vec<u8>)>, setting: Vec<u8>) {
            let pairs = fields.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
            if let Ok(names) = features(pairs.clone()) {
                prop_assert_eq!(values(pairs, &names, |_, _| {}).unwrap().len(), names.len());
            }
            let _ = (named_features(&setting), period(&setting));
        }
    }
}
