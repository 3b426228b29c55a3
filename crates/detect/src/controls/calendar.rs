//! Hours of the week and periods by date, on the clocks of the monitor's time zone.

use crate::Error;
use crate::zone::{LocalTime, Zone};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most entries of a schedule or calendar.
pub const MAX_ENTRIES: usize = 64;
/// Longest text of one, in bytes.
const MAX_TEXT: usize = 4096;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
const DAY: u16 = 1440;

/// When incidents may open: `mon-fri 08:00-18:00, sat 10:00-14:00`, or `always`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule(Vec<Hours>);

/// When nothing is judged or learnt: `2026-12-24T00:00/2026-12-26T24:00, sun 02:00-04:00`, or `none`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar(Vec<Period>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Period {
    Weekly(Hours),
    /// Milliseconds since 1 January 1970 on the wall clock.
    Once {
        from: i64,
        to: i64,
    },
}

/// The same hours on some days in a row; those that end no later than they begin end the day after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Hours {
    /// Days of the week, 0 is Monday; the last may come before the first.
    first: u8,
    last: u8,
    /// Minutes since midnight.
    from: u16,
    to: u16,
}

impl Hours {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (days, hours) = (words.next()?, words.next()?);
        let day = |name: &str| DAYS.iter().position(|day| name.eq_ignore_ascii_case(day)).map(|day| day as u8);
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (from, to) = hours.split_once('-')?;
        let hours = Self { first: day(first)?, last: day(last)?, from: minutes(from)?, to: minutes(to)? };
        (words.next().is_none() && hours.is_sound()).then_some(hours)
    }

    fn is_sound(&self) -> bool {
        self.first < 7 && self.last < 7 && self.from < DAY && self.to <= DAY && self.from != self.to
    }

    /// Whether some of them lie between two moments on the wall clock, at most some days apart.
    fn touch(&self, from: i64, to: i64) -> bool {
        let length = (i64::from(self.to) - i64::from(self.from)).rem_euclid(i64::from(DAY));
        let length = if length == 0 { i64::from(DAY) } else { length };
        let days = from.div_euclid(DAY_MS).saturating_sub(1)..=to.div_euclid(DAY_MS);
        days.filter(|day| self.has_day(*day)).any(|day| {
            let begin = day.saturating_mul(DAY_MS).saturating_add(i64::from(self.from) * MINUTE_MS);
            begin < to && from < begin.saturating_add(length * MINUTE_MS)
        })
    }

    fn has_day(&self, day: i64) -> bool {
        let weekday = LocalTime { day, ms: 0 }.weekday() as u8;
        let (after_first, before_last) = (weekday >= self.first, weekday <= self.last);
        if self.first <= self.last { after_first && before_last } else { after_first || before_last }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: u8| DAYS[usize::from(day % 7)];
        f.write_str(day(self.first))?;
        if self.last != self.first {
            write!(f, "-{}", day(self.last))?;
        }
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, " {}-{}", clock(self.from), clock(self.to))
    }
}

impl Period {
    fn parse(text: &str) -> Option<Self> {
        let Some((from, to)) = text.split_once('/') else { return Hours::parse(text).map(Self::Weekly) };
        let (from, to) = (moment(from)?, moment(to)?);
        (from < to).then_some(Self::Once { from, to })
    }

    fn touches(&self, from: i64, to: i64) -> bool {
        match self {
            Self::Weekly(hours) => hours.touch(from, to),
            Self::Once { from: begin, to: end } => *begin < to && from < *end,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |ms: i64| {
            let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
            moment.strftime("%Y-%m-%dT%H:%M").to_string()
        };
        match self {
            Self::Weekly(hours) => hours.fmt(f),
            Self::Once { from, to } => write!(f, "{}/{}", text(*from), text(*to)),
        }
    }
}

/// `08:00` as minutes since midnight, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY).then_some(all)
}

/// `2026-12-24T00:00` as milliseconds on the wall clock.
fn moment(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once('T')?;
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(midnight + i64::from(minutes(time)?) * MINUTE_MS)
}

fn entries<T>(text: &str, none: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let text = text.trim();
    if text == none {
        return Some(Vec::new());
    }
    if text.len() > MAX_TEXT || text.split(',').count() > MAX_ENTRIES {
        return None;
    }
    text.split(',').map(|entry| parse(entry.trim())).collect()
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, entries: &[T], none: &str) -> fmt::Result {
    let entries: Vec<String> = entries.iter().map(T::to_string).collect();
    f.write_str(if entries.is_empty() { none } else { "" })?;
    f.write_str(&entries.join(", "))
}

fn wall_clock(time: LocalTime) -> i64 {
    time.day.saturating_mul(DAY_MS).saturating_add(i64::from(time.ms))
}

impl Schedule {
    pub(crate) fn is_sound(&self) -> bool {
        self.0.len() <= MAX_ENTRIES && self.0.iter().all(Hours::is_sound)
    }

    pub(crate) fn has(&self, ms: u64, zone: &Zone) -> bool {
        let now = wall_clock(zone.at(ms));
        self.0.is_empty() || self.0.iter().any(|hours| hours.touch(now, now.saturating_add(1)))
    }
}

