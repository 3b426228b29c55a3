//! From a raw score to `p`: the chance that an ordinary recent window scores at least this high.
//!
//! Two steps, because incidents may fill the upper part of the history (a third of all windows in the trace sets).
//! ln(score) is first measured from its median in units of the lower half's spread, which incidents don't reach, over a
//! past that fades as models learn. The tail of that steady unit is then estimated over the whole past: ranks where there
//! are enough windows, and beyond them an extrapolation ([`Marks::tail`]).

use crate::histogram::Histogram;
use crate::layout::Block;
use serde::{Deserialize, Serialize};

/// Windows before scores are measured at all.
const FIRST: f64 = 10.0;
/// Least spread of the lower half of ln(score).
const LEAST_SPREAD: f64 = 0.25;
/// Windows that the tail should hold, and the least share of all that it is.
const TAIL: f64 = 100.0;
const LEAST_SHARE: f64 = 0.02;
/// A window of this `p` is rare; what there is more of them than by chance is incidents. The tail is at least so many times their
/// share, so that its scale is read off beneath them however often they come.
const RARE: f64 = 0.0005;
const ROOM: f64 = 8.0;
/// Least weight of a window that isn't usual, and of one after it.
const LEAST_WEIGHT: f64 = 0.03;
/// Least median excess of the tail.
const LEAST_EXCESS: f64 = 0.02;
/// Steepest bend of the tail, and how many windows must hold it up for half of the bend to be believed.
const STEEPEST: f64 = 2.0;
const BEND: f64 = 100.0;
/// By how much the highest quarter of a normal distribution bends more than an exponential tail.
const NORMAL_BEND: f64 = 0.3;

/// What a detector's scores are, as far as it is known before any was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Nature {
    /// Multiples of what is usual: nothing is known of their tail.
    Ratio,
    /// Lengths of vectors in standard deviations: their tail is much like that of a normal distribution.
    Deviation,
    /// The worst of many deviations, of sums over the same last windows: one by one they run off together, and somewhat beyond
    /// a normal distribution.
    Worst,
}

impl Nature {
    /// What the scores of this block are.
    pub(crate) fn of(block: &Block) -> Self {
        match block {
            Block::Histogram { .. } => Self::Deviation,
            Block::Counts { .. } => Self::Worst,
            Block::Numeric { .. } => Self::Ratio,
        }
    }

    /// Added to a score before its logarithm is taken: to a ratio so that 0 isn't infinitely far below, to a length what
    /// makes its distribution even.
    fn shift(self) -> f64 {
        match self {
            Self::Ratio => 0.05,
            Self::Deviation | Self::Worst => 1.0,
        }
    }

    /// A window of this `p` or more counts in full, a rarer one in proportion; so does one after it. Of deviations the
    /// lower half is enough to know their middle by.
    fn usual(self) -> f64 {
        match self {
            Self::Ratio => 0.3,
            Self::Deviation | Self::Worst => 0.5,
        }
    }

    /// Largest share of all windows that the tail may be. Where its shape is known it may start low, beneath faults that
    /// fill a quarter of a short history.
    fn most(self) -> f64 {
        match self {
            Self::Ratio => 0.1,
            Self::Deviation | Self::Worst => 0.25,
        }
    }

    /// Bend of a tail of this share, before it was seen: 1 is exponential. That of a normal distribution is 1.3 over the
    /// highest quarter and 1.13 over the highest fiftieth, as its quantiles down to one in ten thousand have it. The worst of
    /// deviations bend half as much.
    fn bend(self, share: f64) -> f64 {
        match self {
            Self::Ratio => 1.0,
            Self::Deviation => 1.0 + NORMAL_BEND * (share / 0.25).cbrt(),
            Self::Worst => 1.0 + NORMAL_BEND / 2.0 * (share / 0.25).cbrt(),
        }
    }
}

/// What is known of a detector's past scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calibration {
    nature: Nature,
    /// ln(score) of all windows; fades.
    scores: Histogram,
    /// Scores in steady units, of the windows that count as ordinary.
    steady: Histogram,
    /// `p` of the window before.
    before: f64,
    /// Share of rare ones among the windows that count as ordinary.
    rare: f64,
    /// Quantiles of both, read off now and then; none before there are enough windows.
    marks: Option<Marks>,
}

/// The quantiles that turn a score into `p`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Marks {
    /// What is added to a score; median of its logarithm then, and the spread of the lower half.
    shift: f64,
    middle: f64,
    spread: f64,
    /// Where the tail of the steady scores starts, the weight beyond, and the share that is of all.
    start: f64,
    weight: f64,
    share: f64,
    /// Excess over the start that half of the tail exceeds, and the bend of the tail: 1 exponential, above 1 lighter.
    half: f64,
    bend: f64,
}

impl Calibration {
    pub(crate) fn new(nature: Nature) -> Self {
        Self {
            nature,
            scores: Histogram::new(-4.0, 8.0, 0.02),
            steady: Histogram::new(-8.0, 32.0, 0.02),
            before: 1.0,
            rare: 0.0,
            marks: None,
        }
    }

