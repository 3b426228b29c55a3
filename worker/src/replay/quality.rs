//! How good scores are against labels. Two windows of equal score are a tie; a window is positive if its centre lies in a
//! fault; the minute after a fault doesn't count.

use super::labels::{AFTERMATH_S, Labels, Stretch};
use super::outcome::Window;
use eddyline_measures::ranking::{Areas, areas};
use eddyline_measures::rows::median;

/// Alerts at most so many windows apart are one false alarm.
const SAME_ALARM: usize = 6;

/// How scores rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// Windows that count.
    pub windows: usize,
    /// Share of them that is positive.
    pub positive: f64,
    /// Area under the ROC curve; NaN without windows of both kinds.
    pub auroc: f64,
    /// Average precision; NaN likewise.
    pub average_precision: f64,
}

/// How good the alerts are.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarms {
    /// Faults with an alert while they lasted.
    pub found: usize,
    /// Faults with an alert within a minute of their start.
    pub found_at_once: usize,
    /// Faults of which at least one window counts.
    pub visible: usize,
    /// Median seconds from the start of a fault found at once to the centre of the first alerting window.
    pub median_delay_s: Option<f64>,
    /// Incidents opened outside faults.
    pub false_openings: usize,
    /// Groups of alerting windows outside faults, also where an incident opened in a fault goes on.
    pub false_alarms: usize,
    /// Hours outside faults.
    pub quiet_hours: f64,
}

impl Alarms {
    /// Incidents opened a day of quiet time; NaN without any.
    #[must_use]
    pub fn false_openings_a_day(&self) -> f64 {
        self.false_openings as f64 / self.quiet_hours * 24.0
    }
}

/// Everything that labels tell about scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// With the labels as they are.
    pub published: Ranking,
    /// With the suspect stretches left out.
    pub without_suspect: Option<Ranking>,
    /// The alerts.
    pub alarms: Alarms,
}

/// Judges windows of `window_ms` in order of time, warming ones left out.
#[must_use]
pub fn quality(windows: &[Window], window_ms: u64, labels: &Labels) -> Quality {
    let centre = |window: &Window| window.end_ms as f64 / 1000.0 - window_ms as f64 / 2000.0;
    let centres: Vec<f64> = windows.iter().map(centre).collect();
    let scores: Vec<f64> = windows.iter().map(|window| window.score.score).collect();
    let during = |c: f64| labels.faults.iter().any(|fault| c >= fault.start_s && c < fault.end_s);
    let after = |c: f64| labels.faults.iter().any(|fault| c >= fault.end_s && c < fault.end_s + AFTERMATH_S);
    let exists = |c: f64| match &labels.segments {
        Some(segments) => segments.iter().any(|s| c * 1000.0 >= s.start_s * 1000.0 && c * 1000.0 <= s.end_s * 1000.0),
        None => true,
    };
    let positive: Vec<bool> = centres.iter().map(|&c| during(c)).collect();
    let counts: Vec<bool> =
        centres.iter().zip(&positive).map(|(&c, &positive)| (positive || !after(c)) && exists(c)).collect();

    let without_suspect = labels.suspect.as_ref().map(|suspect| {
        let doubtful = |c: f64| suspect.iter().any(|&Stretch { start_s, end_s }| c >= start_s && c < end_s);
        let keep: Vec<bool> = (0..centres.len()).map(|i| counts[i] && (positive[i] || !doubtful(centres[i]))).collect();
        ranking(&scores, &positive, &keep)
    });
    Quality {
        published: ranking(&scores, &positive, &counts),
        without_suspect,
        alarms: alarms(windows, &centres, &positive, &counts, window_ms, labels),
    }
}

fn ranking(scores: &[f64], positive: &[bool], keep: &[bool]) -> Ranking {
    let kept = |i: &usize| keep[*i];
    let scores: Vec<f64> = (0..keep.len()).filter(kept).map(|i| scores[i]).collect();
    let positive: Vec<bool> = (0..keep.len()).filter(kept).map(|i| positive[i]).collect();
    let share = positive.iter().filter(|positive| **positive).count() as f64 / positive.len() as f64;
    let Areas { auroc, average_precision } = areas(&positive, &scores);
    Ranking { windows: scores.len(), positive: share, auroc, average_precision }
}

