//! A stretch of the vector with one detector and its calibration, on its way through time.

use crate::chance::calibration::Nature;
use crate::chance::joint::{Opinion, Voice};
use crate::chance::normal;
use crate::chance::pace::{Pace, Past};
use crate::choice::Detector;
use crate::counts::count::{Counts, Shape};
use crate::counts::heavy::Heavy;
use crate::counts::hidden::{Hidden, HiddenModel};
use crate::counts::recent::Recent;
use crate::detector::{Expectation, Share};
use crate::layout::{Block, Layout};
use crate::numbers::lone::Lone;
use crate::numbers::numeric::Numeric;
use crate::numbers::single::Single;
use crate::seasons::season::Season;
use crate::settings::Settings;
use crate::track::Track;
use crate::window::Item;
use crate::zone::LocalTime;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most features that one numeric model takes.
const GROUP: usize = 64;

/// Weight of what judges items beside what judges their buckets.
const BESIDE: f64 = 0.5;

/// The number of events by itself has something to say where all numbers together can't tell yet: what a sum of events
/// deviates by is near a normal distribution, so that a tenth outage is as rare as the first. It ranks nothing, and says
/// nothing before there were as many windows as its deviation remembers. Falls and rises are two things: traffic that often
/// falters, because those who send it are held up, says little of how rare a rush is.
const SIZE: Voice = Voice { weight: 0.25, leads: false, bounded: true };
const SIZE_AFTER: u32 = 1_000;
/// A fall of this `p` or more says of rises, too, what is ordinary, and the other way round.
const EITHER: f64 = 0.03;

/// What scores a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Model {
    Counts(Recent, Box<Track<Counts>>),
    Hidden(Heavy, Track<Hidden>),
    Lone(Box<Lone>),
    Numeric(Box<Numeric>),
    Single(Box<Single>),
    Season(Box<Season>),
}

impl Model {
    /// The detector of this name, on features of these names.
    fn of(detector: Detector, names: &[String], pace: Pace) -> Self {
        match Single::new(detector, names, pace) {
            Some(single) => Self::Single(Box::new(single)),
            None => Self::Numeric(Box::new(Numeric::new(names, pace))),
        }
    }
}

/// What scores numbers, and how much each has to say: those chosen alike. Of its own accord, all mechanisms joined, and
/// beside them for events the regimes, which see what no single mean can but are wrong more often: of servers they tell
/// little, and would only blur the ranking.
fn detectors(settings: &Settings, leads: bool, pace: Pace) -> Vec<(Detector, Voice)> {
    let chosen = settings.detectors.chosen();
    if chosen.is_empty() {
        let mut detectors = vec![(Detector::Ensemble, Voice { weight: 1.0, leads, bounded: false })];
        if pace == Pace::Events {
            detectors.push((Detector::Regimes, Voice { weight: 0.25, leads: false, bounded: false }));
        }
        return detectors;
    }
    let voice = Voice { weight: 1.0 / chosen.len() as f64, leads, bounded: false };
    chosen.iter().map(|detector| (*detector, voice)).collect()
}

/// A stretch of the vector that one detector scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Block of the layout.
    block: usize,
    /// First feature within the block, and their number.
    first: usize,
    len: usize,
    /// Its voice among all parts.
    voice: Voice,
    model: Model,
    learned: u32,
    /// Windows that it learns before it says anything.
    listens: u32,
    past: Past,
    /// Of windows below what is expected, where falls have a past of their own.
    falls: Option<Past>,
    /// Whether a window beyond the alert line was counted in this incident.
    counted: bool,
}

