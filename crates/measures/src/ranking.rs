//! Areas under the two curves that ranking gives, ties being one step of both.

use crate::stretches::ranked;

/// How well scores rank what is labelled before what isn't.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Under the receiver operating characteristic: the chance that something labelled scores higher than something not.
    pub auroc: f64,
    /// Under precision over recall, as steps.
    pub average_precision: f64,
}

/// Both areas; NaN without labels of both kinds.
#[must_use]
pub fn areas(labels: &[bool], scores: &[f64]) -> Areas {
    let positive = labels.iter().filter(|label| **label).count() as f64;
    let negative = labels.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 {
        return Areas { auroc: f64::NAN, average_precision: f64::NAN };
    }
    let (mut auroc, mut average_precision) = (0.0, 0.0);
    let (mut hits, mut misses) = (0.0, 0.0);
    for tie in ranked(scores).chunk_by(|a, b| scores[*a] == scores[*b]) {
        let new_hits = tie.iter().filter(|row| labels[**row]).count() as f64;
        let new_misses = tie.len() as f64 - new_hits;
        auroc += new_misses / negative * (hits + new_hits / 2.0) / positive;
        (hits, misses) = (hits + new_hits, misses + new_misses);
        average_precision += new_hits / positive * hits / (hits + misses);
    }
    Areas { auroc, average_precision }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretches::tests::case;

    #[test]
    fn ties_are_one_step() {
        let Areas { auroc, average_precision } = areas(&[true, true, false, false], &[0.9, 0.5, 0.5, 0.1]);
        assert!((auroc - 0.875).abs() < 1e-12 && (average_precision - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        assert!(areas(&[true, true], &[0.0, 1.0]).auroc.is_nan());
    }

    #[test]
    fn small_cases_have_the_figures_of_the_independent_scorer() {
        for (steps, lift, auroc, precision) in
            [(1009, 0.2, 0.6799, 0.3972), (1009, 0.0, 0.4990, 0.1541), (20, 0.2, 0.6869, 0.3970)]
        {
            let (labels, scores) = case(steps, lift);
            let found = areas(&labels, &scores);
            assert!((found.auroc - auroc).abs() < 5e-4, "{found:?}");
            assert!((found.average_precision - precision).abs() < 5e-4, "{found:?}");
        }
    }
}
