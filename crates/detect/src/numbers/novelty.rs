//! Detector for values never seen: how far a number is from the nearest one known.
//!
//! The p-value is conformal: of the known values, each as far from *its* nearest as this one or farther (nearest-neighbour
//! conformity in one dimension, without holding anything out; Laxhammar and Falkman, "Conformal prediction for
//! distribution-independent anomaly detection in streaming vessel data", 2010). Nothing is assumed of the distribution:
//! of two modes, what lies between them is as new as what lies beyond. What was seen once is known at once, so the score
//! peaks at the beginning of an event.

use serde::{Deserialize, Serialize};

/// Values kept: the ones that would leave the largest hole.
const KEPT: usize = 1024;
/// Values before a distance means anything.
const FIRST: f64 = 20.0;
/// Values remembered, as far as their number counts.
const HORIZON: f64 = 20_000.0;
/// Distances that make the tail, and the share of all they may be. So few, because the largest distances are those of the
/// outermost values, of which more are no alike: a longer tail promises false alarms too rare.
const TAIL: f64 = 4.0;
const TAIL_SHARE: f64 = 0.1;
/// Least scale of the tail, in standard deviations and relative to the mean.
const LEAST_SCALE: (f64, f64) = (1e-3, 1e-6);

/// Highest surprise: −ln of the least p there is.
pub(crate) const MOST: f64 = 27.6;

/// The values of one number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Novelty {
    /// Different values, ascending.
    values: Vec<f32>,
    /// Distance of each from the nearest other there ever was; 0 where it came twice.
    gaps: Vec<f32>,
    /// Distances up to this may come from what was forgotten between the values.
    blur: f32,
    /// Number of values, their mean and the mean of their squared deviations.
    seen: f64,
    mean: f64,
    variance: f64,
    tail: Option<Tail>,
}

/// The largest distances: where they start, the share they are of all, their number and the excess of half of them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Tail {
    start: f64,
    share: f64,
    number: f64,
    half: f64,
}

