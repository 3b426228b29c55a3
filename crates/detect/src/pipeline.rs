//! Windows in, verdicts out.

mod account;
mod tell;

use crate::Error;
use crate::absence::evidence::Absence;
use crate::chance::joint::{self, Opinion};
use crate::chance::pace::Pace;
use crate::controls::feedback::Answer;
use crate::incidents::incident::{CAUSES, Moment, Watch};
use crate::incidents::names::Names;
use crate::incidents::verdict::{Cause, Change, Resolution, State, Verdict};
use crate::layout::Layout;
use crate::part::Part;
use crate::seasons::volume::{self, Volume};
use crate::settings::{MOST_P_ALERT, Settings};
use crate::window::{Item, Window};
use account::Account;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A window of this `p` or more is learned in full, a rarer one in proportion, down to the least weight of the monitor's
/// pace; with that, every window inside an incident.
const USUAL: f64 = 0.01;
/// A part whose joint `p` is above this explains nothing.
const EXPLAINS: f64 = 0.05;
/// The `p` of a window in which a number is outside what it is allowed: as rare as can be told.
const FORBIDDEN: f64 = 1e-12;
/// Part of the budget that ordinary events spend in the mean, so that a bad week seldom spends more than the whole: many
/// parts are judged by tails that are only supposed beyond what was seen.
const BY_CHANCE: f64 = 0.5;

/// Baseline, detectors, calibration and incident of one monitor. Serialised, it is its own checkpoint: bytes that no
/// pipeline wrote are an error when read.
#[derive(Debug, Clone)]
pub struct Pipeline(Inside);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Inside {
    layout: Layout,
    settings: Settings,
    seen: u32,
    last_end_ms: u64,
    parts: Vec<Part>,
    absence: Absence,
    volume: Volume,
    names: Names,
    /// The incident that people are told of.
    watch: Watch,
    /// What the models take as an incident: the same, but for what controls hold back.
    event: Watch,
    /// Milliseconds of excluded periods since the last window that was judged.
    left_out_ms: u64,
    /// The window judged last, until it is learned.
    unlearned: Option<Unlearned>,
}

/// What is still to be learned of a judged window. The short memories of the parts hold its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unlearned {
    /// Raw score and joint `p` of each part.
    scores: Vec<Option<f64>>,
    joint: Vec<f64>,
    /// The window's `p`.
    p: f64,
    turn: Option<Turn>,
    items: Vec<Item>,
    /// Whether there was no observation.
    is_empty: bool,
}

/// What happened to the incident in a window, as far as learning cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Turn {
    Opened,
    Over { accepted: bool },
}

impl Turn {
    fn of(change: &Change) -> Option<Self> {
        match change {
            Change::Opened(_) => Some(Self::Opened),
            Change::Updated(_) => None,
            Change::Resolved(_, resolution) => Some(Self::Over { accepted: *resolution == Resolution::Accepted }),
        }
    }
}

impl Unlearned {
    fn is_consistent(&self, parts: usize) -> bool {
        let chance = |p: &f64| (0.0..=1.0).contains(p);
        self.scores.len() == parts
            && self.scores.iter().flatten().all(|score| score.is_finite() && *score >= 0.0)
            && self.joint.len() == parts
            && self.joint.iter().all(chance)
            && chance(&self.p)
    }
}

impl Pipeline {
    /// A pipeline that knows nothing yet.
    ///
    /// # Errors
    /// A layout or settings out of their ranges.
    pub fn new(layout: Layout, settings: Settings) -> Result<Self, Error> {
        layout.check()?;
        settings.check()?;
        let (parts, names) = (parts(&layout, &settings), Names::new(&layout));
        Ok(Self(Inside {
            absence: Absence::new(&layout),
            layout,
            settings,
            seen: 0,
            last_end_ms: 0,
            parts,
            volume: Volume::default(),
            names,
            watch: Watch::default(),
            event: Watch::default(),
            left_out_ms: 0,
            unlearned: None,
        }))
    }

    /// The layout it was made for.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// Windows judged so far.
    #[must_use]
    pub fn seen(&self) -> u32 {
        self.0.seen
    }

    /// The settings in use.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Changes the settings from the next window on; what was learned stays.
    ///
    /// # Errors
    /// Settings out of their ranges, another window length, other detectors or another time zone: a baseline is one of its own.
    pub fn reconfigure(&mut self, settings: Settings) -> Result<(), Error> {
        settings.check()?;
        if settings.window_ms != self.0.settings.window_ms {
            return Err(Error::Setting { name: "window_ms", allowed: "what the baseline was learned with" });
        }
        if settings.detectors != self.0.settings.detectors {
            return Err(Error::Setting { name: "detectors", allowed: "what the baseline was learned with" });
        }
        if settings.time_zone != self.0.settings.time_zone {
            return Err(Error::Setting { name: "time_zone", allowed: "what the baseline was learned with" });
        }
        self.learn();
        self.0.settings = settings;
        Ok(())
    }

