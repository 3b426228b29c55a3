//! A monitor of one number: it alone has to tell, so it is looked at from several sides.
//!
//! The value itself, its distance from what it just was and from what it has been for long, and how rough its course is:
//! what is new in any of them is news. News is told once: what isn't stranger than something in the last windows only
//! continues it.

use crate::detector::{Expectation, Share};
use crate::numbers::feature::Scale;
use crate::numbers::novelty::{MOST, Novelty};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Windows that the long view spans: of its mean, of the roughness, and of what is still news.
const SPAN: usize = 100;
/// Weight of the newest value in the mean of what it just was, and of what it has been for long.
const SHORT: f64 = 0.3;
const LONG: f64 = 1.0 / SPAN as f64;
/// Least roughness, as a share of the greatest so far.
const SMOOTHEST: f64 = 1e-6;
/// What tails suggest counts so many times less than what was counted: on made-up noise and waves, after a thousand windows,
/// one in a thousand asked is then at most two, and one in seventeen thousand mostly at most four.
const SUGGESTED: f64 = 3.0;
/// Highest surprise of a window that isn't news: −ln 0.05.
const NO_NEWS: f64 = 3.0;
/// Sides that the number is looked at from.
const VIEWS: usize = 4;
/// The view that tells by how much the number leaves what it has been for long.
const FROM_LONG: usize = 2;

/// Detector of one number with its short memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lone {
    scale: Scale,
    short: Mean,
    long: Mean,
    /// The value before this one; none after a gap.
    before: Option<f64>,
    /// Squares of the last steps, oldest first, and the greatest root mean square of them so far.
    steps: VecDeque<f32>,
    roughest: f64,
    /// What is known of each view.
    views: Vec<Novelty>,
    /// Surprises of the last windows, oldest first.
    news: VecDeque<f32>,
    /// This window: its value as it came, the value expected, its views (NaN = missing) and its surprise.
    raw: f32,
    expected: f64,
    now: Vec<f32>,
    surprise: f64,
}

/// A mean that follows slowly, at first as fast as it can.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Mean {
    value: f64,
    seen: f64,
}

impl Mean {
    fn follow(&mut self, value: f64, share: f64) {
        self.seen = (self.seen + 1.0).min(1e6);
        self.value += share.max(1.0 / self.seen) * (value - self.value);
    }

    /// The mean, or `value` where there is none yet.
    fn or(&self, value: f64) -> f64 {
        if self.seen > 0.0 { self.value } else { value }
    }

    fn is_consistent(&self) -> bool {
        self.value.is_finite() && (0.0..=1e6).contains(&self.seen)
    }
}

