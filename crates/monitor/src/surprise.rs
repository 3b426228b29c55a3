//! How surprising it is that an item is as frequent as it is.

/// Counts of one item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// In the open window, and in the one before it.
    pub open: f64,
    pub last: f64,
    /// In all closed windows that are remembered.
    pub long: f64,
    /// How many those are.
    pub windows: f64,
}

impl Counts {
    /// The chi-squared statistic of MIDAS-R (Bhatia et al. 2020, 2022), which counts the recent past with the open window:
    /// `(a - 2 s/t)² t² / (s (t - 1))` for `a` recently and `s` in all `t` windows. Two things differ: the recent past is the
    /// one window before, in full, so that a burst is no smaller for the boundary in its middle; and it is held against what
    /// is usual in two windows, so that an item as frequent as always surprises nobody, however frequent that is. 0 for one
    /// that isn't more frequent than usual.
    pub(crate) fn surprise(self) -> f64 {
        let t = self.windows + 1.0;
        if t < 2.0 {
            return 0.0;
        }
        let s = self.long + self.open;
        let excess = self.open + self.last - 2.0 * s / t;
        if excess > 0.0 { excess * excess * t * t / (s * (t - 1.0)) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surprise(open: f64, last: f64, long: f64, windows: f64) -> f64 {
        Counts { open, last, long, windows }.surprise()
    }

    #[test]
    fn an_item_as_frequent_as_always_surprises_nobody() {
        assert!(surprise(5_000.0, 5_000.0, 500_000.0, 100.0) < 1e-9);
        assert_eq!(surprise(0.0, 0.0, 500.0, 100.0), 0.0);
    }

    #[test]
    fn a_rise_surprises_more_when_the_window_before_had_it_too() {
        let alone = surprise(40.0, 10.0, 1_000.0, 100.0);
        assert!(alone > 50.0 && surprise(40.0, 30.0, 1_020.0, 100.0) > 2.0 * alone, "{alone}");
    }

    #[test]
    fn what_was_never_seen_surprises_by_the_time_it_was_not() {
        assert!(surprise(1.0, 0.0, 0.0, 1_000.0) > 900.0);
        assert_eq!(surprise(9.0, 0.0, 0.0, 0.0), 0.0);
    }
}