fn alarms(
    windows: &[Window],
    centres: &[f64],
    positive: &[bool],
    counts: &[bool],
    window_ms: u64,
    labels: &Labels,
) -> Alarms {
    let alerts: Vec<bool> = windows.iter().zip(counts).map(|(window, &counts)| counts && window.alerts()).collect();
    let (mut visible, mut found, mut delays) = (0, 0, Vec::new());
    for fault in &labels.faults {
        let inside = |c: f64, end: f64| c >= fault.start_s && c < end;
        if (0..centres.len()).any(|i| counts[i] && inside(centres[i], fault.end_s)) {
            visible += 1;
            let first = (0..centres.len()).find(|&i| alerts[i] && inside(centres[i], fault.end_s));
            let delay = first.map(|i| centres[i] - fault.start_s);
            found += usize::from(delay.is_some());
            delays.extend(delay.filter(|delay| *delay < 60.0));
        }
    }
    let quiet: Vec<bool> = counts.iter().zip(positive).map(|(&counts, &positive)| counts && !positive).collect();
    let (mut false_alarms, mut last) = (0, None);
    for i in (0..alerts.len()).filter(|&i| alerts[i] && quiet[i]) {
        if last.is_none_or(|last| i - last > SAME_ALARM) {
            false_alarms += 1;
        }
        last = Some(i);
    }
    let incident = |i: usize| windows[i].score.incident.as_ref();
    let opened =
        |i: &usize| incident(*i).is_some() && i.checked_sub(1).is_none_or(|before| incident(before) != incident(*i));
    let false_openings = (0..quiet.len()).filter(|&i| quiet[i]).filter(opened).count();
    let quiet_windows = quiet.iter().filter(|quiet| **quiet).count();
    Alarms {
        found,
        found_at_once: delays.len(),
        visible,
        median_delay_s: median(delays),
        false_openings,
        false_alarms,
        quiet_hours: quiet_windows as f64 * window_ms as f64 / 3.6e6,
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::Fault;
    use super::*;
    use eddyline_wire::score::{Score, State};

    fn windows(scores: &[f64]) -> Vec<Window> {
        let window = |(i, &score): (usize, &f64)| Window {
            end_ms: 10_000 * (i as u64 + 1),
            score: Score { score, p: 0.1, state: State::Ready, incident: None, held: None, missed: 0 },
        };
        scores.iter().enumerate().map(window).collect()
    }

    fn labels(faults: &[(f64, f64)]) -> Labels {
        let fault = |&(start_s, end_s): &(f64, f64)| Fault { start_s, end_s, what: String::new() };
        Labels { faults: faults.iter().map(fault).collect(), segments: None, suspect: None }
    }

    #[test]
    fn ties_share_their_rank() {
        // Centres 5, 15, 25, 35 s; the fault covers 15 and 25. Scores .9 (+), .5 (+ and −), .1 (−).
        let quality = quality(&windows(&[0.5, 0.9, 0.5, 0.1]), 10_000, &labels(&[(10.0, 30.0)]));
        // The minute after the fault takes the last window out, so two positives against one negative remain.
        assert_eq!(quality.published.windows, 3);
        assert!((quality.published.auroc - 0.75).abs() < 1e-12);
        assert!((quality.published.average_precision - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn only_alerts_in_a_faults_first_minute_find_it_at_once() {
        let mut scores = vec![0.0; 60];
        scores[1] = 0.6; // quiet: false alarm at 15 s
        scores[4] = 0.6; // 45 s: the same alarm
        scores[20] = 0.7; // 205 s: fault 200–380 found after 5 s
        scores[41] = 0.9; // 415 s: aftermath, neither
        scores[57] = 0.8; // 575 s: 75 s into fault 500–590, too late
        let alarms = quality(&windows(&scores), 10_000, &labels(&[(200.0, 380.0), (500.0, 590.0)])).alarms;
        assert_eq!((alarms.found, alarms.found_at_once, alarms.visible, alarms.false_alarms), (2, 1, 2, 1));
        assert_eq!(alarms.median_delay_s, Some(5.0));
        assert!((alarms.quiet_hours - (60.0 - 18.0 - 6.0 - 9.0 - 1.0) / 360.0).abs() < 1e-9);
    }

    #[test]
    fn incidents_count_where_they_were_opened() {
        let mut windows = windows(&[0.0; 40]);
        let mut during = |range: std::ops::Range<usize>, id: &str| {
            windows[range].iter_mut().for_each(|window| window.score.incident = Some(id.to_owned()));
        };
        during(2..5, "in quiet time");
        during(5..6, "at once after it");
        during(9..12, "just before the fault, into it");
        during(15..33, "in the fault, far beyond it");
        let alarms = quality(&windows, 10_000, &labels(&[(100.0, 200.0)])).alarms;
        assert_eq!(alarms.false_openings, 3);
        assert!((alarms.false_openings_a_day() - 3.0 * 24.0 / alarms.quiet_hours).abs() < 1e-9);
    }

    #[test]
    fn windows_outside_segments_and_suspect_stretches_are_left_out() {
        let mut labels = labels(&[(10.0, 20.0)]);
        labels.segments = Some(vec![Stretch { start_s: 0.0, end_s: 105.0 }]);
        labels.suspect = Some(vec![Stretch { start_s: 80.0, end_s: 90.0 }]);
        let quality = quality(&windows(&[0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.2, 0.3, 1.0]), 10_000, &labels);
        assert_eq!(quality.published.windows, 5);
        assert!((quality.published.auroc - 0.75).abs() < 1e-12);
        let without = quality.without_suspect.unwrap();
        assert_eq!((without.windows, without.auroc), (4, 1.0));
    }

    #[test]
    fn without_both_kinds_of_windows_there_is_no_ranking() {
        assert!(quality(&windows(&[0.1, 0.2]), 10_000, &labels(&[])).published.auroc.is_nan());
    }
}