    /// The chance of a score at least this high, in [1e-12, 1].
    pub(crate) fn p(&self, score: f64) -> f64 {
        let Some(marks) = self.marks else { return 1.0 };
        let steady = marks.steady(score);
        let p = if steady > marks.start {
            marks.tail(steady)
        } else {
            (self.steady.above(steady) + 0.5) / (self.steady.weight() + 1.0)
        };
        p.clamp(1e-12, 1.0)
    }

    /// Takes a window in, with the `weight` it is learned with. As far as it `counts` as ordinary (0 to 1) it says what tails are
    /// like, and the less so the more unusual the one before it was: unusual windows come in stretches, and a stretch is
    /// one event. Where windows are independent, the weight doesn't depend on this window's score and nothing is biased.
    pub(crate) fn add(&mut self, score: f64, counts: f32, weight: f32) {
        let alone = (self.before / self.nature.usual()).clamp(LEAST_WEIGHT, 1.0);
        self.before = self.p(score);
        if let Some(marks) = self.marks.filter(|_| counts > 0.0) {
            let weight = alone as f32 * counts;
            self.steady.add(marks.steady(score), weight);
            let is_rare = if self.before <= RARE { 1.0 } else { 0.0 };
            self.rare += (is_rare - self.rare) * f64::from(weight) / self.steady.weight();
        }
        let weight = match self.nature {
            Nature::Ratio => weight,
            Nature::Deviation | Nature::Worst => alone as f32,
        };
        self.scores.add((score + self.nature.shift()).ln(), weight);
    }

    /// Weight that a model of counts learns the window added last with: what stands out in this part shifts its shares
    /// and widens its widths, however ordinary the whole window is called.
    pub(crate) fn trust(&self) -> f32 {
        (self.before / self.nature.usual()).clamp(LEAST_WEIGHT, 1.0) as f32
    }

    /// Reads the quantiles off anew; then scores of windows when less was known lose weight against the next ones.
    pub(crate) fn renew(&mut self, keep: f64) {
        if self.scores.weight() >= FIRST || self.marks.is_some() {
            self.marks = Some(Marks::of(self.nature, &self.scores, &self.steady, self.rare));
        }
        self.scores.fade(keep);
    }

    pub(crate) fn is_consistent(&self, made: &Self) -> bool {
        self.nature == made.nature
            && (0.0..=1.0).contains(&self.before)
            && (0.0..=1.0).contains(&self.rare)
            && self.scores.is_consistent(&made.scores)
            && self.steady.is_consistent(&made.steady)
            && self.marks.as_ref().is_none_or(|marks| marks.is_consistent(made.nature))
    }
}

impl Marks {
    fn of(nature: Nature, scores: &Histogram, steady: &Histogram, rare: f64) -> Self {
        let middle = scores.exceeded_by(0.5);
        let spread = (middle - scores.exceeded_by(0.75)).max(LEAST_SPREAD);
        let n = steady.weight();
        let room = ROOM * (rare - RARE).max(0.0);
        let share = (TAIL / n.max(1.0)).max(room).clamp(LEAST_SHARE, nature.most());
        let weight = share * n;
        let start = steady.exceeded_by(share);
        let half = (steady.exceeded_by(share / 2.0) - start).max(LEAST_EXCESS);
        let tenth = (steady.exceeded_by(share / 10.0) - start).max(half * 1.01);
        // Of a tail exp(−xᵇ) the excesses of the tenth and the half have the ratio (ln 10 / ln 2)^(1/b).
        let steepness =
            ((std::f64::consts::LN_10 / std::f64::consts::LN_2).ln() / (tenth / half).ln()).clamp(1.0, STEEPEST);
        let known = nature.bend(share);
        // Where incidents need all the room, the tenth is among them.
        let seen = weight * (1.0 - room / share).max(0.0);
        let bend = known + (steepness - known) * seen / (seen + BEND);
        Self { shift: nature.shift(), middle, spread, start, weight, share, half, bend }
    }

    fn steady(&self, score: f64) -> f64 {
        ((score + self.shift).ln() - self.middle) / self.spread
    }

    /// Beyond the start: a Weibull tail through the median excess, so that a few incidents don't stretch it, never heavier
    /// than exponential. Where the history is short its scale is uncertain itself: the predictive tail of an exponential
    /// with estimated scale is a power law that tends to it, so little history means little confidence.
    fn tail(&self, steady: f64) -> f64 {
        let excess = std::f64::consts::LN_2 * ((steady - self.start) / self.half).powf(self.bend);
        let weight = self.weight.max(1.0);
        self.share * (1.0 + excess / weight).powf(-weight)
    }

