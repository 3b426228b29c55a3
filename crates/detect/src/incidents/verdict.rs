//! What comes out for one window.

use crate::controls::Held;
use std::fmt;

/// The judgement of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether the baseline knows enough to alert.
    pub state: State,
    /// Estimated chance that an ordinary recent window scores at least this high, in [1e-12, 1]; 1 while warming.
    pub p: f64,
    /// 0 ordinary, 0.5 the alert boundary, 1 as rare as can be told; 0 while warming.
    pub score: f64,
    /// The band of the score; none below 0.5.
    pub severity: Option<Severity>,
    /// Largest contributions first, at most five; empty below 0.5.
    pub causes: Vec<Cause>,
    /// What this window did to the incident, if anything.
    pub change: Option<Change>,
    /// End of the first window of the incident this window belongs to (its identity), ms since the epoch.
    pub incident: Option<u64>,
    /// The control that kept this window, unusual as it is, from being part of an incident.
    pub held: Option<Held>,
}

/// Whether the baseline knows enough to alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not yet: windows seen of windows needed.
    Warming {
        /// Windows seen, this one included.
        seen: u32,
        /// Windows needed.
        needed: u32,
    },
    /// Yes.
    Ready,
    /// It lies in an excluded period: it was neither judged nor learnt.
    Excluded,
}

/// A band of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Severity {
    /// Score from 0.5.
    Warning,
    /// Score from 0.75.
    Critical,
}

impl Severity {
    /// The band of a score; none below the alert boundary.
    #[must_use]
    pub fn of(score: f64) -> Option<Self> {
        match score {
            s if s >= 0.75 => Some(Self::Critical),
            s if s >= 0.5 => Some(Self::Warning),
            _ => None,
        }
    }
}

/// Which way a feature left its band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Direction {
    /// More than expected.
    Up,
    /// Less than expected.
    Down,
}

/// What kind of thing went wrong, as far as the feature tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// Calls are slower.
    Latency,
    /// Calls are faster than they should be: often failing early.
    Faster,
    /// More failed observations.
    Errors,
    /// An item that was common is gone.
    Vanished,
    /// Items never seen before.
    NewItem,
    /// More traffic in all.
    TrafficUp,
    /// Less traffic in all.
    TrafficDown,
    /// An item's share of the traffic changed.
    Share,
    /// No traffic at all.
    Silence,
    /// A number that always moved stands still.
    FlatLine,
    /// A number that was always there has no value.
    Missing,
    /// Another feature left its band.
    Feature,
    /// A number left the range that it is allowed.
    OutOfRange,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latency => "latency",
            Self::Faster => "faster than usual",
            Self::Errors => "error burst",
            Self::Vanished => "vanished",
            Self::NewItem => "new item",
            Self::TrafficUp => "traffic rise",
            Self::TrafficDown => "traffic drop",
            Self::Share => "shift",
            Self::Silence => "silence",
            Self::FlatLine => "flat line",
            Self::Missing => "missing",
            Self::Feature => "feature",
            Self::OutOfRange => "out of range",
        })
    }
}

/// One reason for the score.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cause {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The block or feature, as the layout names it.
    pub feature: String,
    /// The feature in words, with its item where that is known: `pay: latency_ms 256–1024`.
    pub what: String,
    /// Which way it left its band.
    pub direction: Direction,
    /// What was expected, in the feature's unit (observations for counts).
    pub expected: f64,
    /// Lower end of what is ordinary.
    pub low: f64,
    /// Upper end of what is ordinary.
    pub high: f64,
    /// What was observed.
    pub observed: f64,
    /// Windows that `observed` and `expected` are summed over: more than one where traffic is thin.
    pub windows: u32,
    /// Share of the score, 0 to 1.
    pub share: f64,
    /// Items behind it, largest first.
    pub items: Vec<CauseItem>,
}

/// An item behind a cause.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CauseItem {
    /// The item.
    pub item: String,
    /// Its observations in the window.
    pub count: u64,
}

/// What a window did to an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It began with this window.
    Opened(Incident),
    /// A new peak or a new cause.
    Updated(Incident),
    /// It is over.
    Resolved(Incident, Resolution),
}

/// Why an incident ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Quiet for long enough.
    Quiet,
    /// It lasted so long that it is the new normal.
    Accepted,
    /// Somebody said that it is normal.
    Normal {
        /// Who.
        by: String,
    },
    /// Somebody doesn't want to hear of it for now.
    Snoozed {
        /// Who.
        by: String,
    },
    /// A period began in which nothing is judged.
    Excluded,
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quiet => f.write_str("back to normal"),
            Self::Accepted => f.write_str("accepted as the new normal"),
            Self::Normal { by } => write!(f, "marked as normal by {by}"),
            Self::Snoozed { by } => write!(f, "snoozed by {by}"),
            Self::Excluded => f.write_str("an excluded period began"),
        }
    }
}

/// An anomalous stretch, as far as it has come.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Incident {
    /// End of its first window, ms since the epoch: its identity within a monitor.
    pub opened_end_ms: u64,
    /// End of the last window that belongs to it (this one), ms since the epoch.
    pub last_end_ms: u64,
    /// Windows from the first to the last.
    pub windows: u32,
    /// Highest score so far.
    pub score: f64,
    /// `p` of that window.
    pub p: f64,
    /// Severity of that window.
    pub severity: Severity,
    /// How rare that window is, in words: `about once in 33 hours`.
    pub rarity: String,
    /// One sentence for a person.
    pub summary: String,
    /// Causes of that window, largest share first, at most five; what was told since as a new cause stands before them.
    pub causes: Vec<Cause>,
}