impl Lone {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            scale: Scale::of(name),
            short: Mean::default(),
            long: Mean::default(),
            before: None,
            steps: VecDeque::new(),
            roughest: 0.0,
            views: vec![Novelty::new(); VIEWS],
            news: VecDeque::new(),
            raw: f32::NAN,
            expected: 0.0,
            now: vec![f32::NAN; VIEWS],
            surprise: 0.0,
        }
    }

    /// Takes a window in and says how surprising it is, as −ln p; none before enough is known. `gap` says that time is
    /// missing before it, which no mean and no step crosses.
    pub(crate) fn score(&mut self, value: f32, gap: bool) -> Option<f64> {
        if gap {
            (self.short, self.long, self.before) = (Mean::default(), Mean::default(), None);
            self.steps.clear();
        }
        self.raw = value;
        self.surprise = 0.0;
        self.now.fill(f32::NAN);
        let scaled = self.scale.apply(value);
        // After a gap the window may have begun late: what grows with its length counts as missing.
        let missing = scaled.is_nan() || gap && self.scale.grows();
        if !missing {
            self.look(scaled);
        }
        let (mut most, mut sum, mut number) = (0.0, 0.0, 0.0);
        for (view, value) in self.views.iter().zip(&self.now).filter(|(_, value)| !value.is_nan()) {
            let surprise = view.surprise(*value)?;
            (most, sum, number) = (surprise.max(most), sum + surprise, number + 1.0);
        }
        // The loudest and all of them count alike: one view may be enough, several are better.
        let both = if number == 0.0 { 0.0 } else { (most + sum / number) / 2.0 };
        // So many windows can't show that anything is rarer than one in their number: beyond, a tail only suggests it.
        let shown = self.views[0].shown();
        self.surprise = if both > shown { shown + (both - shown) / SUGGESTED } else { both };
        let told = self.news.iter().any(|surprise| f64::from(*surprise) >= self.surprise);
        Some(if told { self.surprise.min(NO_NEWS) } else { self.surprise })
    }

    /// Fills the views of a value on its scale.
    fn look(&mut self, scaled: f32) {
        let value = f64::from(scaled);
        self.expected = self.long.or(value);
        self.now[0] = scaled;
        self.now[1] = (value - self.short.or(value)) as f32;
        self.now[FROM_LONG] = (value - self.expected) as f32;
        self.short.follow(value, SHORT);
        self.long.follow(value, LONG);
        if let Some(before) = self.before.replace(value) {
            if self.steps.len() == SPAN {
                self.steps.pop_front();
            }
            self.steps.push_back((value - before).powi(2) as f32);
            let sum: f64 = self.steps.iter().map(|square| f64::from(*square)).sum();
            let rough = (sum / self.steps.len() as f64).sqrt();
            self.roughest = self.roughest.max(rough);
            // By factors: a course gone flat is as new as one gone wild.
            self.now[VIEWS - 1] = (rough + SMOOTHEST * self.roughest + 1e-12).ln() as f32;
        }
    }

    /// Knows this window from now on.
    pub(crate) fn learn(&mut self) {
        for (view, value) in self.views.iter_mut().zip(&self.now).filter(|(_, value)| !value.is_nan()) {
            view.learn(*value);
        }
        if self.news.len() == SPAN {
            self.news.pop_front();
        }
        self.news.push_back(self.surprise as f32);
    }

    pub(crate) fn fit(&mut self) {
        self.views.iter_mut().for_each(Novelty::fit);
    }

    /// Why: there is but one number.
    pub(crate) fn explain(&self) -> Vec<Share> {
        vec![Share { feature: 0, share: 1.0 }]
    }

    /// What the number is against what it has been for long; none where it is missing.
    pub(crate) fn expectation(&self) -> Option<Expectation> {
        if self.now[0].is_nan() {
            return None;
        }
        let spread = 2.0 * self.views[FROM_LONG].deviation();
        let (low, high) = (self.expected - spread, self.expected + spread);
        Some(Expectation {
            // By way of the shortest text: 0.1 as f32 isn't 0.10000000149 to anyone.
            observed: self.raw.to_string().parse().unwrap_or_default(),
            expected: self.scale.revert(self.expected),
            low: if self.expected > -1e-6 { self.scale.least(low) } else { self.scale.revert(low) },
            high: self.scale.revert(high),
            windows: 1,
        })
    }

    pub(crate) fn is_consistent(&self, name: &str) -> bool {
        let surprise = |surprise: f64| (0.0..=MOST).contains(&surprise);
        self.scale == Scale::of(name)
            && self.short.is_consistent()
            && self.long.is_consistent()
            && self.before.is_none_or(f64::is_finite)
            && self.steps.len() <= SPAN
            && self.steps.iter().all(|square| square.is_finite() && *square >= 0.0)
            && self.roughest.is_finite()
            && self.roughest >= 0.0
            && self.views.len() == VIEWS
            && self.views.iter().all(Novelty::is_consistent)
            && self.news.len() <= SPAN
            && self.news.iter().all(|past| surprise(f64::from(*past)))
            && self.expected.is_finite()
            && self.now.len() == VIEWS
            && self.now.iter().all(|value| !value.is_infinite())
            && surprise(self.surprise)
    }
}
