//! What an operator allows and forbids to open incidents. Scores are what they are; controls decide what becomes of them.
//!
//! [`calendar`]: when; [`limits`]: how much of which feature; [`feedback`]: what people said of incidents like this one;
//! [`gate`]: from what is forbidden to whether a window opens anything.

pub mod calendar;
pub mod feedback;
pub mod limits;

pub(crate) mod gate;

use crate::Error;
use crate::incidents::verdict::{Cause, Direction, Kind, Resolution};
use crate::layout::{Block, Layout};
use crate::zone::Zone;
use calendar::{Calendar, Schedule};
use feedback::{Answer, Feedback};
use limits::{Limits, Sides};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most limits of a monitor, counted one by one.
pub const MAX_LIMITS: usize = 256;
/// Longest name of a feature that a limit may have, in bytes.
pub const MAX_FEATURE: usize = 1024;
/// The name that stands for every feature.
pub const EVERY: &str = "*";

/// The controls of one monitor. By default everything is allowed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// When incidents may open.
    pub schedule: Schedule,
    /// When nothing is judged or learnt.
    pub excluded: Calendar,
    /// By feature (numeric feature or block) or [`EVERY`].
    pub limits: BTreeMap<String, Limits>,
    /// What people said, oldest first.
    pub feedback: Vec<Feedback>,
}

/// Why a window opened nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// What is unusual moved the way that isn't asked about.
    Direction,
    /// It moved less than is asked about.
    Deviation,
    /// The schedule says that nobody is to be told now.
    Schedule,
    /// Somebody called incidents like this one normal, or doesn't want to hear of them for now.
    Feedback,
}

impl Held {
    /// The word that stands in scores and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Deviation => "deviation",
            Self::Schedule => "schedule",
            Self::Feedback => "feedback",
        }
    }
}

impl Controls {
    /// Changes the limits of a feature.
    ///
    /// # Errors
    /// No name of a feature, or too many limits. Nothing is changed then.
    pub fn limit(&mut self, feature: &str, change: impl FnOnce(&mut Limits)) -> Result<(), Error> {
        let allowed = |holds, allowed| if holds { Ok(()) } else { Err(Error::Setting { name: "feature", allowed }) };
        allowed((1..=MAX_FEATURE).contains(&feature.len()), "named in 1 to 1024 bytes, or * for all")?;
        let before = self.limits.get(feature).copied().unwrap_or_default();
        let mut limits = before;
        change(&mut limits);
        allowed(
            self.count() - before.count() + limits.count() <= MAX_LIMITS,
            "in one of at most 256 limits a monitor",
        )?;
        self.limits.insert(feature.to_owned(), limits);
        Ok(())
    }

    fn count(&self) -> usize {
        self.limits.values().map(Limits::count).sum()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let named = self.limits.keys().all(|feature| (1..=MAX_FEATURE).contains(&feature.len()));
        let sound = named
            && self.count() <= MAX_LIMITS
            && self.limits.values().all(Limits::is_sound)
            && self.schedule.is_sound()
            && self.excluded.is_sound()
            && self.feedback.len() <= feedback::MAX
            && self.feedback.iter().all(Feedback::is_sound);
        if sound {
            Ok(())
        } else {
            Err(Error::Setting { name: "controls", allowed: "what a monitor's settings can say" })
        }
    }

    /// Whether the window from `start_ms` to `end_ms` touches an excluded period.
    #[must_use]
    pub fn excludes(&self, start_ms: u64, end_ms: u64, zone: &Zone) -> bool {
        self.excluded.touches(start_ms, end_ms, zone)
    }

    /// Whether incidents may open in the window from `start_ms` to `end_ms`: its middle decides.
    #[must_use]
    pub fn is_scheduled(&self, start_ms: u64, end_ms: u64, zone: &Zone) -> bool {
        self.schedule.has(start_ms + end_ms.saturating_sub(start_ms) / 2, zone)
    }

    /// What is said for features that the layout doesn't have, and for ranges of what isn't a single number. They have no
    /// effect.
    #[must_use]
    pub fn misplaced(&self, layout: &Layout) -> Vec<String> {
        let wrong = self.limits.iter().filter(|(feature, _)| *feature != EVERY).filter_map(|(feature, limits)| {
            let names = |block: &Block| match block {
                Block::Numeric { names } => names.iter().any(|name| name == feature),
                Block::Counts { name, .. } | Block::Histogram { name, .. } => name == feature,
            };
            match layout.blocks.iter().find(|block| names(block)) {
                None => Some(format!("the monitor has no feature '{feature}'")),
                Some(Block::Numeric { .. }) => None,
                Some(_) => limits.expect.map(|_| {
                    format!("expect:{feature}: '{feature}' counts many items; a range needs one number, such as count")
                }),
            }
        });
        wrong.collect()
    }

