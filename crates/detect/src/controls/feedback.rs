//! What people said of incidents, and which windows are like those.

use crate::incidents::verdict::{Cause, Direction, Kind};
use crate::layout::Block;
use serde::{Deserialize, Serialize};

/// Most that is kept of a monitor.
pub const MAX: usize = 64;
/// Most causes that one has, and most bytes of a name in it.
pub const MAX_CAUSES: usize = 5;
const MAX_NAME: usize = 1024;
/// A deviation up to so many times as large is of similar size: an incident is often told of by its first window, of which it
/// took only a part. A smaller one always is.
const SIMILAR: f64 = 3.0;
/// The same of what is below.
const SIMILAR_DOWN: f64 = 1.5;

/// Kinds that are like none but themselves: what is forbidden, and what is absent. Other kinds of one feature are ways to
/// say the same.
const APART: [Kind; 5] = [Kind::OutOfRange, Kind::Silence, Kind::FlatLine, Kind::Missing, Kind::Vanished];

/// What somebody said of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// What.
    pub answer: Answer,
    /// Who.
    pub by: String,
    /// End of the incident's first window, ms since the epoch.
    pub opened_end_ms: u64,
    /// Why it was one.
    pub likes: Vec<Likeness>,
}

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The like of it opens nothing.
    Normal,
    /// The like of it opens nothing in windows that end before then, ms since the epoch.
    Snoozed {
        /// When it is over.
        until_ms: u64,
    },
    /// It is one: whatever was said before of its like no longer holds, and it never becomes normal while it lasts.
    Anomaly,
}

impl Feedback {
    /// Whether it counts in a window that ends then.
    #[must_use]
    pub fn is_in_force(&self, end_ms: u64) -> bool {
        !matches!(self.answer, Answer::Snoozed { until_ms } if end_ms >= until_ms)
    }

    pub(crate) fn is_about(&self, cause: &Cause, block: &Block) -> bool {
        self.likes.iter().any(|like| like.has(cause, block))
    }

    /// Whether it is bounded and its sizes are numbers.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.by.len() <= MAX_NAME && self.likes.len() <= MAX_CAUSES && self.likes.iter().all(Likeness::is_sound)
    }
}

/// What makes another cause the like of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// Its kind in words.
    pub kind: String,
    /// The block or feature.
    pub feature: String,
    /// The item behind it that comes first.
    pub item: Option<String>,
    /// Which way it left its band.
    pub direction: Direction,
    /// How far from what was expected, in the feature's unit.
    pub deviation: f64,
    /// The same in units of what was expected, or of its band where that is wider.
    pub relative: f64,
}

/// A cause's numbers.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// What was observed.
    pub observed: f64,
    /// What was expected.
    pub expected: f64,
    /// Lower end of what is ordinary.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Numbers {
    fn of(cause: &Cause) -> Self {
        let Cause { observed, expected, low, high, .. } = *cause;
        Self { observed, expected, low, high }
    }

    /// How far from what was expected: in the feature's unit, and in units of what was expected or of its band, if wider.
    #[must_use]
    pub fn size(self) -> (f64, f64) {
        let deviation = (self.observed - self.expected).abs().min(f64::MAX);
        let band = self.high - self.low;
        let unit = self.expected.abs().max(if band.is_finite() { band } else { 0.0 });
        let relative = if unit > 0.0 { deviation / unit } else { f64::MAX };
        if deviation.is_nan() { (0.0, 0.0) } else { (deviation, relative.clamp(0.0, f64::MAX)) }
    }
}

impl Likeness {
    /// Same feature, same item, same direction, similar size: by what it is, or by what it is of what was expected, since
    /// as much of the traffic is more at noon than at night.
    fn has(&self, cause: &Cause, block: &Block) -> bool {
        let apart = |kind: &str| APART.iter().any(|apart| apart.to_string() == kind);
        let is_same = self.kind == cause.kind.to_string();
        let kind = match block {
            // More calls in a slow bucket are another thing than more in a fast one.
            Block::Histogram { .. } => is_same,
            _ => is_same || !(apart(&self.kind) || APART.contains(&cause.kind)),
        };
        let item = match block {
            // Of what a number counts, the items come and go.
            Block::Numeric { .. } => true,
            _ => self.item.as_deref() == cause.items.first().map(|item| item.item.as_str()),
        };
        let (deviation, relative) = Numbers::of(cause).size();
        kind && item
            && self.feature == cause.feature
            && self.direction == cause.direction
            && self.is_similar(deviation, relative)
    }

