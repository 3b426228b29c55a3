//! What was chosen for a monitor, from wherever: flags, the settings file, `{monitor}:settings`. Every choice has a name and
//! can be read from text.

use eddyline_detect::controls::limits::{Limits, deviation};
use eddyline_detect::{Controls, Detectors, Error, Settings, Zone};
use serde::{Deserialize, Serialize};

/// What the user chose for a monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// False alarms (openings) accepted a day and monitor.
    pub budget_per_day: f64,
    /// Windows before the first alert.
    pub min_history: u32,
    /// Windows below the alert boundary that end an incident.
    pub quiet_after: u32,
    /// Windows after which an incident is taken as the new normal.
    pub accept_after: u32,
    /// What scores numbers.
    pub detectors: Detectors,
    /// Whose hours and weekdays the traffic follows.
    pub time_zone: Zone,
    /// What may open incidents.
    pub controls: Controls,
}

impl Default for Choices {
    fn default() -> Self {
        let Settings { budget_per_day, min_history, quiet_after, accept_after, detectors, time_zone, controls, .. } =
            Settings::new(1000);
        Self { budget_per_day, min_history, quiet_after, accept_after, detectors, time_zone, controls }
    }
}

impl Choices {
    /// Whether the same windows teach the same under both. What else is chosen decides only what becomes of scores.
    #[must_use]
    pub fn learn_as(&self, other: &Self) -> bool {
        self.detectors == other.detectors && self.time_zone == other.time_zone
    }

    /// Whether controls let incidents open in this span of time, ms since the epoch.
    #[must_use]
    pub fn may_open(&self, start_ms: u64, end_ms: u64) -> bool {
        let (controls, zone) = (&self.controls, &self.time_zone);
        controls.is_scheduled(start_ms, end_ms, zone) && !controls.excludes(start_ms, end_ms, zone)
    }

    /// The pipeline's settings for windows of this length.
    #[must_use]
    pub fn settings(&self, window_ms: u64) -> Settings {
        Settings {
            budget_per_day: self.budget_per_day,
            min_history: self.min_history,
            quiet_after: self.quiet_after,
            accept_after: self.accept_after,
            detectors: self.detectors.clone(),
            time_zone: self.time_zone.clone(),
            controls: self.controls.clone(),
            ..Settings::new(window_ms)
        }
    }
}

/// A choice by name, and how its text changes the choices; else what is allowed.
type Choice = (&'static str, fn(&mut Choices, &str) -> Result<(), String>);

const CHOICES: [Choice; 8] = [
    ("budget", |choices, text| {
        choices.budget_per_day = budget(text)?;
        Ok(())
    }),
    ("min_history", |choices, text| {
        choices.min_history = whole(text, 20, 100_000)?;
        Ok(())
    }),
    ("quiet_after", |choices, text| {
        choices.quiet_after = whole(text, 1, 10_000)?;
        Ok(())
    }),
    ("accept_after", |choices, text| {
        choices.accept_after = whole(text, 60, 1_000_000)?;
        Ok(())
    }),
    ("detectors", |choices, text| {
        choices.detectors = text.parse().map_err(allowed)?;
        Ok(())
    }),
    ("time_zone", |choices, text| {
        choices.time_zone = text.parse().map_err(allowed)?;
        Ok(())
    }),
    ("schedule", |choices, text| {
        choices.controls.schedule = text.parse().map_err(allowed)?;
        Ok(())
    }),
    ("exclude", |choices, text| {
        choices.controls.excluded = text.parse().map_err(allowed)?;
        Ok(())
    }),
];

/// A choice for a feature by its name before the colon, as in `direction:latency_ms:p99`.
type OfFeature = (&'static str, fn(&mut Limits, &str) -> Result<(), Error>);

const OF_FEATURES: [OfFeature; 4] = [
    ("direction", |limits, text| {
        limits.direction = Some(text.parse()?);
        Ok(())
    }),
    ("min_absolute", |limits, text| {
        limits.min_absolute = Some(deviation(text)?);
        Ok(())
    }),
    ("min_relative", |limits, text| {
        limits.min_relative = Some(deviation(text)?);
        Ok(())
    }),
    ("expect", |limits, text| {
        limits.expect = Some(text.parse()?);
        Ok(())
    }),
];

fn allowed(error: Error) -> String {
    match error {
        Error::Setting { allowed, .. } => allowed.to_owned(),
        other => other.to_string(),
    }
}

impl Choices {
    /// The names of all choices for a monitor as a whole.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHOICES.iter().map(|(name, _)| *name)
    }

    /// The names of all choices for a feature, before the colon and the feature.
    pub fn names_of_features() -> impl Iterator<Item = &'static str> {
        OF_FEATURES.iter().map(|(name, _)| *name)
    }

    /// Sets the choice `name` to what `text` says; none where no choice has this name. A choice for a feature is called
    /// `direction:latency_ms:p99`, one for all of them `direction:*`.
    ///
    /// # Errors
    /// What is allowed. Nothing is changed then.
    pub fn set(&mut self, name: &str, text: &str) -> Option<Result<(), String>> {
        let text = text.trim();
        if let Some((_, set)) = CHOICES.iter().find(|(known, _)| *known == name) {
            return Some(set(self, text));
        }
        let (name, feature) = name.split_once(':')?;
        let (_, set) = OF_FEATURES.iter().find(|(known, _)| *known == name)?;
        let read = set(&mut Limits::default(), text);
        let set = read.and_then(|()| self.controls.limit(feature, |limits| set(limits, text).unwrap_or_default()));
        Some(set.map_err(allowed))
    }
}

/// A false-alarm budget a day.
///
/// # Errors
/// What is allowed.
pub fn budget(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|budget| *budget > 0.0 && *budget <= 10_000.0).ok_or("a number above 0 and at most 10000")
}

fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_chosen_by_name() {
        let mut choices = Choices::default();
        for (name, text) in [
            ("schedule", "mon-fri 08:00-18:00"),
            ("exclude", "2026-12-24T00:00/2026-12-26T24:00"),
            ("direction:latency_ms:p99", " up "),
            ("expect:latency_ms:p99", "..800"),
            ("min_absolute:*", "5"),
            ("min_relative:peer*latency_ms", "0.2"),
        ] {
            assert_eq!(choices.set(name, text), Some(Ok(())), "{name}");
        }
        let limits = &choices.controls.limits;
        assert_eq!(limits.keys().collect::<Vec<_>>(), ["*", "latency_ms:p99", "peer*latency_ms"]);
        assert_eq!(limits["latency_ms:p99"].expect.unwrap().to_string(), "..800");
        assert_eq!(choices.controls.schedule.to_string(), "mon-fri 08:00-18:00");
        assert!(choices.learn_as(&Choices::default()));
    }

    #[test]
    fn what_cannot_be_read_changes_nothing_and_says_what_is_allowed() {
        let mut choices = Choices::default();
        let mut refused = |name, text| choices.set(name, text).unwrap().unwrap_err();
        assert_eq!(refused("direction:count", "upwards"), "up, down or both");
        assert!(refused("expect:count", "5").contains("0.7..0.95"));
        assert!(refused("min_relative:count", "20%").contains("0.2 for 20 %"));
        assert!(refused("schedule", "9 to 5").starts_with("days and hours, such as mon-fri"));
        assert!(refused("exclude", "christmas").starts_with("periods, such as 2026-12-24"));
        assert!(refused("direction:", "up").contains("1 to 1024 bytes"));
        assert_eq!((choices.set("directions:count", "up"), choices.set("direction", "up")), (None, None));
        assert_eq!(choices, Choices::default());
    }
}
