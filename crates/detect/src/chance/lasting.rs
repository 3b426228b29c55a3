//! From a raw score that lasts over windows to `p`: the chance that an ordinary window scores at least this high.
//!
//! For scores that remember the last windows (numbers of vector monitors). Their ordinary tails are alike from series to
//! series: ln(score) beyond its median falls off about exponentially. That is supposed of some thousand windows before any
//! was seen, and what is seen takes over as it accumulates. So early windows rank as later ones do, and a series' incidents
//! can't swamp its tail.
//!
//! Unusual windows come in stretches. As a score remembers the last windows, one ordinary jolt lasts that long too, so the
//! first windows of a stretch count in full and what goes on for longer hardly counts: left out altogether, a new normal
//! would never become one.

use crate::histogram::Histogram;
use serde::{Deserialize, Serialize};

/// Added to a score before its logarithm is taken, so that windows of score 0 aren't infinitely far below.
const SHIFT: f64 = 0.05;
/// Windows before scores are measured at all.
const FIRST: f64 = 10.0;
/// Windows that are supposed before any was seen, and the mean excess of their ln(score) over the median where scores are as
/// unsteady as servers' are: their lower quartile, which incidents don't reach, is at least so far from the median.
const SUPPOSED: u32 = 3_000;
const EXCESS: f64 = 0.18;
const UNSTEADY: f64 = 0.1;
/// That excess in distances of the quartile where the scores are normal, read where one window in ten thousand is: scores
/// that come of many independent numbers are nearly so, and none have a lighter tail.
const NORMAL: f64 = 0.7;
/// A quartile of n windows, which come in jolts, is uncertain by the root of this over n.
const UNCERTAIN: f64 = 15.0;
/// Share of the windows that the tail is drawn from, beyond which it is extrapolated.
const TAIL: f64 = 0.03;
/// Least median excess of the tail.
const LEAST_HALF: f64 = 0.01;
/// A window of this `p` or less is unusual.
const UNUSUAL: f64 = 0.03;
/// Windows of a stretch that count in full, and calm windows that end it.
const STRETCH: u32 = 10;
const CALM: u32 = 10;
/// Weight of what goes on for longer, and of windows so rare that they are rather an incident's.
const LEAST_WEIGHT: f32 = 0.05;
const EXTREME: f64 = 1e-4;

/// What is known of a detector's past scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lasting {
    /// ln(score).
    scores: Histogram,
    /// ln(score) beyond the median of its time.
    beyond: Histogram,
    /// Quantiles of both, read off now and then; none before there are enough windows.
    marks: Option<Marks>,
    /// Windows of the stretch so far, and calm ones since its last unusual one.
    stretch: u32,
    calm: u32,
}

/// The quantiles that turn a score into `p`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Marks {
    /// Median of ln(score).
    median: f64,
    /// Mean excess over it that is supposed.
    excess: f64,
    /// Where the tail starts beyond it, and the excess over the start that half of the tail exceeds.
    start: f64,
    half: f64,
}

impl Lasting {
    pub(crate) fn new() -> Self {
        let (scores, beyond) = (Histogram::new(-4.0, 8.0, 0.02), Histogram::new(-8.0, 12.0, 0.02));
        Self { scores, beyond, marks: None, stretch: 0, calm: 0 }
    }

    /// The chance of a score at least this high, in [1e-12, 1].
    pub(crate) fn p(&self, score: f64) -> f64 {
        let Some(Marks { median, excess, start, half }) = self.marks else { return 1.0 };
        let beyond = (score + SHIFT).ln() - median;
        let p = if beyond > start {
            TAIL * (-(beyond - start) / half).exp2()
        } else {
            let supposed = f64::from(SUPPOSED) * (-beyond.max(0.0) / excess).exp();
            (self.beyond.above(beyond) + supposed) / (self.beyond.weight() + f64::from(SUPPOSED))
        };
        p.clamp(1e-12, 1.0)
    }

    /// Takes a window in.
    pub(crate) fn add(&mut self, score: f64) {
        let p = self.p(score);
        if p <= UNUSUAL {
            (self.stretch, self.calm) = (self.stretch.saturating_add(1), 0);
        } else {
            self.calm = self.calm.saturating_add(1);
            if self.calm >= CALM {
                self.stretch = 0;
            }
        }
        let weight = if self.stretch <= STRETCH && p > EXTREME { 1.0 } else { LEAST_WEIGHT };
        let log = (score + SHIFT).ln();
        if let Some(marks) = self.marks {
            self.beyond.add(log - marks.median, weight);
        }
        self.scores.add(log, weight);
    }