    fn is_consistent(&self, nature: Nature) -> bool {
        let all = [self.middle, self.spread, self.start, self.weight, self.share, self.half, self.bend];
        all.iter().all(|value| value.is_finite())
            && self.shift == nature.shift()
            && self.spread > 0.0
            && self.half > 0.0
            && self.weight >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Scores like those of a detector on ordinary windows: lengths of a Gaussian vector.
    fn ordinary(rng: &mut ChaCha8Rng) -> f64 {
        let mut square = 0.0;
        for _ in 0..3 {
            let (a, b): (f64, f64) = (rng.random(), rng.random());
            square += -2.0 * (1.0 - a).ln() * (std::f64::consts::TAU * b).cos().powi(2);
        }
        square.sqrt()
    }

    fn feed(calibration: &mut Calibration, scores: impl Iterator<Item = f64>) {
        for (window, score) in scores.enumerate() {
            calibration.add(score, 1.0, 1.0);
            if window % 10 == 9 {
                calibration.renew(0.99);
            }
        }
    }

    #[test]
    fn p_is_the_share_of_ordinary_windows_that_score_as_high() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut calibration = Calibration::new(Nature::Ratio);
        feed(&mut calibration, (0..3_000).map(|_| ordinary(&mut rng)));
        for asked in [0.3, 0.1, 0.03, 0.01] {
            let hits = (0..30_000).filter(|_| calibration.p(ordinary(&mut rng)) <= asked).count();
            let ratio = hits as f64 / 30_000.0 / asked;
            assert!((0.5..1.6).contains(&ratio), "{asked}: {ratio}");
        }
        // Beyond what was counted: within the factor of three that is promised.
        let hits = (0..100_000).filter(|_| calibration.p(ordinary(&mut rng)) <= 1e-4).count();
        assert!(hits <= 30, "{hits} where 10 are asked");
    }

    #[test]
    fn p_never_rises_with_the_score() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let mut calibration = Calibration::new(Nature::Ratio);
        feed(&mut calibration, (0..500).map(|_| ordinary(&mut rng)));
        let all: Vec<f64> = (0..2_000).map(|step| calibration.p(f64::from(step) * 0.01)).collect();
        assert!(all.windows(2).all(|pair| pair[1] <= pair[0] * 1.001), "{all:?}");
    }

    #[test]
    fn little_history_means_little_confidence() {
        let after = |windows: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            let mut calibration = Calibration::new(Nature::Ratio);
            feed(&mut calibration, (0..windows).map(|_| ordinary(&mut rng)));
            calibration.p(9.0)
        };
        assert!(after(60) > 30.0 * after(3_000), "{} {}", after(60), after(3_000));
        assert_eq!(Calibration::new(Nature::Ratio).p(1e9), 1.0);
    }

    #[test]
    fn a_stretch_of_unusual_windows_hardly_changes_the_tail() {
        let mut rng = ChaCha8Rng::seed_from_u64(10);
        let mut calibration = Calibration::new(Nature::Ratio);
        feed(&mut calibration, (0..1_000).map(|_| ordinary(&mut rng)));
        let before = calibration.p(8.0);
        feed(&mut calibration, (0..40).map(|_| 7.0));
        assert!(calibration.p(8.0) < before.sqrt(), "{before} {}", calibration.p(8.0));
    }

    /// Shares of many ordinary windows at the line where `p` is 0.003 and 0.0003.
    fn realised(calibration: &Calibration, rng: &mut ChaCha8Rng) -> [f64; 2] {
        let all: Vec<f64> = (0..200_000).map(|_| calibration.p(ordinary(rng))).collect();
        [3e-3, 3e-4].map(|asked| all.iter().filter(|p| **p <= asked).count() as f64 / 200_000.0 / asked)
    }

    #[test]
    fn deviations_keep_to_the_budget_beyond_what_was_counted() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut calibration = Calibration::new(Nature::Deviation);
        feed(&mut calibration, (0..5_000).map(|_| ordinary(&mut rng)));
        let realised = realised(&calibration, &mut rng);
        assert!(realised.iter().all(|ratio| (0.2..3.0).contains(ratio)), "{realised:?}");
    }

    #[test]
    fn faults_in_a_third_of_all_windows_leave_the_line_within_reach() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let mut calibration = Calibration::new(Nature::Deviation);
        feed(&mut calibration, (0..60).map(|_| ordinary(&mut rng)));
        for _ in 0..12 {
            feed(&mut calibration, (0..18).map(|_| 9.0 + ordinary(&mut rng)));
            feed(&mut calibration, (0..36).map(|_| ordinary(&mut rng)));
        }
        // A fault of the same size is found as the first one was, and ordinary windows still aren't.
        assert!(calibration.p(10.0) < 3e-3, "{}", calibration.p(10.0));
        assert!(realised(&calibration, &mut rng)[0] < 3.0);
    }

    #[test]
    fn faults_in_one_of_eighty_windows_leave_the_line_within_reach_for_ever() {
        for nature in [Nature::Deviation, Nature::Worst] {
            let mut rng = ChaCha8Rng::seed_from_u64(13);
            let mut calibration = Calibration::new(nature);
            feed(&mut calibration, (0..1_500).map(|_| ordinary(&mut rng)));
            for fault in 0..400 {
                assert!(calibration.p(9.0) < 1e-4, "fault {fault}: {}", calibration.p(9.0));
                feed(&mut calibration, std::iter::once(9.0 + ordinary(&mut rng)));
                feed(&mut calibration, (0..79).map(|_| ordinary(&mut rng)));
            }
            assert!(realised(&calibration, &mut rng)[0] < 3.0);
        }
    }
}
