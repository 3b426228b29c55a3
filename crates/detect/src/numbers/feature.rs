//! How a numeric feature is measured before it is compared.

use serde::{Deserialize, Serialize};

/// Endings of names whose values are counts, whose noise is therefore known.
const COUNTS: [&str; 2] = [":new", ":burst"];
/// Endings of names of positive values that differ by factors rather than by amounts.
const POSITIVE: [&str; 5] = [":mean", ":p50", ":p95", ":p99", ":max"];

/// Further endings of what describes the observations of a window.
const DESCRIPTIONS: [&str; 2] = [":distinct", ":entropy"];

/// Whether a feature of this name describes observations, rather than counting them.
pub(crate) fn describes(name: &str) -> bool {
    POSITIVE.iter().chain(&DESCRIPTIONS).any(|ending| name.ends_with(ending))
}

/// The scale on which a feature is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scale {
    /// As it is: features of own vectors, entropy.
    Linear,
    /// By factors.
    Log,
    /// By factors, and never finer than the noise of counting.
    LogCount,
    /// By factors, and never finer than a quarter of that noise: numbers of different items are steadier than counts, but
    /// one rare item more or less is no event.
    LogDistinct,
}

impl Scale {
    /// The scale that a feature's name tells.
    pub(crate) fn of(name: &str) -> Self {
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if name.ends_with(":distinct") {
            Self::LogDistinct
        } else if name == "count" || ends(&COUNTS) {
            Self::LogCount
        } else if ends(&POSITIVE) {
            Self::Log
        } else {
            Self::Linear
        }
    }

    /// Whether the feature grows with the length of a window.
    pub(crate) fn grows(self) -> bool {
        matches!(self, Self::LogCount | Self::LogDistinct)
    }

    /// Onto the scale. Missing (NaN, infinite) stays missing, as NaN; values beyond ±1e15 are cut, so that squares are finite.
    pub(crate) fn apply(self, value: f32) -> f32 {
        match self {
            _ if !value.is_finite() => f32::NAN,
            Self::Linear => value.clamp(-1e15, 1e15),
            Self::Log | Self::LogCount | Self::LogDistinct => value.abs().ln_1p().copysign(value),
        }
    }

    /// Back from the scale.
    pub(crate) fn revert(self, scaled: f64) -> f64 {
        match self {
            Self::Linear => scaled,
            Self::Log | Self::LogCount | Self::LogDistinct => scaled.abs().exp_m1().copysign(scaled),
        }
    }

    /// Lower end of a band around a mean that isn't negative: amounts don't fall below 0.
    pub(crate) fn least(self, scaled: f64) -> f64 {
        match self {
            Self::Linear => scaled,
            _ => self.revert(scaled).max(0.0),
        }
    }

    /// Least standard deviation that is believed, around a mean on the scale; `range` is the widest spread seen.
    pub(crate) fn least_deviation(self, mean: f64, range: f64) -> f64 {
        let least = (1e-3 * range).max(1e-6 * mean.abs()).max(1e-9);
        match self {
            Self::Linear | Self::Log => least,
            Self::LogCount => least.max(noise(self.revert(mean))),
            Self::LogDistinct => least.max(noise(self.revert(mean)) / 4.0),
        }
    }
}

/// Standard deviation of ln(1 + n) for a Poisson count of this mean.
fn noise(mean: f64) -> f64 {
    let mean = mean.max(0.0);
    (mean + 0.25).sqrt() / (mean + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_scale() {
        assert_eq!(Scale::of("count"), Scale::LogCount);
        assert_eq!(Scale::of("service:new"), Scale::LogCount);
        assert_eq!(Scale::of("latency_ms:p95"), Scale::Log);
        assert_eq!(Scale::of("service:entropy"), Scale::Linear);
        assert_eq!(Scale::of("f07"), Scale::Linear);
    }

    #[test]
    fn scales_revert() {
        for scale in [Scale::Linear, Scale::Log, Scale::LogCount, Scale::LogDistinct] {
            for value in [-3.0_f32, 0.0, 0.5, 1200.0] {
                assert!((scale.revert(f64::from(scale.apply(value))) as f32 - value).abs() <= value.abs() * 1e-5);
            }
            assert!(scale.apply(f32::INFINITY).is_nan());
        }
    }

    #[test]
    fn a_count_is_never_judged_finer_than_its_noise() {
        let mean = 100.0_f64.ln_1p();
        assert!((Scale::LogCount.least_deviation(mean, 0.0) - 0.1).abs() < 0.01);
        assert!(Scale::Log.least_deviation(mean, 0.0) < 1e-4);
    }
}
