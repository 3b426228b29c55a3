//! The normal distribution's tail.

use std::f64::consts::PI;

/// A little less than the chance that a normal variable is at least so many standard deviations off, on either side: the
/// lower bound of Z. W. Birnbaum, "An inequality for Mill's ratio", Annals of Mathematical Statistics 13 (1942).
pub(crate) fn at_least(deviations: f64) -> f64 {
    let density = (-deviations * deviations / 2.0).exp() / (2.0 * PI).sqrt();
    4.0 * density / (deviations + (deviations * deviations + 4.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_close_beneath_the_tail() {
        for (deviations, tail) in
            [(1.0, 0.317_31), (2.0, 0.045_50), (3.0, 2.6998e-3), (5.0, 5.7330e-7), (7.0, 2.5596e-12)]
        {
            let ratio = at_least(deviations) / tail;
            assert!((0.9..1.0).contains(&ratio), "{deviations}: {ratio}");
        }
        assert!((0.79..1.0).contains(&at_least(0.0)));
    }
}
