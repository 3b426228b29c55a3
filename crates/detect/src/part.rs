//! A stretch of the vector with one detector and its calibration, on its way through time.

use crate::calibration::Calibration;
use crate::count::{Counts, Shape};
use crate::detector::{Expectation, Share};
use crate::joint::{Opinion, Voice};
use crate::layout::Block;
use crate::numeric::Numeric;
use crate::recent::Recent;
use crate::regimes::Regimes;
use crate::track::Track;
use crate::trail::Trail;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most features that one numeric model takes.
const GROUP: usize = 64;

/// What scores a part. Adding a detector touches its file and this table.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Model {
    Counts(Recent, Track<Counts>),
    Numeric(Box<Numeric>),
    Regimes(Trail, Track<Regimes>),
}

/// A stretch of the vector that one detector scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Block of the layout.
    block: usize,
    /// First feature within the block, and their number.
    first: usize,
    len: usize,
    model: Model,
    learned: u32,
    calibration: Calibration,
    /// Whether a window beyond the alert line was counted in this incident.
    counted: bool,
}

impl Part {
    /// The parts that score a block. Many numeric features make as few groups as hold at most 64 each.
    pub(crate) fn of(index: usize, block: &Block) -> Vec<Self> {
        let part = |first, len, model| Self {
            block: index,
            first,
            len,
            model,
            learned: 0,
            calibration: Calibration::new(),
            counted: false,
        };
        match block {
            Block::Histogram { .. } | Block::Counts { .. } => {
                let counts = Counts::new(Shape::of(block), block.len());
                vec![part(0, block.len(), Model::Counts(Recent::new(), Track::new(counts)))]
            }
            Block::Numeric { names } => {
                let size = names.len().div_ceil(names.len().div_ceil(GROUP));
                let both = |(group, names): (usize, &[String])| {
                    let trail = Trail::new(names);
                    let regimes = Track::new(Regimes::new(trail.scales()));
                    let models = [Model::Numeric(Box::new(Numeric::new(names))), Model::Regimes(trail, regimes)];
                    models.map(|model| part(group * size, names.len(), model))
                };
                names.chunks(size).enumerate().flat_map(both).collect()
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

    /// Its voice among all parts. A histogram counts as much as four other blocks, and leads: faults show there while
    /// counts hardly move (`fingerprint.md` §2), and what hardly moves would only blur the ranking.
    fn voice(&self, layout: &[Block]) -> Voice {
        let histograms = layout.iter().any(|block| matches!(block, Block::Histogram { .. }));
        let (weight, leads) = match (&layout[self.block], &self.model) {
            (Block::Histogram { .. }, _) => (4.0, true),
            (_, Model::Regimes(..)) => (0.25, false),
            _ => (1.0, !histograms),
        };
        // Groups of one block share its voice.
        let share = self.len as f64 / layout[self.block].len() as f64;
        Voice { weight: weight * share, leads }
    }

    /// Takes a window of the block in and scores it.
    pub(crate) fn score(&mut self, block: &[f32], gap: bool) -> Option<f64> {
        let values = &block[self.features()];
        match &mut self.model {
            Model::Counts(recent, track) => {
                recent.push(values, gap);
                track.score(recent)
            }
            Model::Numeric(numeric) => numeric.score(values, gap),
            Model::Regimes(trail, track) => {
                trail.push(values, gap);
                track.score(trail)
            }
        }
    }

    /// What it says of a window: nothing against it where it has no score yet.
    pub(crate) fn opinion(&self, score: Option<f64>, layout: &[Block]) -> Opinion {
        Opinion { p: score.map_or(1.0, |score| self.calibration.p(score)), voice: self.voice(layout) }
    }

    /// Counts the window, learned with `weight`, among the ordinary ones. Of an incident's windows beyond the alert line exactly one counts:
    /// leaving all out runs away, keeping all hides the next incident (`algorithms.md` §5).
    pub(crate) fn count(&mut self, score: f64, beyond: bool, weight: f32) {
        let ordinary = !(beyond && std::mem::replace(&mut self.counted, true));
        self.calibration.add(score, ordinary, weight);
    }

    /// Why it scored so: features of the block.
    pub(crate) fn explain(&self) -> Vec<Share> {
        let mut shares = match &self.model {
            Model::Counts(recent, track) => track.explain(recent),
            Model::Numeric(numeric) => numeric.explain(),
            Model::Regimes(trail, track) => track.explain(trail),
        };
        shares.iter_mut().for_each(|share| share.feature += self.first);
        shares
    }

    /// What a feature of the block is against what it should be, where this part can tell.
    pub(crate) fn expectation(&self, feature: usize) -> Option<Expectation> {
        let feature = feature.checked_sub(self.first).filter(|feature| *feature < self.len)?;
        match &self.model {
            Model::Counts(recent, track) => track.model().map(|model| model.expectation(recent, feature)),
            Model::Numeric(numeric) => numeric.expectation(feature),
            Model::Regimes(..) => None,
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
            Model::Counts(recent, track) => track.learn(recent, weight),
            Model::Numeric(numeric) => numeric.learn(weight),
            Model::Regimes(trail, track) => track.learn(trail, weight),
        }
        if self.learned.is_multiple_of(10) {
            self.fade();
        }
        let every = match &self.model {
            Model::Counts(..) => self.learned / 16,
            _ => self.learned / 8,
        };
        if self.learned.is_multiple_of((every / 10 * 10).clamp(10, 500)) {
            match &mut self.model {
                Model::Counts(_, track) => track.fit(),
                Model::Numeric(numeric) => numeric.fit(),
                Model::Regimes(_, track) => track.fit(),
            }
        }
    }

    /// Scores of windows when less was known say less of the next ones: a window weighs by the square of its number.
    fn fade(&mut self) {
        let keep = (1.0 - 10.0 / f64::from(self.learned)).powi(2);
        self.calibration.renew(keep);
        if let Model::Numeric(numeric) = &mut self.model {
            numeric.fade(keep);
        }
    }

    /// An incident begins: learn beside, in case it becomes the new normal.
    pub(crate) fn set_apart(&mut self) {
        match &mut self.model {
            Model::Counts(_, track) => track.set_apart(),
            Model::Numeric(numeric) => numeric.set_apart(),
            Model::Regimes(_, track) => track.set_apart(),
        }
    }

    /// An incident ends, or is accepted as the new normal.
    pub(crate) fn settle(&mut self, accept: bool) {
        self.counted = false;
        match &mut self.model {
            Model::Counts(_, track) => track.settle(accept),
            Model::Numeric(numeric) => numeric.settle(accept),
            Model::Regimes(_, track) => track.settle(accept),
        }
    }

    /// Whether it could be what [`Self::of`] made, some windows later.
    pub(crate) fn is_consistent(&self, made: &Self, block: &Block) -> bool {
        if (self.block, self.first, self.len) != (made.block, made.first, made.len) || !self.calibration.is_consistent()
        {
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
            (Model::Numeric(numeric), Model::Numeric(_)) => numeric.is_consistent(names),
            (Model::Regimes(trail, track), Model::Regimes(..)) => {
                trail.is_consistent(names)
                    && track
                        .is_consistent(|regimes| regimes.is_consistent(trail), |model| model.is_consistent(names.len()))
            }
            _ => false,
        }
    }
}
