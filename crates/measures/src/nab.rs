//! The score of the Numenta Anomaly Benchmark, v1.1, from its published rules (Lavin and Ahmad, "Evaluating real-time
//! anomaly detection algorithms", 2015).
//!
//! A window found is worth the more the earlier; a row flagged outside of any costs the more the farther it is behind the
//! last one; one threshold holds for all series, the best in hindsight.

use crate::stretches::{ranked, stretches};

/// What the benchmark weighs its three scores by.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// A window found at its first row.
    pub found: f64,
    /// A window missed.
    pub missed: f64,
    /// A row flagged far from any window.
    pub wrong: f64,
}

/// What the benchmark's ranking is by.
pub const STANDARD: Profile = Profile { found: 1.0, missed: 1.0, wrong: 0.11 };
/// For whom false alarms are dear.
pub const LOW_FALSE_POSITIVES: Profile = Profile { found: 1.0, missed: 1.0, wrong: 0.22 };
/// For whom missing something is dear.
pub const LOW_FALSE_NEGATIVES: Profile = Profile { found: 1.0, missed: 2.0, wrong: 0.11 };

/// The rows of a series that teach the detector: this share, of at most so many rows.
const PROBATION: (f64, f64) = (0.15, 5_000.0);

/// What flagging a row would mean.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Too early to count.
    Probation,
    /// Within this window of the corpus, worth so much.
    Within(usize, f64),
    /// Outside, costing so much (a negative worth).
    Outside(f64),
}

/// The labelled rows and the scores of all series.
#[derive(Debug, Default)]
pub struct Corpus {
    places: Vec<Place>,
    scores: Vec<f64>,
    windows: usize,
}

impl Corpus {
    /// Adds a series.
    pub fn add(&mut self, labels: &[bool], scores: &[f64]) {
        let probation = PROBATION.0 * (labels.len() as f64).min(PROBATION.1);
        let windows = stretches(labels);
        for row in 0..labels.len() {
            let begun = windows.partition_point(|window| window.first <= row);
            let place = match begun.checked_sub(1).map(|last| (self.windows + last, windows[last])) {
                _ if (row as f64) < probation.floor() => Place::Probation,
                None => Place::Outside(-1.0),
                Some((index, window)) if row <= window.last => {
                    let rows = (window.last - window.first + 1) as f64;
                    Place::Within(index, sigmoid(-((window.last - row + 1) as f64) / rows) / sigmoid(-1.0))
                }
                Some((_, window)) => {
                    Place::Outside(sigmoid((row - window.last) as f64 / (window.last - window.first) as f64))
                }
            };
            self.places.push(place);
        }
        self.scores.extend_from_slice(scores);
        self.windows += windows.len();
    }

    /// The score by this profile: 0 for flagging nothing, 100 for flagging exactly the first row of every window.
    pub fn score(&self, profile: Profile) -> f64 {
        // A window within the probation is neither found nor missed, yet belongs to what can be reached.
        let mut gained = vec![None; self.windows];
        for place in &self.places {
            if let Place::Within(window, _) = place {
                gained[*window] = Some(-profile.missed);
            }
        }
        let nothing: f64 = gained.iter().flatten().sum();
        let (mut total, mut best, mut threshold) = (nothing, nothing, f64::INFINITY);
        for row in ranked(&self.scores) {
            let place = self.places[row];
            if place == Place::Probation {
                continue;
            }
            // Rows of equal scores are flagged together.
            if self.scores[row] != threshold {
                threshold = self.scores[row];
                best = best.max(total);
            }
            match place {
                Place::Outside(worth) => total += worth * profile.wrong,
                Place::Within(window, worth) => {
                    if let Some(before) = &mut gained[window] {
                        let worth = (worth * profile.found).max(*before);
                        total += worth - *before;
                        *before = worth;
                    }
                }
                Place::Probation => {}
            }
        }
        100.0 * (best.max(total) - nothing) / (self.windows as f64 * profile.found - nothing)
    }
}

/// From 1 well before 0 to −1 from 3 on.
fn sigmoid(x: f64) -> f64 {
    if x > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * x).exp()) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretches::tests::case;

    const EXPECTED: [(u32, f64, [f64; 3]); 3] = [
        (1009, 0.2, [96.178, 95.261, 97.452]),
        (1009, 0.0, [50.264, 18.369, 66.843]),
        (20, 0.0, [41.123, 15.048, 60.749]),
    ];

    /// Two series of the small case, with the scores of the second moved by a few rows.
    fn corpus(steps: u32, lift: f64) -> Corpus {
        let (labels, scores) = case(steps, lift);
        let mut corpus = Corpus::default();
        corpus.add(&labels, &scores);
        let moved: Vec<f64> = scores[5..].iter().chain(&scores[..5]).copied().collect();
        corpus.add(&labels, &moved);
        corpus
    }

    #[test]
    fn small_cases_have_the_figures_of_the_independent_scorer() {
        for (steps, lift, expected) in EXPECTED {
            let corpus = corpus(steps, lift);
            let figures = [STANDARD, LOW_FALSE_POSITIVES, LOW_FALSE_NEGATIVES].map(|profile| corpus.score(profile));
            assert!(figures.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 5e-3), "{figures:?}");
        }
    }

    #[test]
    fn the_first_rows_of_all_windows_alone_are_a_hundred() {
        let labels: Vec<bool> = (0..400).map(|row| (200..=230).contains(&row) || row >= 390).collect();
        let scores: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row == 200 || row == 390))).collect();
        let mut corpus = Corpus::default();
        corpus.add(&labels, &scores);
        assert!((corpus.score(STANDARD) - 100.0).abs() < 1e-9);
        let mut flat = Corpus::default();
        flat.add(&labels, &[0.5; 400]);
        assert_eq!(flat.score(STANDARD), 0.0);
    }
}
