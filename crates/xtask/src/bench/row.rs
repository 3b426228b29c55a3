//! A line of the table: what was measured, beside its bar.

/// One measured work.
pub(super) struct Row {
    /// What was done.
    pub(super) work: String,
    /// What it took; none where the module doesn't have it.
    pub(super) measured: Option<Measured>,
    /// What is asked for.
    pub(super) bar: String,
}

/// A figure, and whether it keeps to the bar.
pub(super) struct Measured {
    /// For a person.
    pub(super) text: String,
    /// Whether the bar is kept.
    pub(super) holds: bool,
}

impl Row {
    /// False only where a bar was broken.
    pub(super) fn holds(&self) -> bool {
        self.measured.as_ref().is_none_or(|measured| measured.holds)
    }
}

/// The rows as a table in Markdown.
pub(super) fn table(rows: &[Row]) -> String {
    let mut lines = vec!["| work | measured | bar | |".to_owned(), "|---|---|---|---|".to_owned()];
    lines.extend(rows.iter().map(|Row { work, measured, bar }| match measured {
        Some(Measured { text, holds }) => {
            format!("| {work} | {text} | {bar} | {} |", if *holds { "kept" } else { "**missed**" })
        }
        None => format!("| {work} | not there | {bar} | – |"),
    }));
    lines.join("\n")
}

/// Middle value; of an even number the upper one.
pub(super) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value that a share `q` of them lies below.
pub(super) fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{Measured, Row, median, quantile, table};

    #[test]
    fn median_and_quantiles_are_values_of_the_sample() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        let mut hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut hundred, 0.99), 99.0);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn row_that_breaks_its_bar_says_so_and_one_that_is_not_there_does_not() {
        let row = |measured| Row { work: "w".into(), measured, bar: "≤ 1".into() };
        let broken = row(Some(Measured { text: "2".into(), holds: false }));
        let absent = row(None);
        assert!(!broken.holds() && absent.holds());
        assert!(table(&[broken, absent]).ends_with("| w | 2 | ≤ 1 | **missed** |\n| w | not there | ≤ 1 | – |"));
    }
}
