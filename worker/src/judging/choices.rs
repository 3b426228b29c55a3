//! What was chosen for a monitor, from wherever: flags, the settings file, `{monitor}:settings`. Every choice has a name and
//! can be read from text.

use eddyline_detect::{Detectors, Settings, Zone};
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
}

impl Default for Choices {
    fn default() -> Self {
        let Settings { budget_per_day, min_history, quiet_after, accept_after, detectors, time_zone, .. } =
            Settings::new(1000);
        Self { budget_per_day, min_history, quiet_after, accept_after, detectors, time_zone }
    }
}

impl Choices {
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
            ..Settings::new(window_ms)
        }
    }
}

/// A choice by name, and how its text changes the choices; else what is allowed.
type Choice = (&'static str, fn(&mut Choices, &str) -> Result<(), String>);

const CHOICES: [Choice; 6] = [
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
        choices.detectors = text.parse().map_err(|error: eddyline_detect::Error| error.to_string())?;
        Ok(())
    }),
    ("time_zone", |choices, text| {
        choices.time_zone = text.parse().map_err(|error: eddyline_detect::Error| error.to_string())?;
        Ok(())
    }),
];

impl Choices {
    /// The names of all choices.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHOICES.iter().map(|(name, _)| *name)
    }

    /// Sets the choice `name` to what `text` says; none where no choice has this name.
    ///
    /// # Errors
    /// What is allowed. Nothing is changed then.
    pub fn set(&mut self, name: &str, text: &str) -> Option<Result<(), String>> {
        CHOICES.iter().find(|(known, _)| *known == name).map(|(_, set)| set(self, text.trim()))
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