    fn is_similar(&self, deviation: f64, relative: f64) -> bool {
        // What falls can't fall by more than all: three times a third less would be everything.
        let similar = if self.direction == Direction::Down { SIMILAR_DOWN } else { SIMILAR };
        // Where nothing was expected, there is nothing to be relative to.
        let comparable = relative < f64::MAX && self.relative < f64::MAX;
        deviation <= similar * self.deviation || (comparable && relative <= similar * self.relative)
    }

    fn is_sound(&self) -> bool {
        let size = |size: f64| size.is_finite() && size >= 0.0;
        let names = [Some(&self.kind), Some(&self.feature), self.item.as_ref()];
        names.into_iter().flatten().all(|name| name.len() <= MAX_NAME) && size(self.deviation) && size(self.relative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::verdict::CauseItem;

    fn cause(kind: Kind, item: &str, expected: f64, observed: f64) -> Cause {
        Cause {
            kind,
            feature: "status".to_owned(),
            what: item.to_owned(),
            direction: if observed > expected { Direction::Up } else { Direction::Down },
            expected,
            low: 0.0,
            high: 2.0 * expected,
            observed,
            windows: 1,
            share: 1.0,
            items: vec![CauseItem { item: item.to_owned(), count: 1 }],
        }
    }

    fn like(cause: &Cause) -> Likeness {
        let (deviation, relative) = Numbers::of(cause).size();
        Likeness {
            kind: cause.kind.to_string(),
            feature: cause.feature.clone(),
            item: cause.items.first().map(|item| item.item.clone()),
            direction: cause.direction,
            deviation,
            relative,
        }
    }

    const COUNTS: Block = Block::Counts { name: String::new(), buckets: 4 };
    const NUMBERS: Block = Block::Numeric { names: Vec::new() };

    #[test]
    fn a_dip_that_was_normal_hides_no_loss_and_one_error_no_million() {
        let like = |expected, observed| like(&cause(Kind::Feature, "x", expected, observed));
        let has = |like: &Likeness, expected, observed| {
            like.has(&cause(Kind::Feature, "x", expected, observed), &Block::Numeric { names: vec!["status".into()] })
        };
        let dip = like(100.0, 59.0);
        assert!(has(&dip, 100.0, 70.0) && has(&dip, 100.0, 45.0));
        assert!(!has(&dip, 100.0, 10.0) && !has(&dip, 100.0, 0.0));
        let error = like(0.0, 1.0);
        assert!(has(&error, 0.0, 3.0) && !has(&error, 0.0, 1e6));
    }

    #[test]
    fn the_like_has_feature_item_direction_and_a_similar_size() {
        let like = like(&cause(Kind::Errors, "500", 2.0, 42.0));
        let has = |item, expected, observed| like.has(&cause(Kind::Errors, item, expected, observed), &COUNTS);
        assert!(has("500", 2.0, 42.0) && has("500", 2.0, 12.0) && has("500", 2.0, 120.0));
        assert!(!has("500", 2.0, 130.0), "larger");
        assert!(has("500", 10.0, 200.0), "as large a part of more traffic");
        assert!(!has("404", 2.0, 42.0), "another item");
        assert!(!has("500", 42.0, 2.0), "the other way");
        assert!(like.has(&cause(Kind::Share, "404", 2.0, 42.0), &NUMBERS), "a number's items come and go");
    }

    #[test]
    fn more_calls_in_slow_buckets_are_not_the_like_of_more_in_fast_ones() {
        let (group, measure) = ("p".to_owned(), "ms".to_owned());
        let block = Block::Histogram { name: "p*ms".to_owned(), group, measure, slots: 1, edges: vec![1.0] };
        let like = like(&cause(Kind::Latency, "bank", 2.0, 42.0));
        assert!(like.has(&cause(Kind::Latency, "bank", 2.0, 42.0), &block));
        assert!(!like.has(&cause(Kind::Faster, "bank", 2.0, 42.0), &block));
    }

    #[test]
    fn a_broken_range_is_not_the_like_of_what_is_only_unusual() {
        let usual = like(&cause(Kind::Feature, "", 2.0, 42.0));
        let range = cause(Kind::OutOfRange, "", 2.0, 42.0);
        assert!(!usual.has(&range, &NUMBERS) && like(&range).has(&range, &NUMBERS));
    }

    #[test]
    fn sizes_are_numbers_whatever_comes() {
        for observed in [0.0, f64::NAN, f64::INFINITY, -f64::MAX, f64::MAX] {
            for expected in [0.0, f64::NAN, f64::NEG_INFINITY, f64::MAX] {
                let (deviation, relative) = Numbers { observed, expected, low: expected, high: observed }.size();
                assert!(deviation.is_finite() && relative.is_finite() && deviation >= 0.0 && relative >= 0.0);
            }
        }
    }
}