    /// Reads the quantiles off anew.
    pub(crate) fn renew(&mut self) {
        if self.scores.weight() >= FIRST {
            let median = self.scores.exceeded_by(0.5);
            let excess = supposed_excess(median - self.scores.exceeded_by(0.75), self.scores.weight());
            let mut all = self.beyond.clone();
            for window in 0..SUPPOSED / 10 {
                all.add(-excess * ((f64::from(window) + 0.5) / f64::from(SUPPOSED / 10)).ln(), 10.0);
            }
            let start = all.exceeded_by(TAIL);
            let half = (all.exceeded_by(TAIL / 2.0) - start).max(LEAST_HALF);
            self.marks = Some(Marks { median, excess, start, half });
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let made = Self::new();
        let sound = |marks: &Marks| {
            marks.median.is_finite()
                && (LEAST_HALF..=EXCESS).contains(&marks.excess)
                && marks.start.is_finite()
                && marks.half.is_finite()
                && marks.half >= LEAST_HALF
        };
        self.scores.is_consistent(&made.scores)
            && self.beyond.is_consistent(&made.beyond)
            && self.marks.as_ref().is_none_or(sound)
    }
}

/// Mean excess over the median that is supposed of scores whose lower quartile, of so many windows, is this far below it.
/// The steadier they are, the nearer to normal.
fn supposed_excess(quartile: f64, windows: f64) -> f64 {
    let quartile = quartile * (1.0 + (UNCERTAIN / windows).sqrt());
    (EXCESS * (quartile / UNSTEADY).powi(3)).max(NORMAL * quartile).clamp(LEAST_HALF, EXCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Scores that last for five windows each.
    fn scores(seed: u64, windows: usize) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut jolt = || (-0.16 * (1.0 - rng.random::<f64>()).ln()).exp();
        (0..windows / 5).flat_map(|_| [jolt(); 5]).collect()
    }

    fn fed(scores: &[f64]) -> Lasting {
        let mut lasting = Lasting::new();
        for (window, score) in scores.iter().enumerate() {
            lasting.add(*score);
            if window % 10 == 9 {
                lasting.renew();
            }
        }
        lasting
    }

    fn share_beyond(lasting: &Lasting, p: f64) -> f64 {
        let fresh = scores(2, 100_000);
        fresh.iter().filter(|score| lasting.p(**score) <= p).count() as f64 / fresh.len() as f64
    }

    #[test]
    fn p_is_the_share_of_ordinary_windows_that_score_as_high() {
        let lasting = fed(&scores(1, 20_000));
        for asked in [0.1, 0.01, 1e-3] {
            let ratio = share_beyond(&lasting, asked) / asked;
            assert!((1.0 / 3.0..3.0).contains(&ratio), "{asked}: {ratio}");
        }
    }

    #[test]
    fn incidents_hardly_change_the_tail() {
        let mut scores = scores(1, 20_000);
        scores.chunks_mut(1_000).for_each(|some| some[950..].iter_mut().for_each(|score| *score *= 8.0));
        let ratio = share_beyond(&fed(&scores), 1e-3) / 1e-3;
        assert!((0.1..3.0).contains(&ratio), "{ratio}");
        let before = fed(&scores[..950]).p(16.0);
        assert!(fed(&scores[..1_000]).p(16.0) < before.sqrt(), "{before}");
    }

    #[test]
    fn early_windows_rank_as_later_ones() {
        let scores = scores(1, 20_000);
        let (early, late) = (fed(&scores[..100]).p(4.0).ln(), fed(&scores).p(4.0).ln());
        assert!((early / late - 1.0).abs() < 0.5, "{early} {late}");
    }

    #[test]
    fn steady_scores_are_supposed_to_stay_so_and_less_surely_by_few_windows() {
        // Sums of twelve: normal, with a deviation of 0.05.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut steady = || (((0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0) * 0.05).exp();
        let scores: Vec<f64> = (0..2_400).map(|_| steady()).collect();
        let [early, late] = [150, 2_400].map(|windows| fed(&scores[..windows]).p(1.5));
        assert!(late < 1e-4 && early < 1e-2 && early > late, "{early} {late}");
        // Unsteady ones jump that far now and then.
        assert!(fed(&self::scores(1, 2_400)).p(1.5) > 0.02);
        let excesses: Vec<f64> = (0..40).map(|step| supposed_excess(f64::from(step) * 0.005, 1e4)).collect();
        assert!(excesses.windows(2).all(|pair| pair[0] <= pair[1]), "{excesses:?}");
        assert_eq!((excesses[0], excesses[39]), (LEAST_HALF, EXCESS));
    }

    #[test]
    fn p_never_rises_with_the_score() {
        let lasting = fed(&scores(1, 500));
        let all: Vec<f64> = (0..2_000).map(|step| lasting.p(f64::from(step) * 0.01)).collect();
        assert!(all.windows(2).all(|pair| pair[1] <= pair[0] * 1.001), "{all:?}");
        assert_eq!(Lasting::new().p(1e9), 1.0);
    }
}
