//! Numbers that always moved and now stand still, and numbers that were always there and now are missing.
//!
//! A sensor that sticks repeats its last value to the bit; one that is gone gives none. Models take the first for the most
//! ordinary value there is, and the second as expected.

use crate::absence::runs::Runs;
use serde::{Deserialize, Serialize};

/// Windows that must be known of a feature.
const KNOWN: u32 = 60;
/// Largest share of windows in which a feature may repeat its value, or be missing, and still be one that never does.
const NEVER: f64 = 0.01;
/// Least repetitions in a row, and least windows in a row without a value.
const STILL: u32 = 5;
const MISSING: u32 = 3;
/// The past counts half after so many windows.
const HORIZON: u32 = 20_000;

/// What a feature does that it never did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It doesn't move.
    Movement,
    /// It has no value.
    Value,
}

/// A feature that stands still or is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stopped {
    /// Its place among the features taken in.
    pub feature: usize,
    pub what: Absent,
    /// Windows for which it has been so.
    pub lasts: u32,
    /// The chance that an ordinary window is as late in such a run, of any feature.
    pub p: f64,
    /// The last value there was.
    pub at: f64,
}

/// How long each of some features stands still, and is missing, when it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Still {
    features: Vec<Feature>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Feature {
    /// Last value there was; none before the first.
    last: Option<f32>,
    repeats: Runs,
    gaps: Runs,
}

impl Feature {
    fn take_in(&mut self, value: f32) {
        if !value.is_finite() {
            if self.last.is_some() {
                self.gaps.goes_on();
            }
            return;
        }
        self.gaps.ends(HORIZON);
        match self.last.replace(value) {
            Some(last) if last.to_bits() == value.to_bits() => self.repeats.goes_on(),
            _ => self.repeats.ends(HORIZON),
        }
    }

    /// What it does that it never did, for how long, and the chance of that.
    fn stopped(&self) -> Option<(Absent, u32, f64)> {
        let never = |runs: &Runs, least| {
            (runs.run() >= least && runs.windows() >= KNOWN && runs.share() <= NEVER).then(|| runs.p(0.0))
        };
        let missing = never(&self.gaps, MISSING).map(|p| (Absent::Value, self.gaps.run(), p));
        let still = || never(&self.repeats, STILL).map(|p| (Absent::Movement, self.repeats.run(), p));
        missing.or_else(|| still().filter(|_| self.gaps.run() == 0)).filter(|(_, _, p)| *p < 1.0)
    }
}

impl Still {
    pub(crate) fn new(features: usize) -> Self {
        Self { features: vec![Feature::default(); features] }
    }

    /// Takes a window's values in, NaN = missing.
    pub(crate) fn take_in(&mut self, values: impl Iterator<Item = f32>) {
        self.features.iter_mut().zip(values).for_each(|(feature, value)| feature.take_in(value));
    }

    /// The features that do what they never did, rarest first.
    pub(crate) fn stopped(&self) -> Vec<Stopped> {
        let among = self.features.len() as f64;
        let of = |(place, feature): (usize, &Feature)| {
            let (what, lasts, p) = feature.stopped()?;
            // By way of the shortest text: 0.1 as f32 isn't 0.10000000149 to anyone.
            let at = feature.last.and_then(|last| last.to_string().parse().ok()).unwrap_or_default();
            Some(Stopped { feature: place, what, lasts, p: (p * among).min(1.0), at })
        };
        let mut stopped: Vec<Stopped> = self.features.iter().enumerate().filter_map(of).collect();
        stopped.sort_by(|a, b| a.p.total_cmp(&b.p));
        stopped
    }

    /// People hear of what is rarer than this.
    pub(crate) fn tell(&mut self, p: f64) {
        let among = self.features.len() as f64;
        for feature in &mut self.features {
            if let Some((what, _, _)) = feature.stopped().filter(|(_, _, chance)| chance * among <= p) {
                match what {
                    Absent::Movement => feature.repeats.tell(),
                    Absent::Value => feature.gaps.tell(),
                }
            }
        }
    }

    /// What stands still or is missing now is the new normal.
    pub(crate) fn accept(&mut self) {
        for feature in &mut self.features {
            feature.repeats.accept();
            feature.gaps.accept();
        }
    }

    pub(crate) fn is_consistent(&self, features: usize) -> bool {
        let sound = |feature: &Feature| {
            feature.last.is_none_or(f32::is_finite) && feature.repeats.is_consistent() && feature.gaps.is_consistent()
        };
        self.features.len() == features && self.features.iter().all(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: f64 = 1e-3;

    /// Numbers like any, never twice the same, but the last of every hundred.
    fn moving(window: u32) -> f32 {
        if window % 1_000 == 999 { moving(window - 1) } else { (window as f32 * 0.7).sin() }
    }

    fn settled() -> Still {
        let mut still = Still::new(3);
        (0..2_000).for_each(|window| still.take_in([moving(window), 5.0, (window / 20) as f32].into_iter()));
        still
    }

    /// Windows until the first feature is told, when the three are so.
    fn until_told(still: &mut Still, values: [f32; 3]) -> Option<(u32, usize, Absent)> {
        (1..=100).find_map(|window| {
            still.take_in(values.into_iter());
            let stopped = still.stopped();
            let told = stopped.first().filter(|stopped| stopped.p <= P)?;
            Some((window, told.feature, told.what))
        })
    }

    #[test]
    fn a_number_that_always_moved_is_told_when_it_stands_still_and_one_that_often_stood_never() {
        let mut still = settled();
        assert_eq!(until_told(&mut still, [0.25, 5.0, 7.0]), Some((6, 0, Absent::Movement)));
        assert_eq!((still.stopped().len(), still.stopped()[0].at), (1, 0.25));
    }

    #[test]
    fn a_number_that_was_always_there_is_told_when_it_is_missing() {
        assert_eq!(until_told(&mut settled(), [f32::NAN; 3]), Some((3, 0, Absent::Value)));
        let mut still = settled();
        still.take_in([f32::NAN; 3].into_iter());
        still.take_in([f32::NAN; 3].into_iter());
        still.take_in([f32::INFINITY; 3].into_iter());
        assert_eq!(still.stopped().len(), 3);
    }

    #[test]
    fn the_tenth_time_is_told_as_fast_as_the_first() {
        let mut still = settled();
        let mut told = Vec::new();
        for time in 0..10 {
            told.push(until_told(&mut still, [0.5, 5.0, 7.0]).unwrap().0);
            still.tell(P);
            (0..50).for_each(|_| still.take_in([0.5, 5.0, 7.0].into_iter()));
            (0..200).for_each(|window| still.take_in([moving(time * 200 + window), 5.0, 7.0].into_iter()));
        }
        assert!(told.iter().all(|windows| *windows <= told[0]), "{told:?}");
    }

    #[test]
    fn what_was_accepted_is_not_told_again_while_it_lasts() {
        let mut still = settled();
        until_told(&mut still, [0.5, 5.0, 7.0]);
        still.tell(P);
        still.accept();
        assert_eq!(until_told(&mut still, [0.5, 5.0, 7.0]), None);
    }
}
