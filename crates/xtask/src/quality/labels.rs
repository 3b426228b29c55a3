//! Labelled rows, as the measures see them.

pub(super) use eddyline_measures::stretches::{ranked, stretches};

#[cfg(test)]
pub(super) mod tests {
    /// A small case: labels of 400 rows, and scores that are `lift` higher in incidents, with many ties where `steps` is
    /// small.
    pub(in crate::quality) fn case(steps: u32, lift: f64) -> (Vec<bool>, Vec<f64>) {
        let labels: Vec<bool> =
            (0..400).map(|row| (50..=70).contains(&row) || (200..=230).contains(&row) || row >= 390).collect();
        let score = |(row, label): (u32, &bool)| {
            let noise = f64::from((row * 7919 + 13) % 1009 * steps / 1009) / f64::from(steps);
            noise + if *label { lift } else { 0.0 }
        };
        let scores = (0..).zip(&labels).map(score).collect();
        (labels, scores)
    }
}
