//! What holds for groups whatever happens.

use crate::story::Story;
use eddyline_wire::alert::Severity;
use eddyline_wire::notification::{MAX_ALERTS, News, Notification};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, proptest};
use std::collections::BTreeMap;

/// How long after the step before, which of a few monitors, and whether it turns critical.
type Step = (u64, usize, u8);

const MONITORS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn play(steps: &[Step], takeovers: bool) -> Story {
    let mut story = Story::new();
    story.takeovers = takeovers;
    let mut now = 0;
    for &(wait, monitor, what) in steps {
        now += wait;
        story.at(now);
        let (monitor, severity) =
            (MONITORS[monitor], if what & 1 == 0 { Severity::Warning } else { Severity::Critical });
        match (story.is_open(monitor), what & 2) {
            (false, _) => story.open(monitor, severity),
            (true, 0) => story.update(monitor, severity),
            (true, _) => story.resolve(monitor),
        };
    }
    story.at(now);
    for monitor in MONITORS {
        if story.is_open(monitor) {
            story.resolve(monitor);
        }
    }
    story.at(now + 86_400_000);
    story
}

fn by_group(story: &Story) -> BTreeMap<&str, Vec<(u64, &Notification)>> {
    let mut groups: BTreeMap<&str, Vec<(u64, &Notification)>> = BTreeMap::new();
    for (at, notification) in &story.told {
        groups.entry(&notification.group).or_default().push((*at, notification));
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_group_is_opened_once_and_resolved_once_and_no_incident_is_left_out(
        steps in vec((0_u64..40_000, 0_usize..6, 0_u8..4), 1..120),
    ) {
        let story = play(&steps, false);
        let mut incidents = 0;
        for (group, told) in by_group(&story) {
            for (number, (_, notification)) in told.iter().enumerate() {
                assert_eq!(notification.id, format!("{group}-{number}"));
                assert_eq!(notification.news == News::Opened, number == 0);
                assert_eq!(notification.news == News::Resolved, number == told.len() - 1);
                assert!(notification.alerts.len() <= MAX_ALERTS && !notification.alerts.is_empty());
                assert!(notification.open <= notification.incidents);
            }
            incidents += told.last().unwrap().1.incidents;
        }
        assert_eq!(incidents, story.opened());
        assert_eq!(story.groups.next_due_ms(&story.settings), None);
    }

    #[test]
    fn people_are_not_called_again_and_again(steps in vec((0_u64..40_000, 0_usize..6, 0_u8..4), 1..120)) {
        let story = play(&steps, false);
        for told in by_group(&story).values() {
            let called: Vec<u64> =
                told.iter().filter(|(_, n)| matches!(n.news, News::Joined | News::Escalated)).map(|(at, _)| *at).collect();
            let escalated = told.iter().filter(|(_, n)| n.news == News::Escalated).count();
            assert!(escalated <= 1);
            // An escalation comes at once, everything else a minute after the last call.
            let close = called.windows(2).filter(|pair| pair[1] - pair[0] < 60_000).count();
            assert!(close <= escalated, "{called:?}");
            let machines: Vec<u64> = told.iter().filter(|(_, n)| n.news == News::Changed).map(|(at, _)| *at).collect();
            assert!(machines.windows(2).all(|pair| pair[1] - pair[0] >= 60_000), "{machines:?}");
        }
    }

    #[test]
    fn a_notifier_that_takes_over_goes_on_as_the_first_would_have(
        steps in vec((0_u64..40_000, 0_usize..6, 0_u8..4), 1..60),
    ) {
        assert_eq!(play(&steps, true).told, play(&steps, false).told);
    }
}
