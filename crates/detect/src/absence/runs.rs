//! How long something lasts when it happens, window after window, and so how unusual it is that it still does.

use serde::{Deserialize, Serialize};

/// A run must be longer than this many times the longest one of the past.
const LONGER: u32 = 2;
/// Windows in which a run may go on where none was ever seen to, and of how many.
const GOES_ON: f64 = 0.1;

/// The runs of windows in which something holds. What was told as unusual isn't part of the past, so that the next one is
/// found as fast.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Runs {
    /// Two halves of the past, the newer first: the older one is forgotten when the newer is full.
    past: [Half; 2],
    /// The run so far; 0 where it doesn't hold.
    run: u32,
    fate: Fate,
}

/// Half of the past.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Half {
    /// Windows, those among them in which it held, the runs that these make, and the longest.
    windows: u32,
    held: u32,
    runs: u32,
    longest: u32,
}

/// What a run is taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Fate {
    /// As usual as others.
    #[default]
    Ordinary,
    /// Unusual.
    Told,
    /// The new normal.
    Accepted,
}

impl Runs {
    /// It holds in this window, too.
    pub(crate) fn goes_on(&mut self) {
        self.run = self.run.saturating_add(1);
    }

    /// It doesn't. The run that this ends is remembered unless it was told. `horizon` is the number of windows that fill half
    /// of the past.
    pub(crate) fn ends(&mut self, horizon: u32) {
        if self.fate != Fate::Told {
            self.excuse();
        }
        (self.run, self.fate) = (0, Fate::Ordinary);
        if self.past[0].windows >= horizon {
            self.past = [Half::default(), self.past[0]];
        }
        self.past[0].windows = self.past[0].windows.saturating_add(1);
    }

    /// The run was as it should be after all, and is over.
    pub(crate) fn excuse(&mut self) {
        let Half { windows, held, runs, longest } = &mut self.past[0];
        *windows = windows.saturating_add(self.run);
        *held = held.saturating_add(self.run);
        *runs = runs.saturating_add(u32::from(self.run > 0));
        *longest = self.run.max(*longest);
        (self.run, self.fate) = (0, Fate::Ordinary);
    }

    /// Whether people heard of this run.
    pub(crate) fn is_told(&self) -> bool {
        self.fate == Fate::Told
    }

    /// Windows of the run so far; 0 where it doesn't hold.
    pub(crate) fn run(&self) -> u32 {
        self.run
    }

    /// Ordinary windows known.
    pub(crate) fn windows(&self) -> u32 {
        self.sum(|half| half.windows)
    }

    /// Share of the ordinary windows in which it held.
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.sum(|half| half.held)) / f64::from(self.windows().max(1))
    }

    fn sum(&self, of: impl Fn(&Half) -> u32) -> u32 {
        self.past.iter().map(of).fold(0, u32::saturating_add)
    }

    /// The chance that an ordinary window is the last of a run as long as this one; 1 where the past has runs that come near.
    /// `alone` is the least chance with which a window like this would come by itself.
    pub(crate) fn p(&self, alone: f64) -> f64 {
        let [now, before] = &self.past;
        let longest = now.longest.max(before.longest);
        if self.run <= LONGER.saturating_mul(longest) || self.fate == Fate::Accepted {
            return 1.0;
        }
        let [windows, held, runs] =
            [self.windows(), self.sum(|half| half.held), self.sum(|half| half.runs)].map(f64::from);
        let begins = (runs + 0.5) / (windows + 1.0);
        // By the mean length of a run and by that of the longest of so many, which differ where all last alike.
        let by_mean = ((held - runs).max(0.0) + GOES_ON) / (held + 1.0);
        let by_longest = if runs > 0.0 { (-runs.ln_1p() / f64::from(longest.max(1))).exp() } else { 1.0 };
        let goes_on = by_mean.min(by_longest).max(alone);
        (begins.max(alone) * goes_on.powf(f64::from(self.run) - 1.0)).clamp(1e-12, 1.0)
    }

    /// People hear of this run: it teaches nothing.
    pub(crate) fn tell(&mut self) {
        if self.fate == Fate::Ordinary {
            self.fate = Fate::Told;
        }
    }

    /// What holds now is the new normal.
    pub(crate) fn accept(&mut self) {
        if self.run > 0 {
            self.fate = Fate::Accepted;
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let sound = |half: &Half| half.held <= half.windows && half.runs <= half.held && half.longest <= half.held;
        self.past.iter().all(sound) && (self.run > 0 || self.fate == Fate::Ordinary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: u32 = 10_000;

    /// Runs of these lengths, each after so many windows without.
    fn after(between: u32, lengths: &[u32]) -> Runs {
        let mut runs = Runs::default();
        for length in lengths {
            (0..between).for_each(|_| runs.ends(HORIZON));
            (0..*length).for_each(|_| runs.goes_on());
        }
        (0..between).for_each(|_| runs.ends(HORIZON));
        runs
    }

    /// Windows until a run is rarer than this.
    fn needed(runs: &Runs, p: f64) -> u32 {
        let mut runs = runs.clone();
        (1..1_000).find(|_| (runs.goes_on(), runs.p(0.0) <= p).1).unwrap_or(1_000)
    }

    #[test]
    fn what_never_happened_is_unusual_after_a_few_windows() {
        assert_eq!(needed(&after(2_000, &[]), 1e-5), 3);
        assert_eq!(needed(&after(50_000, &[]), 1e-5), 2);
    }

    #[test]
    fn a_run_is_held_against_the_longest_of_the_past() {
        let usual = after(100, &[1, 3, 12, 5]);
        assert_eq!(needed(&usual, 1.0 - 1e-9), 25);
        assert!(needed(&usual, 1e-5) < 60);
    }

    #[test]
    fn what_was_told_is_told_as_fast_the_next_time() {
        let mut runs = after(2_000, &[]);
        let first = needed(&runs, 1e-5);
        for _ in 0..10 {
            (0..50).for_each(|_| runs.goes_on());
            runs.tell();
            (0..200).for_each(|_| runs.ends(HORIZON));
            assert!(needed(&runs, 1e-5) <= first);
        }
    }

    #[test]
    fn what_was_accepted_says_nothing_until_it_ends_and_is_known_then() {
        let mut runs = after(2_000, &[]);
        (0..50).for_each(|_| runs.goes_on());
        runs.tell();
        runs.accept();
        (0..500).for_each(|_| runs.goes_on());
        assert_eq!(runs.p(0.0), 1.0);
        runs.ends(HORIZON);
        assert!(needed(&runs, 0.99) > 550);
        assert!(runs.is_consistent());
    }

    #[test]
    fn the_past_fades() {
        let mut runs = after(10, &[300]);
        assert_eq!(needed(&runs, 0.99), 601);
        (0..2 * HORIZON).for_each(|_| runs.ends(HORIZON));
        assert!(needed(&runs, 1e-5) < 5);
    }
}
