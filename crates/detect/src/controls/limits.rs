//! How far which way a feature has to go to matter.

use crate::Error;
use crate::incidents::cause::in_words;
use crate::incidents::verdict::{Cause, Direction, Kind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Limits of one feature. What isn't chosen is as for all features.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Which way matters.
    pub direction: Option<Sides>,
    /// The least deviation that matters, in the feature's unit.
    pub min_absolute: Option<f64>,
    /// The least deviation that matters, as a part of what is expected: 0.2 is a fifth.
    pub min_relative: Option<f64>,
    /// What a number may be at any time.
    pub expect: Option<Range>,
}

impl Limits {
    pub(crate) fn count(&self) -> usize {
        let chosen = [self.direction.is_some(), self.min_absolute.is_some(), self.min_relative.is_some()];
        chosen.into_iter().chain([self.expect.is_some()]).filter(|chosen| *chosen).count()
    }

    pub(crate) fn holds_back(&self) -> bool {
        self.direction.is_some() || self.min_absolute.is_some() || self.min_relative.is_some()
    }

    pub(crate) fn is_sound(&self) -> bool {
        let least = |least: Option<f64>| least.is_none_or(|least| least.is_finite() && least >= 0.0);
        let range = self.expect.is_none_or(|range| range.low <= range.high);
        least(self.min_absolute) && least(self.min_relative) && range
    }
}

/// The least deviation: a finite number, 0 or more.
///
/// # Errors
/// Any other text.
pub fn deviation(text: &str) -> Result<f64, Error> {
    let allowed = "a number, 0 or more, such as 25 (min_absolute) or 0.2 for 20 % (min_relative)";
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or(Error::Setting { name: "deviation", allowed })
}

/// Which way matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sides {
    /// Above what is expected.
    Up,
    /// Below.
    Down,
    /// Either.
    Both,
}

impl Sides {
    pub(crate) fn has(self, direction: Direction) -> bool {
        match self {
            Self::Up => direction == Direction::Up,
            Self::Down => direction == Direction::Down,
            Self::Both => true,
        }
    }
}

impl FromStr for Sides {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            "both" => Ok(Self::Both),
            _ => Err(Error::Setting { name: "direction", allowed: "up, down or both" }),
        }
    }
}

impl fmt::Display for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Both => "both",
        })
    }
}

/// What a number may be, both ends included: `0.7..0.95`, `..800`, `0.7..`, `any`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// The cause that a number outside is. One that is missing is not outside.
    pub(crate) fn broken(self, feature: &str, value: f64) -> Option<Cause> {
        let (direction, bound) = match value {
            value if value > self.high => (Direction::Up, self.high),
            value if value < self.low => (Direction::Down, self.low),
            _ => return None,
        };
        Some(Cause {
            kind: Kind::OutOfRange,
            feature: feature.to_owned(),
            what: format!("{} (allowed {self})", in_words(feature)),
            direction,
            expected: bound,
            // An open end isn't told as a number.
            low: if self.low.is_finite() { self.low } else { bound },
            high: if self.high.is_finite() { self.high } else { bound },
            observed: value,
            windows: 1,
            share: 1.0,
            items: Vec::new(),
        })
    }
}

impl FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = "two numbers, the smaller one first, or one of them, as in 0.7..0.95, ..800 or 0.7.., or any";
        let wrong = Error::Setting { name: "expect", allowed };
        let end = |text: &str, open: f64| match text.trim() {
            "" => Some(open),
            number => number.parse().ok().filter(|number: &f64| number.is_finite()),
        };
        let text = text.trim();
        if text == "any" {
            return Ok(Self { low: f64::NEG_INFINITY, high: f64::INFINITY });
        }
        let ends = text.split_once("..").filter(|(low, high)| !(low.is_empty() && high.is_empty()));
        let range = ends
            .and_then(|(low, high)| Some(Self { low: end(low, f64::NEG_INFINITY)?, high: end(high, f64::INFINITY)? }));
        range.filter(|range| range.low <= range.high).ok_or(wrong)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low.is_finite(), self.high.is_finite()) {
            (false, false) => f.write_str("any"),
            (true, false) => write!(f, "{}..", self.low),
            (false, true) => write!(f, "..{}", self.high),
            (true, true) => write!(f, "{}..{}", self.low, self.high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_may_be_open_at_either_end() {
        let outside =
            |text: &str, value| text.parse::<Range>().unwrap().broken("x", value).map(|cause| cause.direction);
        assert_eq!(
            [0.69, 0.7, 0.95, 0.96].map(|value| outside("0.7..0.95", value)),
            [Some(Direction::Down), None, None, Some(Direction::Up)]
        );
        assert_eq!([outside("..800", 801.0), outside("..800", -1e9)], [Some(Direction::Up), None]);
        assert_eq!([outside("-3..", -3.5), outside("-3..", f64::INFINITY)], [Some(Direction::Down), None]);
        assert_eq!([outside("any", f64::INFINITY), outside("0..1", f64::NAN)], [None, None]);
        for text in ["0.7..0.95", "..800", "-3..", "any", "2..2"] {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "..", "5", "2..1", "a..b", "nan..1", "0..inf", "1..2..3", "0.7-0.95"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        for text in ["-1", "nan", "inf", "a lot", ""] {
            assert!(deviation(text).is_err(), "{text}");
        }
    }
}
