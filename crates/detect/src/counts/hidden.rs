//! Detector for items that share a bucket with another: a bucket's count says little of one of several items, so each is
//! held against its own share of the block.
//!
//! The deviance of `fingerprint.md` §4 again, item by item: where an item is thin, windows are summed until enough is
//! expected to judge.

use crate::counts::heavy::{Heavy, HeavyItem, PLACES};
use crate::counts::recent::MEMORY;
use crate::detector::{Expectation, Fit, Fitted, Share};
use serde::{Deserialize, Serialize};

/// Windows that the shares remember: older ones fade.
const HORIZON: f64 = 20_000.0;
/// Windows that an item must be known for before it is judged.
const KNOWN: f64 = 30.0;
/// Observations that the memory must expect of an item, as for buckets.
const TARGET: f64 = 30.0;
/// Observations that the longest memory must expect: of a rarer item not even silence says much, and of what it is more
/// often than expected its bucket tells.
const LEAST: f64 = 5.0;
/// An item has company when less than this part of its bucket is its own.
const ALONE: f64 = 0.9;
/// Residuals are clipped here, in widths; and where widths are learned.
const CLIP: f64 = 30.0;
const CLIP_TO_LEARN: f64 = 3.0;

/// What is known of one item.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Past {
    /// The item's number, as [`Heavy`] gives it.
    number: u32,
    windows: f64,
    count: f64,
    in_bucket: f64,
    total: f64,
    /// Windows whose residual is known, and the sum of those squared.
    residuals: f64,
    squares: f64,
}

impl Past {
    fn fade(&mut self, keep: f64) {
        for sum in [
            &mut self.windows,
            &mut self.count,
            &mut self.in_bucket,
            &mut self.total,
            &mut self.residuals,
            &mut self.squares,
        ] {
            *sum *= keep;
        }
    }

    fn is_consistent(&self) -> bool {
        [self.windows, self.count, self.in_bucket, self.total, self.residuals, self.squares]
            .iter()
            .all(|sum| sum.is_finite() && *sum >= 0.0)
    }

    fn usual(&self) -> Usual {
        let mean = self.count / self.windows.max(1.0);
        let judged = self.windows >= KNOWN && mean * MEMORY as f64 >= LEAST && self.count < ALONE * self.in_bucket;
        let memory = [1, 2, 3].into_iter().find(|windows| f64::from(*windows) * mean >= TARGET);
        Usual {
            number: self.number,
            judged,
            share: (self.count + 0.5) / (self.total + 1.0),
            memory: memory.unwrap_or(MEMORY as u8),
            width: (self.squares / self.residuals.max(1.0)).sqrt().max(1.0),
        }
    }
}

/// Statistics of a block's heavy items, by place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hidden {
    items: Vec<Past>,
}

impl Hidden {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.items.len() <= PLACES && self.items.iter().all(Past::is_consistent)
    }
}

impl Fit for Hidden {
    type Input = Heavy;
    type Fitted = HiddenModel;

    fn blank(&self) -> Self {
        Self::new()
    }

    fn learn(&mut self, heavy: &Heavy, model: Option<&HiddenModel>, weight: f32) {
        let weight = f64::from(weight);
        for (place, item) in heavy.items().enumerate() {
            if place == self.items.len() {
                self.items.push(Past { number: item.number(), ..Past::default() });
            }
            let past = &mut self.items[place];
            if past.number != item.number() {
                *past = Past { number: item.number(), ..Past::default() };
            }
            past.windows += weight;
            past.count += weight * f64::from(item.newest());
            past.in_bucket += weight * f64::from(item.in_bucket);
            past.total += weight * f64::from(heavy.total(1));
            if let Some(usual) = model.and_then(|model| model.of(place, &item)) {
                let most = CLIP_TO_LEARN * usual.width;
                past.residuals += weight;
                past.squares += weight * usual.residual(heavy, &item).clamp(-most, most).powi(2);
            }
            if past.windows > HORIZON {
                past.fade(HORIZON / past.windows);
            }
        }
    }

    fn fit(&mut self) -> Option<HiddenModel> {
        let items: Vec<Usual> = self.items.iter().map(Past::usual).collect();
        // No model before there is something to judge: a row of noughts would make anything seem rare.
        items.iter().any(|usual| usual.judged).then_some(HiddenModel { items })
    }
}

/// What is expected of one item.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Usual {
    number: u32,
    /// Whether it is known for long enough, frequent enough, and has company in its bucket.
    judged: bool,
    share: f64,
    memory: u8,
    width: f64,
}

impl Usual {
    fn expected(&self, heavy: &Heavy) -> f64 {
        self.share * f64::from(heavy.total(usize::from(self.memory)))
    }

    /// Signed root of the Poisson deviance.
    fn residual(&self, heavy: &Heavy, item: &HeavyItem<'_>) -> f64 {
        let (observed, expected) = (f64::from(item.sum(usize::from(self.memory))), self.expected(heavy));
        if expected <= 0.0 {
            return 0.0;
        }
        let log = if observed > 0.0 { observed * (observed / expected).ln() } else { 0.0 };
        (2.0 * (log - (observed - expected))).max(0.0).sqrt().copysign(observed - expected)
    }

    /// In widths; 0 for an item that isn't judged.
    fn z(&self, heavy: &Heavy, item: &HeavyItem<'_>) -> f64 {
        if !self.judged {
            return 0.0;
        }
        (self.residual(heavy, item) / self.width).clamp(-CLIP, CLIP)
    }

