//! What stands in when judging or learning fails: the last good model without the window that broke it, then the robust
//! baseline. Full detection is tried again after windows that went well.

use crate::judging::choices::Choices;
use crate::service::status::Condition;
use eddyline_detect::Detectors;
use eddyline_wire::command::EntryId;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

/// Judging or learning one window may take so long.
pub(super) const TOO_LONG: Duration = Duration::from_secs(2);
/// So many failures, with fewer than [`CALM`] windows between them, hand over to the robust baseline.
const FAILURES: u32 = 3;
/// Windows that went well after which it is over.
const CALM: u32 = 60;
/// Longest time with the robust baseline before full detection is tried again, in windows.
const LONGEST_CALM: u32 = 3600;
/// So many windows of history may break the model, each left out, before that is a failure: what broke it while the robust
/// baseline stood in is met again.
const OLD_FAILURES: u32 = 32;
/// Windows that are remembered as not to be judged.
const LEFT_OUT: usize = 64;

/// What is left of detection.
#[derive(Debug, Default)]
pub(super) struct Grade {
    left_out: VecDeque<EntryId>,
    failures: u32,
    /// Windows of history that broke the model since a new one went well.
    old_failures: u32,
    /// Windows since the last failure.
    calm: u32,
    /// Windows to wait before full detection is tried again; doubles each time that fails.
    patience: u32,
    is_robust: bool,
    reason: Option<String>,
}

impl Grade {
    /// A window, a new one or one of history, broke the model: it is left out from now on. Says whether that is news.
    pub(super) fn broke(&mut self, window: EntryId, is_new: bool, why: &str) -> bool {
        if !self.leaves_out(window) {
            self.left_out.truncate(LEFT_OUT - 1);
            self.left_out.push_front(window);
        }
        if !is_new {
            self.old_failures += 1;
            if self.old_failures < OLD_FAILURES {
                return false;
            }
        }
        self.fail(format!("window {window} broke the model: {why}"))
    }

    /// A window took too long. Says whether that is news.
    pub(super) fn dragged(&mut self, took: Duration) -> bool {
        // The robust baseline is the cheapest there is: nothing could take its place.
        !self.is_robust && self.fail(format!("a window took {:.1} s", took.as_secs_f64()))
    }

    fn fail(&mut self, reason: String) -> bool {
        let is_news = self.reason.is_none();
        self.reason = Some(reason);
        self.calm = 0;
        self.failures += 1;
        if self.failures >= FAILURES && !self.is_robust {
            self.is_robust = true;
            self.patience = (self.patience * 2).clamp(CALM, LONGEST_CALM);
            return true;
        }
        is_news
    }

    /// A new window went well. Says whether it is over with that.
    pub(super) fn pass(&mut self) -> bool {
        self.calm = self.calm.saturating_add(1);
        self.old_failures = 0;
        if self.calm >= LONGEST_CALM {
            self.patience = 0;
        }
        let is_over = self.reason.is_some() && self.calm >= self.patience.max(CALM);
        if is_over {
            (self.is_robust, self.failures, self.reason) = (false, 0, None);
        }
        is_over
    }

    /// Whether this window broke the model before.
    pub(super) fn leaves_out(&self, window: EntryId) -> bool {
        self.left_out.contains(&window)
    }

    /// Whether the robust baseline is in charge.
    pub(super) fn is_robust(&self) -> bool {
        self.is_robust
    }

    /// What is chosen, given what is left of detection.
    pub(super) fn choices<'a>(&self, chosen: &'a Choices) -> Cow<'a, Choices> {
        if !self.is_robust {
            return Cow::Borrowed(chosen);
        }
        let detectors: Detectors = "zscore".parse().expect("a detector's name");
        Cow::Owned(Choices { detectors, ..chosen.clone() })
    }

    /// What is told of the monitor, which is otherwise in this condition.
    pub(super) fn condition(&self, otherwise: Condition) -> Condition {
        match &self.reason {
            None => otherwise,
            Some(reason) => Condition::Degraded { reason: format!("{reason}; {}", self.in_charge()) },
        }
    }

    /// What judges.
    pub(super) fn in_charge(&self) -> &'static str {
        if self.is_robust { "the robust baseline is in charge" } else { "the last good model is in charge" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(ms: u64) -> EntryId {
        EntryId { ms, seq: 0 }
    }

    fn pass(grade: &mut Grade, windows: u32) -> bool {
        (0..windows).fold(false, |over, _| grade.pass() || over)
    }

    #[test]
    fn one_failure_leaves_the_window_out_and_is_over_after_calm() {
        let mut grade = Grade::default();
        assert!(grade.broke(window(5), true, "overflow"));
        assert!(grade.leaves_out(window(5)) && !grade.leaves_out(window(6)));
        let Condition::Degraded { reason } = grade.condition(Condition::Ready) else { panic!() };
        assert_eq!(reason, "window 5-0 broke the model: overflow; the last good model is in charge");
        assert!(!pass(&mut grade, CALM - 1));
        assert!(pass(&mut grade, 1));
        assert_eq!(grade.condition(Condition::Ready), Condition::Ready);
    }

    #[test]
    fn failures_in_a_row_hand_over_to_the_robust_baseline_for_longer_each_time() {
        let mut grade = Grade::default();
        let break_down = |grade: &mut Grade| {
            for i in 0..FAILURES {
                grade.broke(window(i.into()), true, "odd");
            }
        };
        for patience in [CALM, 2 * CALM, 4 * CALM] {
            break_down(&mut grade);
            assert!(grade.is_robust());
            assert_eq!(grade.choices(&Choices::default()).detectors.to_string(), "zscore");
            assert!(!pass(&mut grade, patience - 1));
            assert!(pass(&mut grade, 1));
            assert_eq!(*grade.choices(&Choices::default()), Choices::default());
        }
        pass(&mut grade, LONGEST_CALM);
        break_down(&mut grade);
        assert!(pass(&mut grade, CALM), "what was long ago is forgotten");
    }

    #[test]
    fn history_that_broke_it_before_is_left_out_without_a_word_unless_there_is_no_end_of_it() {
        let mut grade = Grade::default();
        assert!((1..OLD_FAILURES).all(|i| !grade.broke(window(i.into()), false, "odd")));
        assert!(grade.leaves_out(window(1)) && grade.condition(Condition::Ready) == Condition::Ready);
        assert!(grade.broke(window(99), false, "odd"));
    }

    #[test]
    fn slowness_counts_but_not_the_robust_baselines() {
        let mut grade = Grade::default();
        assert!(grade.dragged(TOO_LONG));
        assert!(!grade.dragged(TOO_LONG), "said once");
        assert!(grade.dragged(TOO_LONG), "said again when another takes over");
        assert!(grade.is_robust() && !grade.dragged(TOO_LONG));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut grade = Grade::default();
        for i in 0..1000 {
            grade.broke(window(i), true, "odd");
        }
        assert_eq!(grade.left_out.len(), LEFT_OUT);
        assert!(grade.leaves_out(window(999)) && !grade.leaves_out(window(0)));
    }
}
