//! The area under the receiver operating characteristic: the chance that something labelled scores higher than something not.

use super::labels::ranked;

/// Ties count half. 0.5 where only one of both kinds is there.
pub(super) fn auroc(labels: &[bool], scores: &[f64]) -> f64 {
    let positive = labels.iter().filter(|label| **label).count() as f64;
    let pairs = positive * (labels.len() as f64 - positive);
    if pairs == 0.0 {
        return 0.5;
    }
    let order = ranked(scores);
    let (mut above, mut wins) = (0.0, 0.0);
    for tied in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let labelled = tied.iter().filter(|row| labels[**row]).count() as f64;
        wins += (tied.len() as f64 - labelled) * (above + labelled / 2.0);
        above += labelled;
    }
    wins / pairs
}

#[cfg(test)]
mod tests {
    use super::super::labels::tests::case;
    use super::auroc;

    #[test]
    fn small_cases_have_the_figures_of_the_independent_scorer() {
        for (steps, lift, expected) in [(1009, 0.2, 0.6799), (20, 0.2, 0.6869), (20, 0.05, 0.5572)] {
            let (labels, scores) = case(steps, lift);
            let found = auroc(&labels, &scores);
            assert!((found - expected).abs() < 5e-4, "{steps} {lift}: {found}");
        }
    }

    #[test]
    fn ties_count_half() {
        assert_eq!(auroc(&[true, false, false], &[1.0, 1.0, 0.0]), 0.75);
        assert_eq!(auroc(&[true, true], &[1.0, 0.0]), 0.5);
    }
}
