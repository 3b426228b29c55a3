//! Which detectors score numbers, by the names that users write.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A detector of numeric blocks. Counts and histograms are scored by their own model, whatever is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// Level, forecast and change joined into one score.
    Ensemble,
    /// Unusual levels, and unusual combinations of them.
    Level,
    /// Values that don't follow from the windows before.
    Forecast,
    /// More, or larger, changes than usual.
    Change,
    /// States of the whole that were never seen.
    Regimes,
    /// Every feature's recent movements against two clusters of its own.
    Cluster,
    /// States of the whole that are unlikely, by a mixture of Gaussians.
    Mixture,
    /// Every feature by itself against its long-run mean.
    ZScore,
    /// Every feature by itself against the mean of the last windows.
    MovingAverage,
    /// Every feature by itself against a slowly moving level.
    Ewma,
}

impl Detector {
    /// All of them, in the order in which they are listed to users.
    pub const ALL: [Self; 10] = [
        Self::Ensemble,
        Self::Level,
        Self::Forecast,
        Self::Change,
        Self::Regimes,
        Self::Cluster,
        Self::Mixture,
        Self::ZScore,
        Self::MovingAverage,
        Self::Ewma,
    ];

    /// The name that users write.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ensemble => "ensemble",
            Self::Level => "level",
            Self::Forecast => "forecast",
            Self::Change => "change",
            Self::Regimes => "regimes",
            Self::Cluster => "cluster",
            Self::Mixture => "mixture",
            Self::ZScore => "zscore",
            Self::MovingAverage => "moving-average",
            Self::Ewma => "ewma",
        }
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Detector {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let called = |detector: &Self| detector.name() == name;
        Self::ALL.into_iter().find(called).ok_or_else(|| Error::NoSuchDetector(name.to_owned()))
    }
}

/// What is chosen for a monitor: some detectors, each at most once, or none, which leaves the choice to the pipeline.
///
/// As text, and in a checkpoint: names separated by commas, or `auto`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Detectors(Vec<Detector>);

const AUTO: &str = "auto";

impl Detectors {
    /// Those chosen, in the order given; empty where the pipeline chooses.
    #[must_use]
    pub fn chosen(&self) -> &[Detector] {
        &self.0
    }

    /// All names, for people.
    pub(crate) fn names() -> String {
        Detector::ALL.map(Detector::name).join(", ")
    }
}

impl fmt::Display for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|detector| detector.name()).collect();
        f.write_str(if names.is_empty() { AUTO.to_owned() } else { names.join(",") }.as_str())
    }
}

impl FromStr for Detectors {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.trim() == AUTO {
            return Ok(Self::default());
        }
        let mut chosen = Vec::new();
        for name in text.split(',') {
            let detector: Detector = name.trim().parse()?;
            if chosen.contains(&detector) {
                return Err(Error::DetectorTwice(detector.name()));
            }
            chosen.push(detector);
        }
        Ok(Self(chosen))
    }
}

impl TryFrom<String> for Detectors {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Detectors> for String {
    fn from(detectors: Detectors) -> Self {
        detectors.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Detectors, String> {
        text.parse().map_err(|error: Error| error.to_string())
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for detector in Detector::ALL {
            assert_eq!(detector.to_string().parse(), Ok(detector));
        }
        assert_eq!(read(" level, change ").unwrap().to_string(), "level,change");
        assert_eq!(read("auto").unwrap(), Detectors::default());
        assert_eq!(Detectors::default().to_string(), "auto");
    }

    #[test]
    fn what_is_refused_says_what_is_allowed() {
        let unknown = read("level,magic").unwrap_err();
        assert!(unknown.contains("'magic'") && unknown.contains("auto") && unknown.contains("regimes"), "{unknown}");
        assert_eq!(read("level,change,level").unwrap_err(), "detector 'level' is named twice");
        for text in ["", "level,", "Level", "auto,level"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