impl Novelty {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), gaps: Vec::new(), blur: 0.0, seen: 0.0, mean: 0.0, variance: 0.0, tail: None }
    }

    /// −ln of the chance that an ordinary value is as far from all others, in [0, [`MOST`]]; none before enough is known.
    pub(crate) fn surprise(&self, value: f32) -> Option<f64> {
        let tail = self.tail?;
        let gap = self.gap(value);
        if gap <= self.blur {
            return Some(0.0);
        }
        let ln_p = if f64::from(gap) > tail.start {
            // Where few distances are known, their scale is uncertain: a power law that tends to the exponential.
            let excess = std::f64::consts::LN_2 * (f64::from(gap) - tail.start) / tail.half;
            tail.share.ln() - tail.number * (excess / tail.number).ln_1p()
        } else {
            let as_far = self.gaps.iter().filter(|known| **known >= gap).count();
            ((as_far as f64 + 0.5) / (self.seen + 1.0)).ln()
        };
        Some((-ln_p).clamp(0.0, MOST))
    }

    /// Distance from the nearest known value.
    fn gap(&self, value: f32) -> f32 {
        let above = self.values.partition_point(|known| *known < value);
        let to = |index: usize| self.values.get(index).map_or(f32::MAX, |known| (known - value).abs());
        above.checked_sub(1).map_or(f32::MAX, to).min(to(above))
    }

    /// Knows a value from now on.
    pub(crate) fn learn(&mut self, value: f32) {
        let share = 1.0 / (self.seen + 1.0);
        let offset = f64::from(value) - self.mean;
        self.mean += share * offset;
        self.variance = (1.0 - share) * (self.variance + share * offset * offset);
        self.seen = (self.seen + 1.0).min(HORIZON);
        let above = self.values.partition_point(|known| *known < value);
        if self.values.get(above) == Some(&value) {
            self.gaps[above] = 0.0;
            return;
        }
        let gap = self.gap(value);
        for (known, least) in self.values.iter().zip(&mut self.gaps).skip(above.saturating_sub(1)).take(2) {
            *least = least.min((known - value).abs());
        }
        self.values.insert(above, value);
        self.gaps.insert(above, gap);
        if self.values.len() > KEPT {
            self.thin();
        }
    }

    /// Forgets the value that leaves the smallest hole; what is far and between isn't forgotten.
    fn thin(&mut self) {
        let (mut index, mut least) = (0, f32::INFINITY);
        for (before, near) in self.values.windows(3).enumerate() {
            let hole = near[2] - near[0];
            if hole < least {
                (index, least) = (before + 1, hole);
            }
        }
        self.blur = self.blur.max(least);
        self.values.remove(index);
        self.gaps.remove(index);
    }

    /// Reads the tail of the distances off anew.
    pub(crate) fn fit(&mut self) {
        if self.seen < FIRST {
            return;
        }
        let number = TAIL.min((TAIL_SHARE * self.seen).floor());
        let share = number / self.seen;
        let mut gaps = self.gaps.clone();
        gaps.sort_by(|a, b| b.total_cmp(a));
        let nth = |number: f64| gaps.get(number as usize).map_or(0.0, |gap| f64::from(*gap));
        let start = nth(number);
        let least = (LEAST_SCALE.0 * self.variance.sqrt()).max(LEAST_SCALE.1 * self.mean.abs()).max(1e-12);
        self.tail = Some(Tail { start, share, number, half: (nth((number / 2.0).floor()) - start).max(least) });
    }

    /// Highest surprise that the number of values can show by counting.
    pub(crate) fn shown(&self) -> f64 {
        self.seen.max(1.0).ln()
    }

    /// Standard deviation of the values.
    pub(crate) fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let sound = |tail: &Tail| {
            [tail.start, tail.share, tail.number, tail.half].iter().all(|value| value.is_finite() && *value >= 0.0)
                && tail.half > 0.0
                && tail.number >= 1.0
                && (0.0..=1.0).contains(&tail.share)
        };
        self.values.len() <= KEPT
            && self.values.len() == self.gaps.len()
            && self.values.iter().all(|value| value.is_finite())
            && self.values.windows(2).all(|pair| pair[0] < pair[1])
            && self.gaps.iter().all(|gap| gap.is_finite() && *gap >= 0.0)
            && self.blur.is_finite()
            && self.blur >= 0.0
            && (0.0..=HORIZON).contains(&self.seen)
            && self.mean.is_finite()
            && self.variance.is_finite()
            && self.variance >= 0.0
            && self.tail.as_ref().is_none_or(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn known(values: impl Iterator<Item = f32>) -> Novelty {
        let mut novelty = Novelty::new();
        values.for_each(|value| novelty.learn(value));
        novelty.fit();
        novelty
    }

    #[test]
    fn surprises_are_as_frequent_as_they_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(61);
        for asked in [0.1_f64, 0.01] {
            let mut beyond = 0;
            for _ in 0..20 {
                let novelty = known((0..800).map(|_| rng.random::<f32>().powi(3)));
                beyond +=
                    (0..500).filter(|_| novelty.surprise(rng.random::<f32>().powi(3)).unwrap() >= -asked.ln()).count();
            }
            let ratio = f64::from(beyond as u32) / 10_000.0 / asked;
            assert!((0.5..2.0).contains(&ratio), "{asked}: {ratio}");
        }
    }

    #[test]
    fn values_that_come_again_and_again_are_near_each_other() {
        let coarse = known((0..600).map(|window| (window % 12) as f32));
        assert_eq!(coarse.surprise(5.0), Some(0.0));
        assert!(coarse.surprise(5.5).unwrap() > 10.0);
    }

    #[test]
    fn what_is_thinned_out_is_not_forgotten() {
        let mut rng = ChaCha8Rng::seed_from_u64(62);
        let novelty = known(std::iter::once(9.0).chain((0..5_000).map(|_| rng.random())));
        assert_eq!(novelty.values.len(), KEPT);
        assert!(novelty.is_consistent());
        assert!(novelty.surprise(9.0).unwrap() < 1.0 && novelty.surprise(0.5).unwrap() < 3.0);
        assert!(novelty.surprise(5.0).unwrap() > 10.0);
    }

    #[test]
    fn nothing_is_said_before_enough_is_known() {
        assert_eq!(known((0..19).map(|value| value as f32)).surprise(100.0), None);
        assert!(known((0..20).map(|value| value as f32)).surprise(100.0).unwrap() > 3.0);
    }
}
