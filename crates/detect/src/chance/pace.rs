//! How fast numbers tell: event by event, or over some windows.

use crate::chance::calibration::{Calibration, Nature};
use crate::chance::lasting::Lasting;
use crate::choice::Detector;
use crate::layout::{Block, Layout};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};

/// How fast the numbers of a monitor tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Numbers beside counts of the same events: what is broken shows at once in either, and is gone as fast.
    Events,
    /// Numbers alone, as servers report them: their incidents come in jolts with calm between, which only a memory of
    /// some windows ties together.
    Vectors,
}

impl Pace {
    /// Detectors that were chosen by name judge window by window, too, if it isn't the ensemble alone; and so does what
    /// judges one number, which tells an event once.
    pub(crate) fn of(layout: &Layout, settings: &Settings) -> Self {
        let numbers = layout.blocks.iter().all(|block| matches!(block, Block::Numeric { .. }));
        match settings.detectors.chosen() {
            [] if layout.len() == 1 => Self::Events,
            [] | [Detector::Ensemble] if numbers => Self::Vectors,
            _ => Self::Events,
        }
    }

    /// Least weight with which a window is learned, however unusual, and every one inside an incident: enough to follow
    /// slow change, too little to get used to what is wrong. Servers have no other way back to normal than to be learned:
    /// there an incident's window counts a fifth.
    pub(crate) fn least_weight(self) -> f32 {
        match self {
            Self::Events => 0.02,
            Self::Vectors => 0.2,
        }
    }

    /// Windows whose steps add up. Of vectors, fewer than ten lose sight of an incident between two jolts, more keep it open
    /// after its end.
    pub(crate) fn changes(self) -> usize {
        match self {
            Self::Events => 6,
            Self::Vectors => 10,
        }
    }

    /// Windows whose errors of forecasts add up.
    pub(crate) fn surprises(self) -> usize {
        match self {
            Self::Events => 1,
            Self::Vectors => 10,
        }
    }

    /// Windows beyond the alert boundary that one ordinary jolt makes.
    pub(crate) fn jolt(self) -> usize {
        match self {
            Self::Events => 1,
            Self::Vectors => 10,
        }
    }
}

/// The past scores of a part, by their pace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Past {
    /// Of one window each.
    Each(Calibration),
    /// Of scores that remember windows.
    Lasting(Lasting),
}

impl Past {
    pub(crate) fn new(pace: Pace, nature: Nature) -> Self {
        match pace {
            Pace::Events => Self::Each(Calibration::new(nature)),
            Pace::Vectors => Self::Lasting(Lasting::new()),
        }
    }

    /// The chance that an ordinary window scores at least this high.
    pub(crate) fn p(&self, score: f64) -> f64 {
        match self {
            Self::Each(past) => past.p(score),
            Self::Lasting(past) => past.p(score),
        }
    }

    /// Takes a window in, learned with `weight`, that `counts` as ordinary in full (1), in part or not at all (0).
    pub(crate) fn add(&mut self, score: f64, counts: f32, weight: f32) {
        match self {
            Self::Each(past) => past.add(score, counts, weight),
            Self::Lasting(past) => past.add(score),
        }
    }

    /// Weight that a model of counts learns the window added last with, at most.
    pub(crate) fn trust(&self) -> f32 {
        match self {
            Self::Each(past) => past.trust(),
            Self::Lasting(_) => 1.0,
        }
    }

    /// Reads the quantiles off anew, with `keep` of the past where it fades.
    pub(crate) fn renew(&mut self, keep: f64) {
        match self {
            Self::Each(past) => past.renew(keep),
            Self::Lasting(past) => past.renew(),
        }
    }

    pub(crate) fn is_consistent(&self, made: &Self) -> bool {
        match (self, made) {
            (Self::Each(past), Self::Each(made)) => past.is_consistent(made),
            (Self::Lasting(past), Self::Lasting(_)) => past.is_consistent(),
            _ => false,
        }
    }
}