impl Part {
    /// The parts that score a block. Many numeric features make as few groups as hold at most 64 each.
    ///
    /// A histogram counts as much as four other blocks, and leads: faults show there while counts hardly move
    /// (`fingerprint.md` §2), and what hardly moves would only blur the ranking.
    pub(crate) fn of(index: usize, layout: &Layout, settings: &Settings) -> Vec<Self> {
        let (block, pace) = (&layout.blocks[index], Pace::of(layout, settings));
        let histograms = layout.blocks.iter().any(|block| matches!(block, Block::Histogram { .. }));
        let part = |first, len, voice, model: Model| Self {
            block: index,
            first,
            len,
            voice,
            past: Past::new(pace, Nature::of(block)),
            falls: None,
            model,
            learned: 0,
            listens: 0,
            counted: false,
        };
        match block {
            Block::Histogram { .. } | Block::Counts { .. } => {
                let counts = Counts::new(Shape::of(block), block.len());
                let voice = match block {
                    Block::Histogram { .. } => Voice { weight: 4.0, leads: true, bounded: false },
                    _ => Voice { weight: 1.0, leads: !histograms, bounded: false },
                };
                let mut parts =
                    vec![part(0, block.len(), voice, Model::Counts(Recent::new(), Box::new(Track::new(counts))))];
                if let Block::Counts { name, buckets } = block {
                    // Beside the buckets: there is something to say only where items share one.
                    let voice = Voice { weight: BESIDE * voice.weight, ..voice };
                    let hidden = Model::Hidden(Heavy::new(name, *buckets), Track::new(Hidden::new()));
                    parts.push(part(0, *buckets, voice, hidden));
                }
                parts
            }
            Block::Numeric { names } if layout.len() == 1 && settings.detectors.chosen().is_empty() => {
                // The level keeps an incident open while it lasts and finds the next of the same size; what is new ranks.
                let (lone, beside) = (Lone::new(&names[0]), Model::of(Detector::Level, names, pace));
                let voice = |weight, bounded: bool| Voice { weight, leads: !bounded, bounded };
                vec![part(0, 1, voice(1.0, false), Model::Lone(Box::new(lone))), part(0, 1, voice(0.25, true), beside)]
            }
            Block::Numeric { names } => {
                let group = names.len().div_ceil(names.len().div_ceil(GROUP));
                let detectors = detectors(settings, !histograms, pace);
                let of_group = |(index, members): (usize, &[String])| {
                    // Groups of one block share its voice.
                    let share = members.len() as f64 / names.len() as f64;
                    let named = |(detector, voice): &(Detector, Voice)| {
                        let voice = Voice { weight: voice.weight * share, ..*voice };
                        part(index * group, members.len(), voice, Model::of(*detector, members, pace))
                    };
                    detectors.iter().map(named).collect::<Vec<Self>>()
                };
                // First: it takes the hour out of what the others get, and knows what is expected at this one.
                let season = Model::Season(Box::new(Season::new(names, settings.window_ms)));
                let season = part(0, names.len(), Voice { weight: 0.5, leads: false, bounded: false }, season);
                let size = match settings.detectors.chosen() {
                    [] if pace == Pace::Events => names.iter().position(|name| name == "count"),
                    _ => None,
                };
                let size = size.map(|at| Self {
                    past: Past::new(pace, Nature::Deviation),
                    falls: Some(Past::new(pace, Nature::Deviation)),
                    listens: SIZE_AFTER,
                    ..part(at, 1, SIZE, Model::of(Detector::Ewma, &names[at..=at], pace))
                });
                std::iter::once(season).chain(size).chain(names.chunks(group).enumerate().flat_map(of_group)).collect()
            }
        }
    }

    /// Block of the layout that it is of.
    pub(crate) fn block(&self) -> usize {
        self.block
    }

    /// Its features within the block.
    pub(crate) fn features(&self) -> Range<usize> {
        self.first..self.first + self.len
    }

    /// Takes a window of the block in and scores it.
    pub(crate) fn score(&mut self, block: &[f32], items: &[Item], gap: bool, time: LocalTime) -> Option<f64> {
        let values = &block[self.features()];
        match &mut self.model {
            Model::Counts(recent, track) => {
                recent.push(values, gap);
                track.score(recent)
            }
            Model::Hidden(heavy, track) => {
                heavy.push(values, items, gap);
                track.score(heavy)
            }
            Model::Lone(lone) => lone.score(values[0], gap),
            Model::Numeric(numeric) => numeric.score(values, gap),
            Model::Single(single) => single.score(values, gap),
            Model::Season(season) => season.score(values, gap, time),
        }
    }

    /// Turns a block's values into those of an average hour, where it knows the hours: the other parts of the block see
    /// these.
    pub(crate) fn take_out_hour(&self, block: &mut [f32]) {
        if let Model::Season(season) = &self.model {
            season.take_out_hour(block);
        }
    }

