//! Times as files write them.

use super::tally::Trouble;
use eddyline_wire::command::close::MAX_MS;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a time column's numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TimeUnit {
    /// Seconds since the epoch.
    S,
    /// Milliseconds since the epoch.
    Ms,
    /// Microseconds since the epoch.
    Us,
}

/// A time in ms since the epoch: a number that counts `unit`s, or a date with a time of day (RFC 3339; UTC where no offset is
/// given).
///
/// # Errors
/// What is wrong with it.
pub fn milliseconds(text: &[u8], unit: TimeUnit) -> Result<u64, Trouble> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(Trouble::NoTime);
    }
    let text = std::str::from_utf8(text).map_err(|_| Trouble::Time)?;
    let ms = match (text.parse::<u64>(), unit) {
        (Ok(n), TimeUnit::Ms) => n,
        (Ok(n), TimeUnit::S) => n.checked_mul(1000).ok_or(Trouble::TimeRange)?,
        (Ok(n), TimeUnit::Us) => n / 1000,
        (Err(_), _) => {
            let Ok(n) = text.parse::<f64>() else { return date(text).ok_or(Trouble::Time) };
            let ms = match unit {
                TimeUnit::Ms => n,
                TimeUnit::S => n * 1000.0,
                TimeUnit::Us => n / 1000.0,
            };
            if !(ms >= 0.0 && ms <= MAX_MS as f64) {
                return Err(if n.is_nan() { Trouble::Time } else { Trouble::TimeRange });
            }
            // Half a microsecond up: 1661140339.209 s has no exact binary form.
            (ms + 0.0005).floor() as u64
        }
    };
    if ms == 0 || ms > MAX_MS { Err(Trouble::TimeRange) } else { Ok(ms) }
}

fn date(text: &str) -> Option<u64> {
    let (day, hour) = text.split_once(['T', 't', ' '])?;
    let has_offset = hour.ends_with(['Z', 'z']) || hour.contains(['+', '-']);
    let text = format!("{day}T{hour}{}", if has_offset { "" } else { "Z" });
    let nanos = OffsetDateTime::parse(&text, &Rfc3339).ok()?.unix_timestamp_nanos();
    u64::try_from(nanos / 1_000_000).ok().filter(|ms| (1..=MAX_MS).contains(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_unit() {
        for (text, unit, ms) in [
            ("1661140339209", TimeUnit::Ms, 1_661_140_339_209),
            (" 1661140339 ", TimeUnit::S, 1_661_140_339_000),
            ("1661140339.209", TimeUnit::S, 1_661_140_339_209),
            ("1.661140339209e9", TimeUnit::S, 1_661_140_339_209),
            ("1661140339209999", TimeUnit::Us, 1_661_140_339_209),
            ("2022-08-22T03:52:19.209Z", TimeUnit::S, 1_661_140_339_209),
            ("2022-08-22 03:52:19", TimeUnit::Ms, 1_661_140_339_000),
            ("2022-08-22 05:52:19.209+02:00", TimeUnit::Ms, 1_661_140_339_209),
        ] {
            assert_eq!(milliseconds(text.as_bytes(), unit), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_apart() {
        for (text, trouble) in [
            ("", Trouble::NoTime),
            ("yesterday", Trouble::Time),
            ("2022-08-22", Trouble::Time),
            ("2022-13-22 03:52:19", Trouble::Time),
            ("1969-12-31 23:59:59", Trouble::Time),
            ("NaN", Trouble::Time),
            ("-5", Trouble::TimeRange),
            ("0", Trouble::TimeRange),
            ("1e300", Trouble::TimeRange),
            ("18446744073709551615", Trouble::TimeRange),
        ] {
            assert_eq!(milliseconds(text.as_bytes(), TimeUnit::S), Err(trouble), "{text}");
        }
    }
}