    fn is_consistent(&self) -> bool {
        (0.0..=1.0).contains(&self.share)
            && (1..=MEMORY).contains(&usize::from(self.memory))
            && self.width.is_finite()
            && self.width >= 1.0
    }
}

/// The fitted model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HiddenModel {
    items: Vec<Usual>,
}

impl HiddenModel {
    pub(crate) fn is_consistent(&self) -> bool {
        self.items.len() <= PLACES && self.items.iter().all(Usual::is_consistent)
    }

    /// What is usual of the item in a place, if it is still the same.
    fn of(&self, place: usize, item: &HeavyItem<'_>) -> Option<&Usual> {
        self.items.get(place).filter(|usual| usual.number == item.number())
    }

    fn judged<'a>(&'a self, heavy: &'a Heavy) -> impl Iterator<Item = (&'a Usual, HeavyItem<'a>, f64)> {
        heavy.items().enumerate().filter_map(move |(place, item)| {
            let usual = self.of(place, &item)?;
            Some((usual, item, usual.z(heavy, &item)))
        })
    }

    /// Of a bucket, the item that is furthest off: observed and expected over its memory.
    pub(crate) fn expectation(&self, heavy: &Heavy, bucket: usize) -> Option<Expectation> {
        let here = self.judged(heavy).filter(|(_, item, z)| item.bucket() == bucket && *z != 0.0);
        let (usual, item, _) = here.max_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))?;
        let expected = usual.expected(heavy);
        let at = |z: f64| (expected.sqrt() + z * usual.width / 2.0).max(0.0).powi(2);
        Some(Expectation {
            observed: f64::from(item.sum(usize::from(usual.memory))),
            expected,
            low: at(-2.0),
            high: at(2.0),
            windows: u32::from(usual.memory).min(heavy.windows() as u32),
        })
    }
}

impl Fitted for HiddenModel {
    type Input = Heavy;

    /// That of the three items furthest off.
    fn score(&self, heavy: &Heavy) -> f64 {
        let mut worst = [0.0_f64; 3];
        for (_, _, z) in self.judged(heavy) {
            if z * z > worst[2] {
                worst[2] = z * z;
                worst.sort_by(|a, b| b.total_cmp(a));
            }
        }
        worst.iter().sum::<f64>().sqrt()
    }

    /// Under the items' buckets.
    fn explain(&self, heavy: &Heavy) -> Vec<Share> {
        let mut parts = vec![0.0; heavy.buckets()];
        for (_, item, z) in self.judged(heavy) {
            parts[item.bucket()] += (z * z - 1.0).max(0.0);
        }
        Share::of(parts.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Item;

    const USUAL: [u64; 3] = [8, 6, 60];

    fn push(heavy: &mut Heavy, counts: [u64; 3]) {
        let items: Vec<Item> = [("/quote", 0), ("/login", 0), ("/", 1)]
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|((item, bucket), count)| Item {
                dimension: "endpoint".to_owned(),
                item: item.to_owned(),
                count,
                bucket,
            })
            .collect();
        heavy.push(&[(counts[0] + counts[1]) as f32, counts[2] as f32], &items, false);
    }

    /// Three items in two buckets that were as frequent as usual in so many windows.
    fn settled(windows: usize) -> (Heavy, HiddenModel) {
        let (mut heavy, mut hidden, mut model) = (Heavy::new("endpoint", 2), Hidden::new(), None);
        for _ in 0..windows {
            push(&mut heavy, USUAL);
            hidden.learn(&heavy, model.as_ref(), 1.0);
            model = hidden.fit();
        }
        (heavy, model.expect("something to judge"))
    }

    #[test]
    fn an_item_that_vanished_behind_another_shows_with_what_was_expected_of_it() {
        let (mut heavy, model) = settled(100);
        (0..5).for_each(|_| push(&mut heavy, [14, 0, 60]));
        assert!(model.score(&heavy) > 6.0, "{}", model.score(&heavy));
        push(&mut heavy, [8, 0, 60]);
        assert_eq!(model.explain(&heavy)[0].feature, 0);
        let seen = model.expectation(&heavy, 0).unwrap();
        assert!(seen.observed == 0.0 && seen.expected > 30.0 && seen.low > 10.0 && seen.windows == 6, "{seen:?}");
    }

    #[test]
    fn an_item_alone_in_its_bucket_is_left_to_the_buckets() {
        let (mut heavy, model) = settled(100);
        push(&mut heavy, [8, 6, 0]);
        assert!(model.expectation(&heavy, 1).is_none() && model.explain(&heavy).iter().all(|share| share.feature == 0));
    }

    #[test]
    fn items_hardly_known_are_not_judged() {
        let (mut heavy, mut hidden) = (Heavy::new("endpoint", 2), Hidden::new());
        for window in 0..40 {
            push(&mut heavy, USUAL);
            hidden.learn(&heavy, None, 1.0);
            assert_eq!(hidden.fit().is_some(), window >= 29, "window {window}");
        }
    }

    #[test]
    fn who_takes_anothers_place_does_not_inherit_its_past() {
        let (heavy, model) = settled(100);
        let newcomer = HiddenModel { items: vec![Usual { number: 7, ..model.items[0] }] };
        assert!(model.of(0, &heavy.items().next().unwrap()).is_some());
        assert!(newcomer.of(0, &heavy.items().next().unwrap()).is_none());
        let mut hidden = Hidden { items: vec![Past { number: 7, windows: 500.0, ..Past::default() }] };
        hidden.learn(&heavy, None, 1.0);
        assert_eq!((hidden.items[0].number, hidden.items[0].windows), (0, 1.0));
    }
}
