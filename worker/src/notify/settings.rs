//! What the operator chose about notifications: `[notify]`.

use crate::config::duration;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// When people are told, and how often. [`NotifySettings::default`] is documented in `docs/notifications.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifySettings {
    /// Openings a day that people are told of over all monitors.
    pub budget: Openings,
    /// A group that grew is told of when nothing joined it for so long: 0s to 10m.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "duration::between::<0, 600_000, _>")]
    pub group_wait: Duration,
    /// Later news of a group wait at least so long for each other: 1s to 1d.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "duration::between::<1000, 86_400_000, _>")]
    pub group_interval: Duration,
    /// An incident that opens no later than this after the last one that joined belongs to the same group: 0s to 1d.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "duration::between::<0, 86_400_000, _>")]
    pub group_window: Duration,
    /// A group is resolved when its incidents have been over for so long: 0s to 1d.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "duration::between::<0, 86_400_000, _>")]
    pub cool_down: Duration,
    /// A notification that a receiver didn't take within this time becomes a dead letter: 1s to 7d.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "duration::between::<1000, 604_800_000, _>")]
    pub give_up_after: Duration,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self {
            budget: Openings::AtMost(10.0),
            group_wait: Duration::from_secs(10),
            group_interval: Duration::from_secs(60),
            group_window: Duration::from_secs(60),
            cool_down: Duration::from_secs(60),
            give_up_after: Duration::from_secs(3600),
        }
    }
}

/// Openings a day: a number above 0 and at most 1,000,000, or `none`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Openings {
    /// So many are expected in a day without true incidents.
    AtMost(f64),
    /// Every incident is told of.
    Unlimited,
}

const UNLIMITED: &str = "none";
const ALLOWED: &str = "a number above 0 and at most 1000000, or \"none\"";

impl Openings {
    fn checked<E: Error>(number: f64) -> Result<Self, E> {
        if number > 0.0 && number <= 1e6 {
            Ok(Self::AtMost(number))
        } else {
            Err(E::custom(format!("{number} isn't {ALLOWED}")))
        }
    }
}

impl Serialize for Openings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(number) => serializer.serialize_f64(*number),
            Self::Unlimited => serializer.serialize_str(UNLIMITED),
        }
    }
}

impl<'de> Deserialize<'de> for Openings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OpeningsVisitor;
        impl Visitor<'_> for OpeningsVisitor {
            type Value = Openings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ALLOWED)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Openings, E> {
                Openings::checked(number as f64)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Openings, E> {
                Openings::checked(number as f64)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Openings, E> {
                Openings::checked(number)
            }

            // As flags and the environment have it.
            fn visit_str<E: Error>(self, text: &str) -> Result<Openings, E> {
                match text.parse() {
                    _ if text == UNLIMITED => Ok(Openings::Unlimited),
                    Ok(number) => Openings::checked(number),
                    Err(_) => Err(E::custom(format!("'{text}' isn't {ALLOWED}"))),
                }
            }
        }
        deserializer.deserialize_any(OpeningsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NotifySettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(read(""), Ok(NotifySettings::default()));
        let settings = read("budget = 2\ncool_down = \"10m\"").unwrap();
        assert_eq!(settings.budget, Openings::AtMost(2.0));
        assert_eq!(settings.cool_down, Duration::from_secs(600));
        assert_eq!(settings.group_wait, NotifySettings::default().group_wait);
    }

    #[test]
    fn the_budget_is_a_number_or_none() {
        let budget = |text: &str| read(&format!("budget = {text}")).map(|settings| settings.budget);
        for (text, budget_read) in
            [("0.5", Openings::AtMost(0.5)), ("\"20\"", Openings::AtMost(20.0)), ("\"none\"", Openings::Unlimited)]
        {
            assert_eq!(budget(text), Ok(budget_read), "{text}");
        }
        for text in ["0", "-1", "nan", "inf", "1e7", "\"much\"", "true", "[1]"] {
            let refused = budget(text).unwrap_err();
            assert!(refused.contains("budget") && refused.contains("none"), "{text}: {refused}");
        }
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_refused_by_name() {
        for (text, named) in [
            ("group_wait = \"11m\"", "0s to 10m"),
            ("group_interval = \"0s\"", "1s to 1d"),
            ("give_up_after = \"8d\"", "1s to 7d"),
            ("cool_down = \"soon\"", "ms, s, m, h or d"),
            ("cooldown = \"1m\"", "cool_down"),
            ("cool_down = 60", "a string"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(named) && refused.contains("line 1"), "{text}: {refused}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let settings = NotifySettings { budget: Openings::Unlimited, ..NotifySettings::default() };
        let json = serde_json::to_string(&settings).unwrap();
        assert!(json.contains(r#""budget":"none""#) && json.contains(r#""give_up_after":"1h""#), "{json}");
        assert_eq!(serde_json::from_str::<NotifySettings>(&json).unwrap(), settings);
    }
}
