//! What labels tell about the scores and the alerts of a series of rows.

use crate::event_f1;
use crate::ranking::{Areas, areas};
use crate::stretches::{Stretch, stretches};
use crate::volume;

/// The alert boundary.
pub const ALERT: f64 = 0.5;
/// Openings so near an incident aren't false.
const MARGIN: usize = 15;
const DAY_MS: f64 = 86_400_000.0;

/// A scored and labelled series; all as long as `labels`.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Whether a row is faulty.
    pub labels: &'a [bool],
    /// Its score; 0 while there is none.
    pub scores: &'a [f64],
    /// Its `p`; 1 while there is none.
    pub chances: &'a [f64],
    /// End of its window, ms.
    pub ends_ms: &'a [u64],
    /// Milliseconds from a row to the next.
    pub period_ms: u64,
    /// Rows on which an incident was opened.
    pub openings: &'a [usize],
    /// The widest soft edge of [`volume`], in rows.
    pub widest: usize,
}

/// Chances at which the realised rate is looked at: the second is about one a week of minutes.
pub const ASKED: [f64; 2] = [1e-3, 1e-4];

/// How scores rank, without any threshold of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Volume under the surface of precision and recall.
    pub vus_pr: f64,
    /// Best F1 of whole incidents.
    pub event_f1: f64,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Average precision.
    pub average_precision: f64,
}

/// What a user gets of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// None where no row is labelled.
    pub ranking: Option<Ranking>,
    /// Labelled incidents.
    pub incidents: usize,
    /// For each with an alert while it lasted, seconds from its first row to the first alerting one.
    pub delays_s: Vec<f64>,
    /// Incidents opened away from any labelled one.
    pub false_openings: usize,
    /// Days away from any labelled incident.
    pub quiet_days: f64,
    /// For each of [`ASKED`], the share of rows away from incidents whose `p` is at most that.
    pub realised: [f64; 2],
}

/// Measures the rows from `from` on; all before teach only.
#[must_use]
pub fn quality(rows: &Rows<'_>, from: usize) -> Quality {
    let from = from.min(rows.labels.len());
    let (labels, scores, ends_ms) = (&rows.labels[from..], &rows.scores[from..], &rows.ends_ms[from..]);
    let incidents = stretches(labels);
    let mut near = vec![false; labels.len()];
    incidents.iter().for_each(|incident| near[incident.widened(MARGIN, labels.len())].fill(true));
    let delay = |incident: &Stretch| {
        let alert = (incident.first..=incident.last).find(|row| scores[*row] >= ALERT)?;
        Some((ends_ms[alert] - ends_ms[incident.first]) as f64 / 1000.0)
    };
    let quiet = near.iter().filter(|near| !**near).count() as f64;
    Quality {
        ranking: (!incidents.is_empty()).then(|| {
            let Areas { auroc, average_precision } = areas(labels, scores);
            Ranking {
                vus_pr: volume::vus_pr(labels, scores, rows.widest),
                event_f1: event_f1::best(labels, scores),
                auroc,
                average_precision,
            }
        }),
        incidents: incidents.len(),
        delays_s: incidents.iter().filter_map(delay).collect(),
        false_openings: rows.openings.iter().filter(|row| row.checked_sub(from).is_some_and(|row| !near[row])).count(),
        realised: ASKED.map(|asked| {
            let quiet_rows = near.iter().zip(&rows.chances[from..]).filter(|(near, _)| !**near);
            quiet_rows.filter(|(_, chance)| **chance <= asked).count() as f64 / quiet
        }),
        quiet_days: quiet * rows.period_ms as f64 / DAY_MS,
    }
}

/// The middle of `values`.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretches::tests::case;

    #[test]
    fn alerts_and_openings_are_counted_against_incidents() {
        let (labels, _) = case(1009, 0.0);
        let mut scores = vec![0.1; 400];
        (scores[55], scores[120], scores[245]) = (0.7, 0.6, 0.5);
        let ends_ms: Vec<u64> = (1..=400).map(|row| row * 60_000).collect();
        let mut chances = vec![0.5; 400];
        (chances[55], chances[120], chances[121]) = (1e-9, 1e-3, 1e-5);
        let (labels, scores, ends_ms, chances) = (&labels, &scores, &ends_ms, &chances);
        let rows = Rows { labels, scores, chances, ends_ms, period_ms: 60_000, openings: &[55, 120, 245], widest: 20 };
        let all = quality(&rows, 0);
        // 245 is within the margin of 200 to 230; of 400 rows, 51, 61 and 25 are near an incident.
        assert_eq!((all.incidents, all.delays_s.as_slice(), all.false_openings), (3, &[300.0][..], 1));
        assert!((all.quiet_days * 1440.0 - 263.0).abs() < 1e-9, "{}", all.quiet_days * 1440.0);
        assert_eq!(all.realised, [2.0 / 263.0, 1.0 / 263.0]);
        let late = quality(&rows, 130);
        assert_eq!((late.incidents, late.delays_s.len(), late.false_openings), (2, 0, 0));
    }

    #[test]
    fn nothing_labelled_ranks_nothing() {
        let (labels, scores) = (&[false; 3], &[0.0, 0.9, 0.1]);
        let rows =
            Rows { labels, scores, chances: &[1.0; 3], ends_ms: &[1, 2, 3], period_ms: 1, openings: &[1], widest: 20 };
        let found = quality(&rows, 0);
        assert_eq!((found.ranking, found.incidents, found.false_openings), (None, 0, 1));
        assert_eq!(quality(&rows, 9).quiet_days, 0.0);
    }
}
