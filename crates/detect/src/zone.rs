//! A time zone: where in the local day and week a moment lies.

use crate::Error;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const DAY_MS: i64 = 86_400_000;

/// A time zone by its IANA name, such as `Europe/Berlin`. The database is compiled in: the same everywhere, no file is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A moment on a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime {
    /// Days since 1 January 1970.
    pub day: i64,
    /// Milliseconds since midnight, as the clock shows them: on the day that the clock is changed an hour is left out or comes
    /// twice.
    pub ms: u32,
}

impl LocalTime {
    /// Day of the week; 0 is Monday.
    pub(crate) fn weekday(self) -> usize {
        // 1 January 1970 was a Thursday.
        (self.day + 3).rem_euclid(7) as usize
    }
}

impl Zone {
    /// What the clocks show at this time, ms since the epoch. Beyond the year 9999 they show UTC.
    pub(crate) fn at(&self, ms: u64) -> LocalTime {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        let offset = Timestamp::from_millisecond(ms).map_or(0, |time| self.0.to_offset(time).seconds());
        let local = ms.saturating_add(i64::from(offset) * 1000);
        LocalTime { day: local.div_euclid(DAY_MS), ms: local.rem_euclid(DAY_MS) as u32 }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        TimeZone::get(name)
            .map(Self)
            .map_err(|_| Error::Setting { name: "time_zone", allowed: "an IANA name such as UTC or Europe/Berlin" })
    }
}

impl TryFrom<String> for Zone {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    /// 29 March 2026, 00:00 UTC, a Sunday: at 01:00 UTC Berlin's clocks go from 2:00 to 3:00.
    const CHANGE_MS: u64 = 1_774_742_400_000;

    fn hour(zone: &Zone, ms: u64) -> f64 {
        f64::from(zone.at(ms).ms) / HOUR_MS as f64
    }

    #[test]
    fn clocks_are_put_forward_in_spring() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(hour(&berlin, CHANGE_MS + HOUR_MS / 2), 1.5);
        assert_eq!(hour(&berlin, CHANGE_MS + HOUR_MS * 3 / 2), 3.5);
        assert_eq!(hour(&Zone::default(), CHANGE_MS + HOUR_MS * 3 / 2), 1.5);
    }

    #[test]
    fn days_begin_at_local_midnight() {
        let (utc, auckland) = (Zone::default(), "Pacific/Auckland".parse::<Zone>().unwrap());
        assert_eq!((utc.at(CHANGE_MS).weekday(), utc.at(CHANGE_MS - 1).weekday()), (6, 5));
        assert_eq!(auckland.at(CHANGE_MS + 12 * HOUR_MS).weekday(), 0);
        assert_eq!(utc.at(0).weekday(), 3);
        assert_eq!(utc.at(u64::MAX).day, i64::MAX / DAY_MS);
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "Berlin", "Europe/Bonn", "+01:00", "CET-1CEST"] {
            assert!(name.parse::<Zone>().is_err(), "{name}");
        }
        let zone: Zone = "america/new_york".parse().unwrap();
        assert_eq!(zone.to_string().parse::<Zone>().unwrap(), zone);
    }
}
