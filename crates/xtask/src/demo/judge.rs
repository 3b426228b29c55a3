//! Which alert is about which fault.

use eddyline_wire::alert::{Alert, Event};

use super::faults::{Fault, Kind};

/// Windows after a fault in which an alert is still about it.
const TAIL_WINDOWS: u64 = 5;

/// What is known of one fault.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) fault: Fault,
    /// Milliseconds from the break to the first alert about it: opened, or updated with the culprit.
    pub(super) alerted_ms: Option<u64>,
    /// Milliseconds from the break to the first alert that names the culprit.
    pub(super) named_ms: Option<u64>,
}

impl Finding {
    /// Alerted while it lasted, and the culprit named.
    pub(super) fn is_found(&self) -> bool {
        self.alerted_ms.is_some() && self.named_ms.is_some()
    }
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum About {
    /// The fault of this number, after so many ms; and the cause that names its culprit, counted from 1.
    Fault { number: usize, after_ms: u64, named_by: Option<usize> },
    /// What a fault left behind.
    Aftermath { number: usize },
    /// Nothing that was broken.
    Nothing,
}

/// All faults so far, and the incidents opened without one.
#[derive(Debug, Default)]
pub(super) struct Judge {
    pub(super) findings: Vec<Finding>,
    pub(super) false_alarms: Vec<Alert>,
}

impl Judge {
    /// A fault began.
    pub(super) fn broke(&mut self, fault: Fault) {
        self.findings.push(Finding { fault, alerted_ms: None, named_ms: None });
    }

    /// Judges an alert heard at `at_ms` by the time of its window.
    pub(super) fn heard(&mut self, alert: &Alert, at_ms: u64) -> About {
        let (start, end) = (alert.window_end_ms.saturating_sub(alert.window_ms), alert.window_end_ms);
        let during = |fault: &Fault| fault.start_ms < end && start < fault.end_ms;
        let Some(number) = self.findings.iter().rposition(|finding| during(&finding.fault)) else {
            return self.outside(alert, start, end);
        };
        let finding = &mut self.findings[number];
        let after_ms = at_ms.saturating_sub(finding.fault.start_ms);
        let named_by = match alert.event {
            Event::Resolved => None,
            Event::Opened | Event::Updated => cause_naming(alert, finding.fault.broken.culprit()),
        };
        if alert.event == Event::Opened || named_by.is_some() {
            finding.alerted_ms.get_or_insert(after_ms);
        }
        if named_by.is_some() {
            finding.named_ms.get_or_insert(after_ms);
        }
        About::Fault { number, after_ms, named_by: named_by.map(|cause| cause + 1) }
    }

    fn outside(&mut self, alert: &Alert, start: u64, end: u64) -> About {
        let tail = TAIL_WINDOWS * alert.window_ms;
        let left = |fault: &Fault| fault.start_ms < end && start < fault.end_ms + tail;
        if let Some(number) = self.findings.iter().rposition(|finding| left(&finding.fault)) {
            return About::Aftermath { number };
        }
        if alert.event == Event::Opened {
            self.false_alarms.push(alert.clone());
        }
        About::Nothing
    }

    /// Whether the faults so far are of all kinds.
    pub(super) fn has_all_kinds(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.findings.iter().any(|finding| finding.fault.broken.kind() == *kind))
    }

    /// Faults found, and the median of the milliseconds from break to name.
    pub(super) fn found(&self) -> (usize, Option<u64>) {
        let found = self.findings.iter().filter(|finding| finding.is_found());
        let mut delays: Vec<u64> = found.filter_map(|finding| finding.named_ms).collect();
        delays.sort_unstable();
        let middle = delays.len() / 2;
        let median = match delays.len() {
            0 => None,
            n if n % 2 == 1 => Some(delays[middle]),
            _ => Some(u64::midpoint(delays[middle - 1], delays[middle])),
        };
        (delays.len(), median)
    }

    /// Whether every kind was found, and at most one false alarm raised.
    pub(super) fn is_content(&self) -> bool {
        let all_found = self.findings.iter().all(Finding::is_found);
        self.has_all_kinds() && all_found && self.false_alarms.len() <= 1
    }
}

/// The first cause in whose words or items `culprit` stands.
fn cause_naming(alert: &Alert, culprit: &str) -> Option<usize> {
    let names =
        |text: &str| text.split(|c: char| !(c.is_alphanumeric() || "/-_.".contains(c))).any(|word| word == culprit);
    alert.causes.iter().position(|cause| names(&cause.what) || cause.items.iter().any(|item| names(&item.item)))
}

#[cfg(test)]
mod tests {
    use super::{About, Judge};
    use crate::demo::faults::{Break, Fault};
    use eddyline_wire::alert::{Alert, Cause, CauseItem, Direction, Event, Severity};

    const SECOND: u64 = 1_000;

    fn fault(broken: Break, start: u64, end: u64) -> Fault {
        Fault { broken, start_ms: start * SECOND, end_ms: end * SECOND }
    }

    fn slow_bank() -> Fault {
        fault(Break::Slow { peer: "bank" }, 100, 112)
    }