    /// Judges a window with what was known before it, then learns from it.
    ///
    /// # Errors
    /// A vector of the wrong length, or a window not later than the one before; the pipeline is unchanged then.
    pub fn push(&mut self, window: &Window) -> Result<Verdict, Error> {
        let verdict = self.judge(window)?;
        self.learn();
        Ok(verdict)
    }

    /// Judges a window with what was known before it. [`Self::learn`] is left for when the verdict is on its way; where
    /// nobody calls it, the next window does. When it is called changes no verdict.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn judge(&mut self, window: &Window) -> Result<Verdict, Error> {
        self.0.judge(window)
    }

    /// Why the window judged last scored as it did, whatever its score: largest share first. Nothing once it is learned, and
    /// nothing before a model is there to ask.
    #[must_use]
    pub fn explain(&self, window: &Window) -> Vec<Cause> {
        self.explain_in_full(window, CAUSES)
    }

    /// As [`Self::explain`], with up to `most` features.
    #[must_use]
    pub fn explain_in_full(&self, window: &Window, most: usize) -> Vec<Cause> {
        let inside = &self.0;
        inside.unlearned.as_ref().map_or_else(Vec::new, |unlearned| {
            let absent = inside.absence.evidence(&inside.layout, window, &inside.settings, inside.p_alert());
            inside.told(&unlearned.joint, absent, window, [most, most]).causes
        })
    }

    /// The `p` at the alert boundary: of windows that are rarer than this a score is 0.5 and more.
    #[must_use]
    pub fn p_alert(&self) -> f64 {
        self.0.p_alert()
    }

    /// Learns from the window judged last, if that hasn't been done, and fits models anew when they are due.
    pub fn learn(&mut self) {
        self.0.learn();
    }
}

fn parts(layout: &Layout, settings: &Settings) -> Vec<Part> {
    (0..layout.blocks.len()).flat_map(|index| Part::of(index, layout, settings)).collect()
}

impl Inside {
    fn judge(&mut self, window: &Window) -> Result<Verdict, Error> {
        let (got, expected) = (window.values.len(), self.layout.len());
        if got != expected {
            return Err(Error::Length { got, expected });
        }
        if (self.seen > 0 || self.left_out_ms > 0) && window.end_ms <= self.last_end_ms {
            return Err(Error::Order { end_ms: window.end_ms, last_ms: self.last_end_ms });
        }
        self.learn();
        self.last_end_ms = window.end_ms;
        self.names.name_rows(&self.layout, window.slots);
        if self.settings.excludes(window.end_ms) {
            return Ok(self.leave_out(window));
        }
        let gap_ms = window.gap_ms.saturating_add(std::mem::take(&mut self.left_out_ms));
        let window = &Window { gap_ms, ..*window };
        self.seen = self.seen.saturating_add(1);

        let scores = self.score_parts(window);
        let opinions: Vec<Opinion> = self.parts.iter().zip(&scores).map(|(part, score)| part.opinion(*score)).collect();
        let joint = joint::joint(&opinions, self.p_alert());
        let absent = self.absence.judge(&self.layout, window, &self.settings, self.p_alert());
        let (warming, needed) = (self.seen <= self.settings.min_history, self.settings.min_history);
        let p = if warming { 1.0 } else { joint.iter().copied().fold(absent.p, f64::min) };
        let score = joint::score(p, self.p_alert());
        let patience = absent.patience;
        let most = if self.settings.controls.judge_causes() { usize::MAX } else { CAUSES };
        let account = if score >= 0.5 { self.told(&joint, absent, window, [CAUSES, most]) } else { Account::default() };
        let missed = (window.gap_ms / self.settings.window_ms).min(u64::from(u32::MAX)) as u32;
        let lasts = Pace::of(&self.layout, &self.settings).jolt();
        if score >= 0.5 {
            self.absence.tell(self.p_alert());
        }
        let is_confirmed = self.said(window.end_ms) == Some(&Answer::Anomaly);
        let (end_ms, seen, causes) = (window.end_ms, self.seen, account.told());
        let moment = Moment { end_ms, missed, seen, p, lasts, patience, score, causes, is_limit: false, is_confirmed };
        let turn = self.event.step(moment.clone(), &self.settings).as_ref().and_then(Turn::of);
        let broken = self.settings.controls.broken(&self.layout, window.values, window.end_ms);
        // What is forbidden isn't what is ordinary, even where nothing else is known yet.
        let p = if broken.causes.is_empty() { p } else { FORBIDDEN };
        self.unlearned =
            Some(Unlearned { scores, joint, p, turn, items: window.items.to_vec(), is_empty: window.n == 0 });
        let state = if warming { State::Warming { seen: self.seen, needed } } else { State::Ready };
        Ok(self.tell(moment, broken, &account, state))
    }