    /// Whether a limit or somebody's word may stand against a single cause.
    pub(crate) fn judge_causes(&self) -> bool {
        !self.feedback.is_empty() || self.limits.values().any(Limits::holds_back)
    }

    /// Numbers outside their allowed range, but for those that somebody called normal.
    pub(crate) fn broken(&self, layout: &Layout, values: &[f32], end_ms: u64) -> Broken {
        let mut broken = Broken::default();
        if self.limits.values().all(|limits| limits.expect.is_none()) {
            return broken;
        }
        let mut place = 0;
        for block in &layout.blocks {
            if let Block::Numeric { names } = block {
                for (name, value) in names.iter().zip(&values[place..]) {
                    let range = self.chosen(name, |limits| limits.expect);
                    let Some(cause) = range.and_then(|range| range.broken(name, f64::from(*value))) else { continue };
                    match self.objection(&cause, block, Some(cause.direction), end_ms) {
                        None => broken.causes.push(cause),
                        Some(_) => broken.forgiven = true,
                    }
                }
            }
            place += block.len();
        }
        let share = 1.0 / broken.causes.len().max(1) as f64;
        broken.causes.iter_mut().for_each(|cause| cause.share = share);
        broken
    }

    /// What stands against a cause of this block that moved this way.
    pub(crate) fn objection(
        &self,
        cause: &Cause,
        block: &Block,
        moved: Option<Direction>,
        end_ms: u64,
    ) -> Option<Held> {
        if cause.kind != Kind::OutOfRange {
            let feature = &cause.feature;
            let sides = self.chosen(feature, |limits| limits.direction).unwrap_or(Sides::Both);
            if moved.is_some_and(|moved| !sides.has(moved)) {
                return Some(Held::Direction);
            }
            let deviation = (cause.observed - cause.expected).abs();
            let least = self.chosen(feature, |limits| limits.min_absolute).unwrap_or(0.0);
            let part = self.chosen(feature, |limits| limits.min_relative).unwrap_or(0.0);
            if deviation < least || deviation < part * cause.expected.abs() {
                return Some(Held::Deviation);
            }
        }
        self.is_forgiven(cause, block, end_ms).then_some(Held::Feedback)
    }

    /// Whether people don't want to hear of the like of this cause of a block. The last word counts.
    pub(crate) fn is_forgiven(&self, cause: &Cause, block: &Block, end_ms: u64) -> bool {
        let mut alike = self.said(end_ms).filter(|said| said.is_about(cause, block));
        alike.next().is_some_and(|said| said.answer != Answer::Anomaly)
    }

    /// The same of a cause that is no feature's, at this time, ms since the epoch.
    #[must_use]
    pub fn is_called_normal(&self, cause: &Cause, now_ms: u64) -> bool {
        self.is_forgiven(cause, &Block::Numeric { names: Vec::new() }, now_ms)
    }

    /// What is in force, newest first.
    fn said(&self, end_ms: u64) -> impl Iterator<Item = &Feedback> {
        self.feedback.iter().rev().filter(move |said| said.is_in_force(end_ms))
    }

    /// The last word on the incident that opened with this window.
    pub(crate) fn said_of(&self, opened_end_ms: u64, end_ms: u64) -> Option<&Feedback> {
        self.said(end_ms).find(|said| said.opened_end_ms == opened_end_ms)
    }

    /// Why the incident that opened with this window is over, if that is what people say of it.
    #[must_use]
    pub fn resolved_by(&self, opened_end_ms: u64, end_ms: u64) -> Option<Resolution> {
        let said = self.said_of(opened_end_ms, end_ms)?;
        match said.answer {
            Answer::Normal => Some(Resolution::Normal { by: said.by.clone() }),
            Answer::Snoozed { .. } => Some(Resolution::Snoozed { by: said.by.clone() }),
            Answer::Anomaly => None,
        }
    }

    fn chosen<T>(&self, feature: &str, of: impl Fn(&Limits) -> Option<T>) -> Option<T> {
        [feature, EVERY].into_iter().find_map(|name| self.limits.get(name).and_then(&of))
    }
}

/// What broke an allowed range.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    /// A cause for each number, of equal shares.
    pub causes: Vec<Cause>,
    /// Whether somebody called one of them normal.
    pub forgiven: bool,
}
