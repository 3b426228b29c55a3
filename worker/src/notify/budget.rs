//! The budget of the whole deployment: which incidents people are told of.
//!
//! Every monitor opens as often as its own budget says, true incidents aside: `M` monitors of budget `b` open `M × b` times a
//! day. Where that is more than the deployment's budget `D`, only those are told that are rarer than the alert line of their
//! monitor by the same factor:
//!
//! ```text
//! told, if p ≤ p* × D / (M × b)        p* = exp(ln p / (2 × score)), the monitor's alert line
//! ```
//!
//! `p` says how often an ordinary window is as unusual, so that of the `M × b` openings a day that chance makes, `D` pass. What
//! is truly wrong is far rarer than the alert line and passes with next to no monitors or with a thousand.

use crate::notify::settings::Openings;

/// The least `p` that is told apart.
const LEAST_P: f64 = 1e-12;

/// How much rarer than its monitor's alert line an incident must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// `D / (M × b)`, at most 1.
    share: f64,
}

impl Budget {
    /// `openings` a day of the `expected` that all monitors make together.
    #[must_use]
    pub fn new(openings: Openings, expected: f64) -> Self {
        let share = match openings {
            Openings::AtMost(openings) if expected > openings => openings / expected,
            Openings::AtMost(_) | Openings::Unlimited => 1.0,
        };
        Self { share }
    }

    /// Whether people are told of an incident with this peak. One as rare as can be told always passes: its `score` is 1, and
    /// how far beyond the line it is isn't known.
    #[must_use]
    pub fn tells(self, score: f64, p: f64) -> bool {
        if self.share >= 1.0 || score >= 1.0 || p <= LEAST_P {
            return true;
        }
        // In logarithms: ln p ≤ ln p* + ln share. What says nothing about the line hides no incident.
        let ln_line = p.ln() / (2.0 * score);
        !ln_line.is_finite() || p.ln() <= ln_line + self.share.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: f64 = 86_400.0;

    fn score(p: f64, line: f64) -> f64 {
        (p.ln() / (2.0 * line.ln())).clamp(0.0, 1.0)
    }

    /// A number in (0, 1], the same for the same `x` (splitmix64).
    fn uniform(x: u64) -> f64 {
        let x = x.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::MIN_POSITIVE
    }

    /// Openings told a day, of `monitors` with windows of `window_s` over `days` without a true incident.
    fn told_a_day(budget: Budget, monitors: u64, each: f64, window_s: f64, days: u64) -> f64 {
        let line = each * window_s / DAY_S;
        let windows = (DAY_S / window_s) as u64 * days * monitors;
        let p = (0..windows).map(uniform).filter(|p| *p <= line);
        p.filter(|p| budget.tells(score(*p, line), *p)).count() as f64 / days as f64
    }

    #[test]
    fn two_hundred_monitors_tell_as_many_a_day_as_the_budget_says() {
        for (openings, each, window_s, days) in [(10.0, 1.0, 60.0, 100), (2.0, 0.5, 60.0, 100), (10.0, 1.0, 300.0, 400)]
        {
            let budget = Budget::new(Openings::AtMost(openings), 200.0 * each);
            let told = told_a_day(budget, 200, each, window_s, days);
            // Four standard deviations of a Poisson count.
            let off = 4.0 * (openings / days as f64).sqrt();
            assert!((told - openings).abs() < off, "{openings} a day asked, {told} told");
        }
    }

    #[test]
    fn monitors_that_keep_within_the_budget_by_themselves_tell_all() {
        for budget in [Budget::new(Openings::AtMost(10.0), 8.0), Budget::new(Openings::Unlimited, 5000.0)] {
            assert!(budget.tells(0.5, 1e-4));
        }
        assert!(!Budget::new(Openings::AtMost(10.0), 200.0).tells(0.5, 1e-4));
    }

    #[test]
    fn what_is_as_rare_as_can_be_told_passes_whatever_the_budget() {
        let least = Budget::new(Openings::AtMost(1e-6), 1e7);
        assert!(least.tells(1.0, 1e-9));
        assert!(least.tells(0.7, 1e-12));
        assert!(!least.tells(0.9, 1e-9));
    }

    #[test]
    fn odd_values_hide_nothing() {
        let budget = Budget::new(Openings::AtMost(10.0), 200.0);
        for (score, p) in [(0.0, 0.5), (f64::NAN, 1e-5), (0.6, f64::NAN), (f64::INFINITY, 1.0), (0.6, 0.0), (0.6, -1.0)]
        {
            assert!(budget.tells(score, p), "{score} {p}");
        }
    }
}