    /// What it says of a window: nothing against it where it has no score yet.
    pub(crate) fn opinion(&self, score: Option<f64>) -> Opinion {
        let p = |score: f64| match &self.model {
            Model::Lone(_) => (-score).exp(),
            Model::Counts(_, track) => {
                let least = track.model().map_or(0.0, |model| model.least_p(score));
                self.past.p(score).max(least)
            }
            Model::Hidden(..) => self.past.p(score).max(normal::at_least(score)),
            _ => self.falls.as_ref().filter(|_| self.is_fall()).unwrap_or(&self.past).p(score),
        };
        let score = score.filter(|_| self.learned >= self.listens);
        let weight = if score.is_some() { self.voice.weight } else { 0.0 };
        Opinion { p: score.map_or(1.0, p), voice: Voice { weight, ..self.voice } }
    }

    /// Counts the window, learned with `weight`, among the ordinary ones. Of an incident's windows beyond the alert line exactly one counts:
    /// leaving all out runs away, keeping all hides the next incident (`algorithms.md` §5).
    pub(crate) fn count(&mut self, score: f64, in_incident: bool, beyond: bool, weight: f32) {
        // Residuals of an hour last: a day of another rhythm is one event to the season, on whichever side of the line.
        let of_incident = if matches!(self.model, Model::Season(_)) { in_incident } else { in_incident && beyond };
        let counts = if of_incident && std::mem::replace(&mut self.counted, true) { 0.0 } else { 1.0 };
        let is_fall = self.is_fall();
        let Some(falls) = &mut self.falls else { return self.past.add(score, counts, weight) };
        let (own, other) = if is_fall { (falls, &mut self.past) } else { (&mut self.past, falls) };
        if own.p(score) > EITHER {
            other.add(score, counts, weight);
        }
        // Had it been ordinary, half of its like would have been on the other side.
        own.add(score, if of_incident { counts / 2.0 } else { counts }, weight);
    }

    /// Whether the window scored last is below what is expected.
    fn is_fall(&self) -> bool {
        match &self.model {
            Model::Single(single) => single.expectation(0).is_some_and(|seen| seen.observed < seen.expected),
            _ => false,
        }
    }

    /// Why it scored so: features of the block.
    pub(crate) fn explain(&self) -> Vec<Share> {
        let mut shares = match &self.model {
            Model::Counts(recent, track) => track.explain(recent),
            Model::Hidden(heavy, track) => track.explain(heavy),
            Model::Lone(lone) => lone.explain(),
            Model::Numeric(numeric) => numeric.explain(),
            Model::Single(single) => single.explain(),
            Model::Season(season) => season.explain(),
        };
        shares.iter_mut().for_each(|share| share.feature += self.first);
        shares
    }

    /// What a feature of the block is against what it should be at this hour, where that differs from other hours.
    pub(crate) fn at_its_hour(&self, feature: usize) -> Option<Expectation> {
        match &self.model {
            Model::Season(season) => season.expectation(feature),
            _ => None,
        }
    }

    /// What a feature of the block is against what it should be, where this part can tell.
    pub(crate) fn expectation(&self, feature: usize) -> Option<Expectation> {
        let feature = feature.checked_sub(self.first).filter(|feature| *feature < self.len)?;
        match &self.model {
            Model::Counts(recent, track) => track.model().map(|model| model.expectation(recent, feature)),
            Model::Hidden(heavy, track) => track.model().and_then(|model| model.expectation(heavy, feature)),
            Model::Lone(lone) => lone.expectation(),
            Model::Numeric(numeric) => numeric.expectation(feature),
            Model::Single(single) => single.expectation(feature),
            Model::Season(season) => season.expectation(feature),
        }
    }

    /// Mean bucket of the row that a feature of a histogram belongs to.
    pub(crate) fn centre(&self, feature: usize) -> Option<f64> {
        match &self.model {
            Model::Counts(_, track) => track.model().map(|model| model.centre(feature)),
            _ => None,
        }
    }

