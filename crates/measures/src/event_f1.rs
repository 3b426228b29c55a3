//! The best F1 of whole incidents: found is one with a flagged row; flagged rows away from any are false alarms.
//!
//! As the independent scorer defines it: no point adjustment, one threshold a series, the best in hindsight.

use crate::stretches::{ranked, stretches};

/// Flagged rows so near an incident are neither right nor wrong.
const MARGIN: usize = 15;
/// False rows at most so far apart are one alarm; a long alarm counts once for every so many rows.
const GAP: usize = 10;
const UNIT: usize = 60;

/// Best F1 over thresholds; 0 without incidents.
#[must_use]
pub fn best(labels: &[bool], scores: &[f64]) -> f64 {
    let incidents = stretches(labels);
    let mut near = vec![false; labels.len()];
    incidents.iter().for_each(|incident| near[incident.widened(MARGIN, labels.len())].fill(true));
    let peaks: Vec<f64> = incidents
        .iter()
        .map(|incident| scores[incident.first..=incident.last].iter().copied().fold(f64::NEG_INFINITY, f64::max))
        .collect();
    let at = |threshold: f64| {
        let found = peaks.iter().filter(|peak| **peak > threshold).count() as f64;
        let wrong = false_alarms((0..labels.len()).filter(|row| scores[*row] > threshold && !near[*row])) as f64;
        // precision found / (found + wrong) and recall found / all, in one
        if found == 0.0 { 0.0 } else { 2.0 * found / (found + wrong + peaks.len() as f64) }
    };
    thresholds(scores).into_iter().map(at).fold(0.0, f64::max)
}

fn false_alarms(rows: impl Iterator<Item = usize>) -> usize {
    let (mut alarms, mut open): (usize, Option<(usize, usize)>) = (0, None);
    for row in rows {
        open = match open {
            Some((first, last)) if row - last <= GAP => Some((first, row)),
            Some((first, last)) => {
                alarms += (last - first) / UNIT + 1;
                Some((row, row))
            }
            None => Some((row, row)),
        };
    }
    alarms + open.map_or(0, |(first, last)| (last - first) / UNIT + 1)
}

/// Scores of the upper half: the 199 highest after the first, then 200 ranks by equal factors.
fn thresholds(scores: &[f64]) -> Vec<f64> {
    let (rows, order) = (scores.len(), ranked(scores));
    let (low, high) = (200.0_f64, rows as f64 * 0.5);
    let factor = |step: i32| low * (high / low).powf(f64::from(step) / 199.0);
    let ranks = (1..200).chain((0..200).map(|step| factor(step) as usize));
    let mut found: Vec<f64> = ranks.map(|rank| scores[order[rank.min(rows - 1)]]).collect();
    found.sort_by(f64::total_cmp);
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretches::tests::case;

    #[test]
    fn small_cases_have_the_figures_of_the_independent_scorer() {
        for (steps, lift, expected) in [(1009, 0.2, 1.0), (1009, 0.0, 0.5455), (20, 0.0, 0.5455)] {
            let (labels, scores) = case(steps, lift);
            assert!((best(&labels, &scores) - expected).abs() < 5e-4, "{}", best(&labels, &scores));
        }
    }

    #[test]
    fn one_endless_alarm_is_not_one_alarm() {
        assert_eq!(false_alarms(0..300), 5);
        assert_eq!(false_alarms([0, 10, 21].into_iter()), 2);
        assert_eq!(false_alarms(std::iter::empty()), 0);
    }
}