impl Calendar {
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |period: &Period| match period {
            Period::Weekly(hours) => hours.is_sound(),
            Period::Once { from, to } => from < to,
        };
        self.0.len() <= MAX_ENTRIES && self.0.iter().all(sound)
    }

    pub(crate) fn touches(&self, start_ms: u64, end_ms: u64, zone: &Zone) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (from, to) = (wall_clock(zone.at(start_ms)), wall_clock(zone.at(end_ms)));
        // Clocks that are put back end a window before it began, those put forward make it an hour longer.
        let to = to.clamp(from.saturating_add(1), from.saturating_add(2 * DAY_MS));
        self.0.iter().any(|period| period.touches(from, to))
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = "days and hours, such as mon-fri 08:00-18:00, sat 10:00-14:00 (at most 64), or always";
        entries(text, "always", Hours::parse).map(Self).ok_or(Error::Setting { name: "schedule", allowed })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.0, "always")
    }
}

impl FromStr for Calendar {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = "periods, such as 2026-12-24T00:00/2026-12-26T24:00, sun 02:00-04:00 (at most 64), or none";
        entries(text, "none", Period::parse).map(Self).ok_or(Error::Setting { name: "exclude", allowed })
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.0, "none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    /// Monday, 23 March 2026, 00:00 UTC; on the Sunday after it Berlin's clocks go from 2:00 to 3:00.
    const MONDAY: u64 = 1_774_224_000_000;

    fn at(days: u64, hour: f64) -> u64 {
        MONDAY + days * 24 * HOUR + (hour * HOUR as f64) as u64
    }

    #[test]
    fn a_schedule_has_its_hours_on_its_days() {
        let schedule: Schedule = "mon-fri 08:00-18:00, sat 10:00-14:00".parse().unwrap();
        let has = |days, hour| schedule.has(at(days, hour), &Zone::default());
        assert_eq!([7.99, 8.0, 17.99, 18.0].map(|hour| has(0, hour)), [false, true, true, false]);
        assert_eq!([has(4, 12.0), has(5, 9.0), has(5, 12.0), has(6, 12.0)], [true, false, true, false]);
        assert!(Schedule::default().has(at(6, 3.0), &Zone::default()));
    }

    #[test]
    fn hours_may_go_past_midnight_and_days_past_sunday() {
        let nights: Schedule = "fri-mon 22:00-06:00".parse().unwrap();
        let has = |days, hour| nights.has(at(days, hour), &Zone::default());
        assert_eq!([has(4, 23.0), has(5, 5.0), has(0, 23.0), has(1, 5.0)], [true; 4]);
        assert_eq!([has(4, 5.0), has(1, 23.0), has(5, 12.0)], [false; 3]);
        let always: Schedule = "mon-sun 00:00-24:00".parse().unwrap();
        assert!((0..24 * 7).all(|hour| always.has(at(0, f64::from(hour)), &Zone::default())));
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        let schedule: Schedule = "mon-sun 08:00-09:00".parse().unwrap();
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert!(schedule.has(at(0, 7.5), &berlin) && !schedule.has(at(0, 6.5), &berlin));
        assert!(schedule.has(at(6, 6.5), &berlin) && !schedule.has(at(6, 7.5), &berlin), "summer");
    }

    #[test]
    fn a_window_that_touches_a_period_is_in_it() {
        let calendar: Calendar = "2026-03-24T06:00/2026-03-24T24:00, sun 02:00-04:00".parse().unwrap();
        let touches = |from, to| calendar.touches(from, to, &Zone::default());
        assert!(!touches(at(1, 5.0), at(1, 6.0)) && touches(at(1, 5.0), at(1, 6.01)));
        assert!(touches(at(1, 23.5), at(2, 0.5)) && !touches(at(2, 0.0), at(2, 0.5)));
        assert!(touches(at(6, 0.0), at(7, 0.0)) && touches(at(6, 3.0), at(6, 3.1)) && !touches(at(6, 4.0), at(6, 5.0)));
        assert!(!touches(0, 1) && !touches(u64::MAX - 1, u64::MAX));
    }

    #[test]
    fn texts_come_back_and_others_are_refused() {
        for text in ["always", "mon 00:00-24:00", "fri-mon 22:00-06:00, wed 12:30-13:00"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in ["none", "2026-12-24T00:00/2026-12-27T00:00, sun 02:00-04:00"] {
            assert_eq!(text.parse::<Calendar>().unwrap().to_string(), text);
        }
        let many = ["mon 08:00-09:00"; 65].join(",");
        for text in [
            "",
            "mon",
            "8-18",
            "mon 8:00-18:00",
            "mon 08:00-08:00",
            "mon 24:00-25:00",
            "mon,",
            "mon 08:00-09:00 x",
            &many,
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
        for text in [
            "",
            "2026-12-24",
            "2026-02-30T00:00/2026-03-01T00:00",
            "2026-12-24T10:00/2026-12-24T10:00",
            "2026-1-1T00:00/2026-1-2T00:00",
            "-1-01-01T00:00/2026-01-01T00:00",
            "always",
        ] {
            assert!(text.parse::<Calendar>().is_err(), "{text}");
        }
    }
}
