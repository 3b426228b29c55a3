//! The entry in `{monitor}:scores`: one a fingerprint, under the fingerprint's id.

use std::fmt;

/// What a window was worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// 0 ordinary, 0.5 the alert boundary, 1 as rare as can be told.
    pub score: f64,
    /// Estimated chance that an ordinary recent window scores at least this high, in [1e-12, 1].
    pub p: f64,
    /// Whether the baseline knows enough to alert.
    pub state: State,
    /// Incident this window belongs to.
    pub incident: Option<String>,
    /// The control that kept the window from being part of an incident: `direction`, `deviation`, `schedule`, `feedback`.
    pub held: Option<String>,
    /// Windows right before this one that were trimmed from their stream before they were read.
    pub missed: u64,
}

/// Whether the baseline knows enough to alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not yet: windows seen of windows needed.
    Warming {
        /// Windows seen.
        seen: u32,
        /// Windows needed.
        needed: u32,
    },
    /// Yes.
    Ready,
    /// The fingerprint couldn't be read; it was left out of the baseline.
    Unreadable,
    /// Only a part of the window was observed; it was left out of the baseline.
    Partial,
    /// It lies in a period that was excluded; it was left out of the baseline.
    Excluded,
}

/// As it stands in the stream.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warming { seen, needed } => write!(f, "warming {seen}/{needed}"),
            Self::Ready => f.write_str("ready"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Partial => f.write_str("partial"),
            Self::Excluded => f.write_str("excluded"),
        }
    }
}

impl Score {
    /// The score of a fingerprint that wasn't judged.
    #[must_use]
    pub fn not_judged(state: State) -> Self {
        Self { score: 0.0, p: 1.0, state, incident: None, held: None, missed: 0 }
    }

    /// Field–value pairs as they stand in the stream. Numbers print so that they read back to the same bits.
    #[must_use]
    pub fn to_fields(&self) -> Vec<(&'static str, String)> {
        let mut fields =
            vec![("score", self.score.to_string()), ("p", format!("{:e}", self.p)), ("state", self.state.to_string())];
        if let Some(incident) = &self.incident {
            fields.push(("incident", incident.clone()));
        }
        if let Some(held) = &self.held {
            fields.push(("held", held.clone()));
        }
        if self.missed > 0 {
            fields.push(("missed", self.missed.to_string()));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_its_golden_fields() {
        let incident = Some("9f".to_owned());
        let score = Score { score: 0.625, p: 1.2e-7, state: State::Ready, incident, held: None, missed: 0 };
        let fields: Vec<String> = score.to_fields().iter().map(|(field, value)| format!("{field}={value}")).collect();
        assert_eq!(fields, ["score=0.625", "p=1.2e-7", "state=ready", "incident=9f"]);
        let held = Score { incident: None, held: Some("schedule".to_owned()), ..score.clone() };
        assert_eq!(held.to_fields()[3], ("held", "schedule".to_owned()));
        let missed = Score { incident: None, missed: 7, ..score.clone() };
        assert_eq!(missed.to_fields()[3], ("missed", "7".to_owned()));
        let warming = Score { state: State::Warming { seen: 3, needed: 60 }, incident: None, ..score };
        assert_eq!(warming.to_fields()[2], ("state", "warming 3/60".to_owned()));
    }
}