    /// An alert about the window that ends at `end` s, because of `what`.
    fn alert(event: Event, end: u64, what: &str, item: &str) -> Alert {
        Alert {
            v: 1,
            event,
            incident: String::new(),
            monitor: "shop".to_owned(),
            deployment: "demo".to_owned(),
            db: 0,
            severity: Severity::Warning,
            score: 0.6,
            p: 1e-6,
            rarity: String::new(),
            summary: String::new(),
            since: String::new(),
            since_ms: 0,
            window_end_ms: end * SECOND,
            window_ms: SECOND,
            windows: 1,
            causes: vec![Cause {
                kind: String::new(),
                feature: String::new(),
                what: what.to_owned(),
                direction: Direction::Up,
                expected: 0.0,
                low: 0.0,
                high: 0.0,
                observed: 0.0,
                share: 1.0,
                items: vec![CauseItem { item: item.to_owned(), count: 1 }],
            }],
            markers: vec![],
            reason: None,
            entry: String::new(),
        }
    }

    fn judge(faults: impl IntoIterator<Item = Fault>) -> Judge {
        let mut judge = Judge::default();
        faults.into_iter().for_each(|fault| judge.broke(fault));
        judge
    }

    #[test]
    fn alert_that_names_the_culprit_finds_the_fault() {
        let mut judge = judge([slow_bank()]);
        let opened = alert(Event::Opened, 102, "bank: latency_ms 256-1024", "carrier");
        let about = judge.heard(&opened, 102 * SECOND + 60);
        assert_eq!(about, About::Fault { number: 0, after_ms: 2_060, named_by: Some(1) });
        assert!(judge.findings[0].is_found());
        assert_eq!((judge.found(), judge.false_alarms.len()), ((1, Some(2_060)), 0));
    }

    #[test]
    fn alert_that_names_something_else_does_not() {
        let mut judge = judge([slow_bank()]);
        for (what, item) in [("banks", "bank-2"), ("carrier: latency_ms", "/bank")] {
            judge.heard(&alert(Event::Opened, 103, what, item), 103 * SECOND);
        }
        assert_eq!((judge.findings[0].alerted_ms, judge.findings[0].named_ms), (Some(3_000), None));
        assert!(!judge.findings[0].is_found());
        judge.heard(&alert(Event::Updated, 105, "latency_ms:p99", "pay*bank"), 105 * SECOND);
        assert_eq!((judge.findings[0].alerted_ms, judge.findings[0].named_ms), (Some(3_000), Some(5_000)));
    }

    #[test]
    fn incident_of_an_earlier_fault_finds_the_next_only_by_its_culprit() {
        let mut judge = judge([slow_bank(), fault(Break::Vanished { endpoint: "/cart" }, 115, 130)]);
        judge.heard(&alert(Event::Updated, 118, "bank: latency_ms", "/cart/add"), 118 * SECOND);
        assert_eq!(judge.findings[1].alerted_ms, None);
        judge.heard(&alert(Event::Updated, 119, "endpoint /cart", ""), 119 * SECOND);
        assert!(judge.findings[1].is_found());
        assert!(!judge.findings[0].is_found());
    }

    #[test]
    fn resolution_finds_nothing() {
        let mut judge = judge([slow_bank()]);
        judge.heard(&alert(Event::Resolved, 105, "bank", "bank"), 105 * SECOND);
        assert_eq!((judge.findings[0].alerted_ms, judge.found()), (None, (0, None)));
    }

    #[test]
    fn window_that_a_fault_only_touches_is_not_about_it() {
        let mut judge = judge([slow_bank()]);
        // [99, 100) ends as the fault begins, [99, 100) + 1 overlaps it
        assert_eq!(judge.heard(&alert(Event::Opened, 100, "bank", ""), 100 * SECOND), About::Nothing);
        assert_eq!(judge.false_alarms.len(), 1);
        assert!(matches!(judge.heard(&alert(Event::Opened, 101, "", ""), 101 * SECOND), About::Fault { .. }));
        assert!(matches!(judge.heard(&alert(Event::Opened, 112, "", ""), 112 * SECOND), About::Fault { .. }));
    }

    #[test]
    fn opening_soon_after_a_fault_is_neither_found_nor_false() {
        let mut judge = judge([slow_bank()]);
        for end in [113, 117] {
            assert_eq!(
                judge.heard(&alert(Event::Opened, end, "bank", ""), end * SECOND),
                About::Aftermath { number: 0 }
            );
        }
        assert_eq!((judge.found().0, judge.false_alarms.len()), (0, 0));
        assert_eq!(judge.heard(&alert(Event::Updated, 118, "bank", ""), 118 * SECOND), About::Nothing);
        assert_eq!(judge.false_alarms.len(), 0);
        assert_eq!(judge.heard(&alert(Event::Opened, 118, "bank", ""), 118 * SECOND), About::Nothing);
        assert_eq!(judge.false_alarms.len(), 1);
    }

    #[test]
    fn content_needs_every_kind_found_and_one_false_alarm_at_most() {
        let breaks = [
            Break::Errors { service: "pay" },
            Break::Slow { peer: "bank" },
            Break::Vanished { endpoint: "/cart" },
            Break::Scan { user: "u1" },
        ];
        let mut judge = judge([]);
        for (number, broken) in breaks.into_iter().enumerate() {
            assert!(!judge.is_content());
            let start = 100 + 40 * number as u64;
            let culprit = broken.culprit();
            judge.broke(fault(broken, start, start + 12));
            assert!(!judge.is_content());
            let end = start + 2 + number as u64;
            judge.heard(&alert(Event::Opened, end, culprit, ""), end * SECOND);
        }
        assert!(judge.is_content());
        assert_eq!(judge.found(), (4, Some(3_500)));
        for alarms in 1..=2 {
            judge.heard(&alert(Event::Opened, 50 + alarms, "pay", ""), 51 * SECOND);
            assert_eq!(judge.is_content(), alarms == 1);
        }
    }
}
