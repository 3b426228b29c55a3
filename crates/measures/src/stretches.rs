//! Labelled rows as stretches of rows.

/// Rows of one incident, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First row.
    pub first: usize,
    /// Last row.
    pub last: usize,
}

impl Stretch {
    /// Its rows and `margin` more at both ends, of `rows` that there are.
    #[must_use]
    pub fn widened(self, margin: usize, rows: usize) -> std::ops::Range<usize> {
        self.first.saturating_sub(margin)..(self.last + margin + 1).min(rows)
    }
}

/// The stretches of rows that are labelled.
#[must_use]
pub fn stretches(labels: &[bool]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for row in (0..labels.len()).filter(|row| labels[*row]) {
        match found.last_mut() {
            Some(stretch) if stretch.last + 1 == row => stretch.last = row,
            _ => found.push(Stretch { first: row, last: row }),
        }
    }
    found
}

/// Rows by score, highest first; of equal scores the earlier first.
#[must_use]
pub fn ranked(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small case: labels of 400 rows, and scores that are `lift` higher in incidents, with many ties where `steps` is
    /// small.
    pub(crate) fn case(steps: u32, lift: f64) -> (Vec<bool>, Vec<f64>) {
        let labels: Vec<bool> =
            (0..400).map(|row| (50..=70).contains(&row) || (200..=230).contains(&row) || row >= 390).collect();
        let score = |(row, label): (u32, &bool)| {
            let noise = f64::from((row * 7919 + 13) % 1009 * steps / 1009) / f64::from(steps);
            noise + if *label { lift } else { 0.0 }
        };
        let scores = (0..).zip(&labels).map(score).collect();
        (labels, scores)
    }

    #[test]
    fn stretches_are_runs_of_labels() {
        let found = stretches(&case(1009, 0.2).0);
        assert_eq!(found.len(), 3);
        assert_eq!(found[2], Stretch { first: 390, last: 399 });
        assert_eq!((found[0].widened(15, 400), found[2].widened(15, 400)), (35..86, 375..400));
    }
}
