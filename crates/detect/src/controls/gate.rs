//! Whether a window may open an incident, given what stands against its causes.
//!
//! A window is held back where its largest cause isn't allowed, unless what is allowed would be an alert by itself: the
//! part of each detector's surprise that allowed features explain still reaches the alert boundary. It is held back, too,
//! where causes that are like those of an incident that was called normal explain at least half of it, unless, among the
//! items of which one is alike, others would be an alert by themselves. Other places, and other numbers, follow from what
//! is wrong more often than not: an incident names five causes, however many there are.

use super::Held;

/// A cause in the order in which it is told: its share, and what stands against it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighed {
    /// Share of the score.
    pub share: f64,
    /// Why it isn't allowed.
    pub objection: Option<Held>,
}

/// The largest surprise (−ln p) of one detector that allowed features explain.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Left {
    /// Of all detectors.
    pub anywhere: f64,
    /// Of those of items, where one of them is like what was called normal.
    pub beside: f64,
}

/// Why a window with these causes, the first `told` of which are told, opens nothing; `boundary` is the surprise at the
/// alert boundary.
pub(crate) fn held(causes: &[Weighed], told: usize, left: Left, boundary: f64) -> Option<Held> {
    let first = causes.first()?;
    let told = &causes[..told.min(causes.len())];
    let share = |of: &dyn Fn(&&Weighed) -> bool| told.iter().filter(of).map(|cause| cause.share).sum::<f64>();
    let alike = share(&|cause| cause.objection == Some(Held::Feedback));
    if alike > 0.0 && alike >= 0.5 * share(&|_| true) && left.beside < boundary {
        return Some(Held::Feedback);
    }
    first.objection.filter(|_| left.anywhere < boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(causes: &[(f64, Option<Held>)]) -> Vec<Weighed> {
        causes.iter().map(|(share, objection)| Weighed { share: *share, objection: *objection }).collect()
    }

    fn left(anywhere: f64, beside: f64) -> Left {
        Left { anywhere, beside }
    }

    #[test]
    fn a_window_led_by_an_allowed_cause_opens() {
        let causes = causes(&[(0.4, None), (0.6, Some(Held::Direction))]);
        assert_eq!(held(&causes, 5, left(0.0, 0.0), 10.0), None);
    }

    #[test]
    fn a_window_led_by_a_cause_that_is_not_allowed_opens_only_by_what_else_there_is() {
        let causes = causes(&[(0.6, Some(Held::Deviation)), (0.4, None)]);
        assert_eq!(held(&causes, 5, left(9.0, 0.0), 10.0), Some(Held::Deviation));
        assert_eq!(held(&causes, 5, left(10.0, 0.0), 10.0), None);
    }

    #[test]
    fn a_window_half_of_which_was_called_normal_is_held_back() {
        let said = Some(Held::Feedback);
        assert_eq!(
            held(&causes(&[(0.3, None), (0.3, said), (0.1, None), (0.2, said)]), 5, left(99.0, 9.0), 10.0),
            said
        );
        assert_eq!(held(&causes(&[(0.6, said), (0.4, None)]), 5, left(99.0, 10.0), 10.0), None, "another item's");
        assert_eq!(held(&causes(&[(0.5, None), (0.4, said)]), 5, left(99.0, 0.0), 10.0), None);
        assert_eq!(
            held(&causes(&[(0.3, None), (0.1, None), (0.6, said)]), 2, left(99.0, 0.0), 10.0),
            None,
            "it isn't told"
        );
        assert_eq!(held(&[], 5, left(99.0, 0.0), 10.0), None);
    }
}