    /// Learns the window scored last, and fits anew when it is time.
    pub(crate) fn learn(&mut self, weight: f32) {
        self.learned = self.learned.saturating_add(1);
        match &mut self.model {
            Model::Counts(recent, track) => track.learn(recent, weight.min(self.past.trust())),
            Model::Hidden(heavy, track) => track.learn(heavy, weight.min(self.past.trust())),
            Model::Lone(lone) => lone.learn(),
            Model::Numeric(numeric) => numeric.learn(weight),
            Model::Single(single) => single.learn(weight),
            Model::Season(season) => season.learn(weight),
        }
        if self.learned.is_multiple_of(10) {
            self.fade();
        }
        let every = match &self.model {
            Model::Counts(..) | Model::Hidden(..) => self.learned / 16,
            _ => self.learned / 8,
        };
        if self.learned.is_multiple_of((every / 10 * 10).clamp(10, 500)) {
            match &mut self.model {
                Model::Counts(_, track) => track.fit(),
                Model::Hidden(_, track) => track.fit(),
                Model::Lone(lone) => lone.fit(),
                Model::Numeric(numeric) => numeric.fit(),
                Model::Single(single) => single.fit(),
                Model::Season(_) => {}
            }
        }
    }

    /// Scores of windows when less was known say less of the next ones: a window weighs by the square of its number.
    fn fade(&mut self) {
        let keep = (1.0 - 10.0 / f64::from(self.learned)).powi(2);
        self.past.renew(keep);
        self.falls.iter_mut().for_each(|falls| falls.renew(keep));
        if let Model::Numeric(numeric) = &mut self.model {
            numeric.renew();
        }
    }

    /// An incident begins: learn beside, in case it becomes the new normal.
    pub(crate) fn set_apart(&mut self) {
        match &mut self.model {
            Model::Counts(_, track) => track.set_apart(),
            Model::Hidden(_, track) => track.set_apart(),
            Model::Lone(_) => {}
            Model::Numeric(numeric) => numeric.set_apart(),
            Model::Single(single) => single.set_apart(),
            Model::Season(_) => {}
        }
    }

    /// An incident ends, or is accepted as the new normal.
    pub(crate) fn settle(&mut self, accept: bool) {
        self.counted = false;
        match &mut self.model {
            Model::Counts(_, track) => track.settle(accept),
            Model::Hidden(_, track) => track.settle(accept),
            Model::Lone(_) => {}
            Model::Numeric(numeric) => numeric.settle(accept),
            Model::Single(single) => single.settle(accept),
            Model::Season(season) => season.settle(accept),
        }
    }

    /// Whether it could be what [`Self::of`] made, some windows later.
    pub(crate) fn is_consistent(&self, made: &Self, block: &Block, pace: Pace) -> bool {
        let place = (self.block, self.first, self.len, self.voice, self.listens);
        let has_falls = match (&self.falls, &made.falls) {
            (Some(falls), Some(made)) => falls.is_consistent(made),
            (falls, made) => falls.is_none() && made.is_none(),
        };
        let has_past = has_falls && self.past.is_consistent(&made.past);
        if place != (made.block, made.first, made.len, made.voice, made.listens) || !has_past {
            return false;
        }
        let names = match block {
            Block::Numeric { names } => &names[self.features()],
            _ => &[],
        };
        match (&self.model, &made.model) {
            (Model::Counts(recent, track), Model::Counts(..)) => {
                let (shape, cells) = (Shape::of(block), self.len);
                recent.is_consistent(cells)
                    && track.is_consistent(
                        |counts| counts.is_consistent(shape, cells),
                        |model| model.is_consistent(shape, cells),
                    )
            }
            (Model::Hidden(heavy, track), Model::Hidden(made, _)) => {
                heavy.is_consistent(made) && track.is_consistent(Hidden::is_consistent, HiddenModel::is_consistent)
            }
            (Model::Lone(lone), Model::Lone(_)) => names.first().is_some_and(|name| lone.is_consistent(name)),
            (Model::Numeric(numeric), Model::Numeric(_)) => numeric.is_consistent(names, pace),
            (Model::Single(single), Model::Single(made)) => single.is_consistent(made, names, pace),
            (Model::Season(season), Model::Season(made)) => season.is_consistent(made),
            _ => false,
        }
    }
}
