//! Lengths of time as operators write them: a number and its unit.

use serde::{Deserialize, Deserializer, Serializer};
use std::fmt;
use std::time::Duration;

/// From a day down, so that what is written back has the largest unit that fits.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a number and its unit.
///
/// # Errors
/// Any other text.
pub fn parse(text: &str) -> Result<Duration, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start()).map(|(_, ms)| ms);
    let ms = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(*unit));
    ms.map(Duration::from_millis).ok_or("a number and its unit: ms, s, m, h or d, as in 10s")
}

/// As it is read.
#[derive(Debug, Clone, Copy)]
pub struct Shown(pub Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis() as u64;
        let fits = |(_, unit): &&(&str, u64)| ms > 0 && ms.is_multiple_of(*unit);
        let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("s", 1000));
        write!(f, "{}{name}", ms / unit)
    }
}

/// Takes a text between `LEAST_MS` and `MOST_MS`.
///
/// # Errors
/// Any other value; says what is allowed.
pub fn between<'de, const LEAST_MS: u64, const MOST_MS: u64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (least, most) = (Duration::from_millis(LEAST_MS), Duration::from_millis(MOST_MS));
    match parse(&text) {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        Ok(_) => Err(serde::de::Error::custom(format!("{text} isn't from {} to {}", Shown(least), Shown(most)))),
        Err(allowed) => Err(serde::de::Error::custom(format!("'{text}' isn't {allowed}"))),
    }
}

/// Writes it as it is read.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Shown(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units() {
        let texts = ["500ms", "10s", "90 s", "5m", "1h", "2d", "0s"];
        let ms = [500, 10_000, 90_000, 300_000, 3_600_000, 172_800_000, 0];
        assert_eq!(texts.map(|text| parse(text).unwrap().as_millis()), ms);
        for text in ["", "10", "s", "-1s", "1w", "1.5h", "1é", "99999999999999999999s", "18446744073709551615h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for ms in [0, 1, 999, 1000, 90_000, 3_600_000, 86_400_000] {
            let shown = Shown(Duration::from_millis(ms)).to_string();
            assert_eq!(parse(&shown), Ok(Duration::from_millis(ms)), "{shown}");
        }
        assert_eq!(Shown(Duration::from_secs(3600)).to_string(), "1h");
    }
}
