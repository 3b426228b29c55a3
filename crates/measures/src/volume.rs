//! VUS-PR: the area under the precision-recall curve where incidents have soft edges of all widths up to a period of the
//! data (Paparrizos et al. 2022, in the form that TSB-AD calls optimised).

use crate::stretches::{ranked, stretches};

/// Points of the curve.
const POINTS: usize = 250;
/// Rows and lags that the period is looked for in; the period where none is found; shortest and longest.
const ROWS: usize = 20_000;
const LAGS: usize = 400;
const DEFAULT_PERIOD: usize = 125;
const PERIODS: std::ops::RangeInclusive<usize> = 6..=303;

/// The lag of the highest peak of the autocorrelation, from which the widest edge follows.
#[must_use]
pub fn period(values: &[f64]) -> usize {
    let values = &values[..values.len().min(ROWS)];
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let at = |lag: usize| centred.iter().zip(centred.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
    if at(0) == 0.0 {
        return DEFAULT_PERIOD;
    }
    let correlations: Vec<f64> = (0..=LAGS).map(at).collect();
    let is_peak =
        |lag: &usize| correlations[*lag] > correlations[lag - 1] && correlations[*lag] > correlations[lag + 1];
    let highest = (4..LAGS).filter(is_peak).max_by(|a, b| correlations[*a].total_cmp(&correlations[*b]));
    highest.filter(|lag| PERIODS.contains(lag)).unwrap_or(DEFAULT_PERIOD)
}

/// Mean area over edges of 0 to `widest` rows.
#[must_use]
pub fn vus_pr(labels: &[bool], scores: &[f64], widest: usize) -> f64 {
    let (rows, order, incidents) = (labels.len(), ranked(scores), stretches(labels));
    let positive = labels.iter().filter(|label| **label).count() as f64;
    let points: Vec<Point> =
        (0..POINTS).map(|point| Point::at(point * (rows - 1) / (POINTS - 1), &order, scores)).collect();
    let mut within = vec![false; rows];
    incidents.iter().for_each(|incident| within[incident.widened(widest / 2, rows)].fill(true));
    let mut total = 0.0;
    for width in 0..=widest {
        let soft = soft_labels(labels, width);
        let peaks: Vec<f64> = merged(labels, width / 2)
            .into_iter()
            .map(|(first, last)| scores[first..=last].iter().copied().fold(f64::NEG_INFINITY, f64::max))
            .collect();
        // Sums of soft labels over the highest rows: of all, and of those outside incidents.
        let (mut sums, mut edges) = (vec![0.0; rows + 1], vec![0.0; rows + 1]);
        for (rank, row) in order.iter().enumerate() {
            let value = if within[*row] { soft[*row] } else { 0.0 };
            sums[rank + 1] = sums[rank] + value;
            edges[rank + 1] = edges[rank] + if labels[*row] { 0.0 } else { value };
        }
        let mut before = 0.0;
        for point in &points {
            let hit = sums[point.flagged];
            let wanted = (2.0 * positive + edges[point.flagged]) / 2.0;
            let touched = peaks.iter().filter(|peak| **peak >= point.threshold).count() as f64;
            let recall = (hit / wanted).min(1.0) * touched / peaks.len() as f64;
            total += (recall - before) * hit / point.flagged as f64;
            before = recall;
        }
    }
    total / (widest + 1) as f64
}

/// A threshold, and how many rows are at or above it.
struct Point {
    threshold: f64,
    flagged: usize,
}

impl Point {
    fn at(rank: usize, order: &[usize], scores: &[f64]) -> Self {
        let threshold = scores[order[rank]];
        let ties = order[rank + 1..].iter().take_while(|row| scores[**row] >= threshold).count();
        Self { threshold, flagged: rank + ties + 1 }
    }
}

/// 1 within incidents, falling to both sides over half the width.
fn soft_labels(labels: &[bool], width: usize) -> Vec<f64> {
    let mut soft: Vec<f64> = labels.iter().map(|label| f64::from(u8::from(*label))).collect();
    let half = width / 2;
    for incident in stretches(labels) {
        let fall = |distance: usize| (1.0 - distance as f64 / width as f64).sqrt();
        let after = soft[incident.last + 1..].iter_mut().take(half);
        (1..).zip(after).for_each(|(distance, value)| *value += fall(distance));
        let before = soft[..incident.first].iter_mut().rev().take(half);
        (1..).zip(before).for_each(|(distance, value)| *value += fall(distance));
    }
    soft.iter_mut().for_each(|value| *value = value.min(1.0));
    soft
}

/// Incidents widened by `margin` at both ends, those that meet as one; both ends included.
fn merged(labels: &[bool], margin: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut end_before = 0;
    for (index, incident) in stretches(labels).into_iter().enumerate() {
        let (first, last) = (incident.first as isize - margin as isize, incident.last + margin);
        let range = incident.widened(margin, labels.len());
        match found.last_mut() {
            Some(before) if index > 0 && end_before as isize >= first => before.1 = range.end - 1,
            _ => found.push((range.start, range.end - 1)),
        }
        end_before = last;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretches::tests::case;

    #[test]
    fn small_cases_have_the_figures_of_the_independent_scorer() {
        for (steps, widest, expected) in [(1009, 20, 0.4587), (20, 20, 0.4478), (1009, 125, 0.6756), (20, 0, 0.3970)] {
            let (labels, scores) = case(steps, 0.2);
            let found = vus_pr(&labels, &scores, widest);
            assert!((found - expected).abs() < 5e-4, "{steps} {widest}: {found}");
        }
    }

    #[test]
    fn the_period_is_that_of_the_wave() {
        let wave: Vec<f64> = (0..5_000).map(|row| (f64::from(row) / 50.0 * std::f64::consts::TAU).sin()).collect();
        assert_eq!(period(&wave), 50);
        assert_eq!(period(&[3.0; 100]), DEFAULT_PERIOD);
    }
}
