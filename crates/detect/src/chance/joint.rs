//! One `p` from many: the smallest, corrected for having looked at several.

use serde::{Deserialize, Serialize};

/// How much a part has to say in the joint score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Voice {
    /// Relative weight: how much of the false-alarm budget it gets.
    pub weight: f64,
    /// Whether it leads; others are heard only where they are very sure.
    pub leads: bool,
    /// Whether it may say no more than that this is an alert, so that it keeps incidents open and ranks none of them.
    pub bounded: bool,
}

/// What a part said of a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opinion {
    /// Chance that an ordinary window scores at least this high in this part.
    pub p: f64,
    /// How much the part has to say.
    pub voice: Voice,
}

/// Each opinion's `p` as the joint one would be if it were the smallest, in [1e-12, 1]; the window's is the smallest.
///
/// Weighted Šidák: a part more costs the others no more than its weight. A part that doesn't lead is heard in full from the
/// alert boundary on; short of it, its `p` is raised, which keeps it honest and the leaders' ranking clear. One that is bounded
/// isn't heard beyond that boundary.
pub(crate) fn joint(opinions: &[Opinion], p_alert: f64) -> Vec<f64> {
    let all: f64 = opinions.iter().map(|opinion| opinion.voice.weight).sum();
    let each = |opinion: &Opinion| {
        let p = match opinion.p {
            p if opinion.voice.leads || p <= p_alert => p,
            p => (p.ln().powi(3) / p_alert.ln().powi(2)).exp(),
        };
        let share = opinion.voice.weight / all;
        let least = if opinion.voice.bounded { p_alert } else { 1e-12 };
        // Who has nothing to say yet has no weight.
        if share > 0.0 { (-((-p).ln_1p() / share).exp_m1()).clamp(least, 1.0) } else { 1.0 }
    };
    opinions.iter().map(each).collect()
}

/// `clamp(ln p / (2 ln p*), 0, 1)`: 0.5 at the alert boundary `p*`.
pub(crate) fn score(p: f64, p_alert: f64) -> f64 {
    (p.ln() / (2.0 * p_alert.ln())).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(p: f64, weight: f64, leads: bool) -> Opinion {
        Opinion { p, voice: Voice { weight, leads, bounded: false } }
    }

    fn smallest(opinions: &[Opinion]) -> f64 {
        joint(opinions, 1e-5).into_iter().fold(1.0, f64::min)
    }

    #[test]
    fn one_part_alone_is_itself() {
        assert!((smallest(&[opinion(0.03, 4.0, true)]) - 0.03).abs() < 1e-12);
    }

    #[test]
    fn looking_twice_costs_twice() {
        let both = smallest(&[opinion(1e-4, 1.0, true), opinion(0.5, 1.0, true)]);
        assert!((both / 1e-4 - 2.0).abs() < 0.01, "{both}");
    }

    #[test]
    fn who_does_not_lead_is_heard_when_sure() {
        let lead = opinion(0.2, 4.0, true);
        let alone = smallest(&[lead, opinion(0.9, 1.0, false)]);
        assert_eq!(smallest(&[lead, opinion(0.1, 1.0, false)]), alone);
        assert!(smallest(&[lead, opinion(1e-6, 1.0, false)]) < 1e-5);
    }

    #[test]
    fn who_is_bounded_alerts_and_no_more() {
        let Opinion { p, voice } = opinion(1e-9, 1.0, true);
        let bounded = Opinion { p, voice: Voice { bounded: true, ..voice } };
        assert_eq!(score(smallest(&[bounded, opinion(0.3, 1.0, true)]), 1e-5), 0.5);
        assert!(smallest(&[bounded, opinion(1e-7, 1.0, true)]) < 1e-6);
    }

    #[test]
    fn half_is_the_alert_boundary() {
        assert!((score(1e-5, 1e-5) - 0.5).abs() < 1e-12);
        assert_eq!((score(1.0, 1e-5), score(1e-12, 1e-5)), (0.0, 1.0));
    }
}
