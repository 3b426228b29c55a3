//! The shape of every detector: statistics that learn, and the model fitted to them that scores and explains.

use crate::numbers::feature::Scale;

/// Statistics of one block: bounded, whatever the length of the history.
pub(crate) trait Fit {
    /// What the short memory of the block shows of a window.
    type Input;
    /// The model made from the statistics.
    type Fitted: Fitted<Input = Self::Input>;

    /// The same statistics with nothing learned.
    fn blank(&self) -> Self;

    /// Takes a window in, with `weight` in (0, 1]. `model` is the one in use, where there is one.
    fn learn(&mut self, input: &Self::Input, model: Option<&Self::Fitted>, weight: f32);

    /// A model of what was learned so far; none before there is enough.
    fn fit(&mut self) -> Option<Self::Fitted>;
}

/// A model that judges windows.
pub(crate) trait Fitted {
    /// What it judges.
    type Input;

    /// How far this window is from what is expected: 0 or more, in the detector's own unit.
    fn score(&self, input: &Self::Input) -> f64;

    /// Why: the features that contribute, largest share first.
    fn explain(&self, input: &Self::Input) -> Vec<Share>;
}

/// The part of one feature in a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    /// Feature within the block.
    pub feature: usize,
    /// Share of the score, 0 to 1.
    pub share: f64,
}

impl Share {
    /// Shares from the parts (0 or more) of features 0, 1, …; features without a part are left out.
    pub(crate) fn of(parts: impl Iterator<Item = f64>) -> Vec<Self> {
        let mut shares: Vec<Self> =
            parts.enumerate().filter(|(_, part)| *part > 0.0).map(|(feature, share)| Self { feature, share }).collect();
        let all: f64 = shares.iter().map(|share| share.share).sum();
        shares.iter_mut().for_each(|share| share.share /= all);
        shares.sort_by(|a, b| b.share.total_cmp(&a.share));
        shares
    }
}

/// What a block says of one of its features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expectation {
    /// What was observed, in the feature's unit.
    pub observed: f64,
    /// What was expected.
    pub expected: f64,
    /// Lower end of what is ordinary.
    pub low: f64,
    /// Upper end of what is ordinary.
    pub high: f64,
    /// Windows that the counts are summed over.
    pub windows: u32,
}

impl Expectation {
    /// Of a number that is usually `mean` on its scale, give or take twice the `deviation`.
    pub(crate) fn around(scale: Scale, observed: f64, (mean, deviation): (f64, f64)) -> Self {
        let low = mean - 2.0 * deviation;
        Self {
            observed,
            expected: scale.revert(mean),
            low: if mean > -1e-6 { scale.least(low) } else { scale.revert(low) },
            high: scale.revert(mean + 2.0 * deviation),
            windows: 1,
        }
    }
}