    /// The `p` at the alert boundary. The budget is one of openings, and an ordinary jolt opens once, however many windows
    /// it makes.
    fn p_alert(&self) -> f64 {
        let pace = Pace::of(&self.layout, &self.settings);
        let spent = if pace == Pace::Events && self.layout.len() > 1 { BY_CHANCE } else { 1.0 };
        (self.settings.p_alert() * spent * pace.jolt() as f64).min(MOST_P_ALERT)
    }

    fn score_parts(&mut self, window: &Window) -> Vec<Option<f64>> {
        let gap = window.gap_ms > 0;
        let time = self.settings.time_zone.at(window.end_ms.saturating_sub(self.settings.window_ms / 2));
        let mut values = window.values.to_vec();
        if self.volume.is_thin(window.n) {
            self.layout.slices(&mut values).for_each(|(block, values)| volume::leave_out_descriptions(block, values));
        }
        let mut blocks: Vec<&mut [f32]> = self.layout.slices(&mut values).map(|(_, values)| values).collect();
        let score = |part: &mut Part| {
            let values = &mut *blocks[part.block()];
            let score = part.score(values, window.items, gap, time);
            part.take_out_hour(values);
            score
        };
        self.parts.iter_mut().map(score).collect()
    }

    fn learn(&mut self) {
        let Some(Unlearned { scores, joint, p, turn, items, is_empty }) = self.unlearned.take() else { return };
        let p_alert = self.p_alert();
        let in_incident = self.event.is_learned_little(&self.settings);
        let least = Pace::of(&self.layout, &self.settings).least_weight();
        let weight = if in_incident { least } else { ((p / USUAL) as f32).clamp(least, 1.0) };
        // Scores of nothing are no scores: what comes after an outage would be as rare as nothing else.
        let is_outage = is_empty && in_incident;
        self.volume.learn(weight);
        if turn == Some(Turn::Over { accepted: true }) {
            self.absence.accept();
        }
        for ((part, score), p) in self.parts.iter_mut().zip(scores).zip(joint) {
            if turn == Some(Turn::Opened) {
                part.set_apart();
            }
            if let Some(score) = score.filter(|_| !is_outage) {
                part.count(score, in_incident, p <= p_alert.max(USUAL), weight);
            }
            part.learn(weight);
            if let Some(Turn::Over { accepted }) = turn {
                part.settle(accepted);
            }
        }
        self.names.learn(&self.layout, &items, !in_incident);
    }

    /// Refuses what no pipeline could have become.
    fn check(&self) -> Result<(), Error> {
        self.layout.check()?;
        self.settings.check()?;
        let made = parts(&self.layout, &self.settings);
        let (blocks, pace) = (&self.layout.blocks, Pace::of(&self.layout, &self.settings));
        let alike = |(part, made): (&Part, &Part)| part.is_consistent(made, &blocks[made.block()], pace);
        if self.parts.len() != made.len() || !self.parts.iter().zip(&made).all(alike) {
            return Err(Error::Checkpoint("a model doesn't fit the layout"));
        }
        if !self.absence.is_consistent(&self.layout) {
            return Err(Error::Checkpoint("what is never absent doesn't fit the layout"));
        }
        if !self.volume.is_consistent() {
            return Err(Error::Checkpoint("the usual traffic is impossible"));
        }
        if !self.names.is_consistent(&self.layout) {
            return Err(Error::Checkpoint("item names don't fit the layout"));
        }
        if !(self.watch.is_consistent() && self.event.is_consistent()) {
            return Err(Error::Checkpoint("the open incident is impossible"));
        }
        if self.unlearned.as_ref().is_some_and(|unlearned| !unlearned.is_consistent(self.parts.len())) {
            return Err(Error::Checkpoint("the window to learn is impossible"));
        }
        Ok(())
    }
}

impl Serialize for Pipeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pipeline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let inside = Inside::deserialize(deserializer)?;
        inside.check().map_err(serde::de::Error::custom)?;
        Ok(Self(inside))
    }
}
