//! What people hear, story by story.

use crate::story::{Story, alert};
use eddyline_wire::alert::{Event, Severity};
use eddyline_wire::notification::{MAX_ALERTS, News};
use eddyline_worker::notify::budget::Budget;
use eddyline_worker::notify::group::MAX_MEMBERS;
use eddyline_worker::notify::groups::{Heard, MAX_GROUPS};
use eddyline_worker::notify::settings::Openings;
use std::collections::BTreeSet;
use std::time::Duration;

use News::{Changed, Escalated, Joined, Opened, Resolved};
use Severity::{Critical, Warning};

const HOUR: u64 = 3_600_000;

fn name(i: u64) -> String {
    format!("m{i:03}")
}

#[test]
fn an_incident_alone_is_told_at_once_and_again_when_it_has_been_over_for_a_minute() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(120_000);
    story.resolve("pay");
    story.at(HOUR);
    assert_eq!(story.news(), [(0.0, Opened), (180.0, Resolved)]);
    let last = story.last();
    assert_eq!((last.id.as_str(), last.group.as_str(), last.event), ("pay-1-1", "pay-1", Event::Resolved));
    assert_eq!((last.incidents, last.open, last.alerts[0].event), (1, 0, Event::Resolved));
    assert_eq!(story.groups.next_due_ms(&story.settings), None);
}

#[test]
fn a_storm_within_seconds_is_three_messages() {
    for critical in [None, Some(0), Some(77)] {
        let mut story = Story::new();
        for i in 0..200 {
            story.open(&name(i), if critical == Some(i) { Critical } else { Warning });
            story.at(i * 20);
        }
        story.at(30_000);
        let last = story.last();
        assert_eq!((last.incidents, last.open, last.alerts.len(), last.more()), (200, 200, MAX_ALERTS, 150));
        (0..200).for_each(|i| _ = story.resolve(&name(i)));
        story.at(HOUR);
        let news: Vec<News> = story.news().into_iter().map(|(_, news)| news).collect();
        let joined = if critical == Some(77) { Escalated } else { Joined };
        assert_eq!(news, [Opened, joined, Resolved], "{critical:?}");
        assert_eq!(story.last().incidents, 200);
    }
}

#[test]
fn a_storm_in_waves_of_windows_is_three_messages() {
    let mut story = Story::new();
    for wave in 0..4 {
        story.at(wave * 5000);
        for i in 0..50 {
            story.open(&name(wave * 50 + i), Critical);
            story.at(wave * 5000 + i * 10);
        }
    }
    story.at(60_000);
    assert_eq!(story.last().incidents, 200);
    (0..200).for_each(|i| _ = story.resolve(&name(i)));
    story.at(HOUR);
    let news: Vec<News> = story.news().into_iter().map(|(_, news)| news).filter(|news| *news != Changed).collect();
    assert_eq!(news, [Opened, Joined, Resolved]);
}

#[test]
fn a_storm_that_is_read_at_once_is_one_message() {
    let mut story = Story::new();
    (0..200).for_each(|i| _ = story.open(&name(i), Warning));
    story.at(600_000);
    assert_eq!(story.news(), [(0.0, Opened)]);
    assert_eq!((story.last().incidents, story.last().alerts.len()), (200, MAX_ALERTS));
    assert!(story.last().title.contains("and 197 more"), "{}", story.last().title);
}

#[test]
fn a_storm_spread_over_a_minute_is_at_most_three_messages_before_its_end() {
    // When it turns critical: never, at once, soon, late.
    for critical in [None, Some(0), Some(3), Some(150)] {
        let mut story = Story::new();
        for i in 0..200 {
            story.open(&name(i), if critical.is_some_and(|critical| i >= critical) { Critical } else { Warning });
            story.at(i * 300);
        }
        story.at(HOUR);
        let heard = story.news().into_iter().filter(|(_, news)| *news != Changed).count();
        assert!(heard <= 3, "{critical:?}: {:?}", story.news());
        assert_eq!(story.last().incidents, 200);
    }
}

#[test]
fn a_group_that_keeps_growing_is_told_ever_more_seldom() {
    let mut story = Story::new();
    for i in 0..800 {
        story.open(&name(i), Warning);
        story.at(i * 30_000);
    }
    let joined: Vec<f64> = story.news().iter().filter(|(_, news)| *news == Joined).map(|(at, _)| *at).collect();
    let gaps: Vec<f64> = joined.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[0] >= 60.0 && gaps.windows(2).all(|pair| pair[1] >= pair[0]), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= 3700.0) && joined.len() <= 14, "{gaps:?}");
}

#[test]
fn an_incident_long_after_the_last_one_is_a_group_of_its_own() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(60_001);
    story.open("mail", Warning);
    story.at(HOUR);
    assert_eq!(story.news(), [(0.0, Opened), (60.001, Opened)]);
    assert_eq!(story.last().group, "mail-1");
}

#[test]
fn a_flapping_monitor_wakes_nobody_twice() {
    let mut story = Story::new();
    for i in 0..100 {
        story.open("pay", Warning);
        story.at(i * 60_000 + 20_000);
        story.resolve("pay");
        story.at(i * 60_000 + 60_000);
    }
    story.at(3 * HOUR);
    let heard: Vec<News> = story.news().iter().map(|(_, news)| *news).filter(|news| *news != Changed).collect();
    assert_eq!(heard, [Opened, Resolved]);
    assert_eq!(story.last().incidents, 100);
    assert!(story.last().alerts.len() <= 2, "{:?}", story.last().alerts);
    // Machines hear of every one that it is over.
    let ends = story.told.iter().flat_map(|(_, told)| &told.alerts).filter(|alert| alert.event == Event::Resolved);
    assert_eq!(ends.map(|alert| &alert.incident).collect::<BTreeSet<_>>().len(), 100);
}

#[test]
fn a_flapping_monitor_that_turns_critical_is_told() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(10_000);
    story.resolve("pay");
    story.at(20_000);
    story.open("pay", Critical);
    story.at(30_000);
    assert_eq!(story.news(), [(0.0, Opened), (20.0, Escalated)]);
    assert_eq!(story.last().severity, Critical);
}

#[test]
fn a_monitor_that_opens_long_after_its_end_is_told_though_its_group_is_open() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.open("mail", Warning);
    story.at(10_000);
    story.resolve("pay");
    story.at(HOUR);
    story.open("pay", Warning);
    story.at(HOUR + 1000);
    assert_eq!((story.last().news, story.last().group.as_str()), (Opened, "pay-2"));
}

#[test]
fn an_escalation_is_told_at_once_and_other_changes_once_a_minute() {
    let mut story = Story::new();
    story.open("pay", Warning);
    for second in 1..=200 {
        story.at(second * 1000);
        story.update("pay", if second == 90 { Critical } else { Warning });
    }
    story.at(201_000);
    assert_eq!(story.news(), [(0.0, Opened), (60.0, Changed), (90.0, Escalated), (150.0, Changed)]);
}

#[test]
fn what_joined_is_listed_before_what_is_known() {
    let mut story = Story::new();
    (0..100).for_each(|i| _ = story.open(&name(i), Critical));
    story.at(1000);
    story.open("late", Warning);
    story.at(30_000);
    let last = story.last();
    assert_eq!((last.news, last.alerts.len()), (Joined, MAX_ALERTS));
    assert_eq!((last.alerts[0].monitor.as_str(), last.alerts[1].severity), ("late", Critical));
    assert!(last.title.starts_with("m000, "), "{}", last.title);
}

#[test]
fn a_message_that_is_read_twice_changes_nothing() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(1000);
    let before = story.groups.clone();
    let again = alert("pay", 1, Event::Opened, Warning, 1);
    assert_eq!(story.groups.hear("pay", again, story.budget, &story.settings), Heard::Grouped);
    assert_eq!(story.groups, before);
}

#[test]
fn what_is_not_rare_enough_is_told_when_its_peak_is() {
    let mut story = Story::new();
    // p = 1e-8 at score 0.6 says p* = 2.2e-7; at 0.8, 1e-5.
    story.budget = Budget::new(Openings::AtMost(10.0), 1000.0);
    assert_eq!(story.open("pay", Warning), Heard::NotRareEnough);
    assert_eq!(story.open("mail", Warning), Heard::NotRareEnough);
    story.at(10_000);
    assert!(story.told.is_empty());
    assert_eq!(story.update("pay", Critical), Heard::Grouped);
    assert_eq!(story.resolve("mail"), Heard::NeverTold);
    story.at(20_000);
    assert_eq!(story.news(), [(10.0, Opened)]);
    assert_eq!(story.resolve("pay"), Heard::Grouped);
}

#[test]
fn a_monitor_that_is_gone_holds_no_group_open() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.open("mail", Warning);
    story.at(10_000);
    story.resolve("mail");
    story.groups.lose("pay", "the monitor is gone");
    assert_eq!(story.groups.monitors().count(), 0);
    story.at(HOUR);
    let last = story.last();
    assert_eq!((last.news, last.open), (Resolved, 0));
    let pay = last.alerts.iter().find(|alert| alert.monitor == "pay").unwrap();
    assert_eq!((pay.event, pay.reason.as_deref()), (Event::Resolved, Some("the monitor is gone")));
}

#[test]
fn an_incident_that_comes_back_after_its_group_ended_has_new_numbers() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(10_000);
    story.groups.lose("pay", "its incidents are gone");
    story.at(HOUR);
    story.update("pay", Warning);
    story.at(HOUR + 1000);
    let ids: Vec<&str> = story.told.iter().map(|(_, notification)| notification.id.as_str()).collect();
    assert_eq!(ids, ["pay-1-0", "pay-1-1", "pay-1-2"]);
    assert_eq!(story.last().news, Opened);
}

#[test]
fn past_a_thousand_incidents_and_a_hundred_groups_nothing_grows() {
    let mut story = Story::new();
    (0..2500).for_each(|i| _ = story.open(&name(i), Warning));
    story.at(10_000);
    assert_eq!((story.last().incidents, story.last().open), (2500, MAX_MEMBERS as u64));
    assert!(story.groups.is_consistent());
    assert!(serde_json::to_string(&story.groups).unwrap().len() < 1_000_000);
    (0..2500).for_each(|i| _ = story.resolve(&name(i)));
    story.at(HOUR);
    assert_eq!(story.last().news, Resolved);

    let mut story = Story::new();
    story.settings.group_window = Duration::ZERO;
    for i in 0..MAX_GROUPS as u64 + 20 {
        story.open(&name(i), Warning);
        story.at((i + 1) * 1000);
    }
    let groups: BTreeSet<&str> = story.told.iter().map(|(_, notification)| notification.group.as_str()).collect();
    assert_eq!(groups.len(), MAX_GROUPS);
    assert!(story.groups.is_consistent());
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut story = Story::new();
    story.open("pay", Warning);
    story.at(10 * HOUR);
    story.resolve("pay");
    // `Story` counts from its own beginning: this is ten hours ago.
    let due = story.groups.next_due_ms(&story.settings).unwrap();
    let now = due - 10 * HOUR;
    story.groups.be_at(now);
    assert!(story.groups.next_due_ms(&story.settings).unwrap() <= now + 60_000);
}

#[test]
fn what_stands_is_the_last_notification_with_what_is_known_now() {
    let mut story = Story::new();
    assert!(story.groups.standing("test").is_empty());
    story.open("pay", Warning);
    story.at(1000);
    story.open("mail", Warning);
    story.at(30_000);
    let standing = story.groups.standing("test");
    assert_eq!((standing.len(), &standing[0].id), (1, &story.last().id));
    assert_eq!(standing[0].alerts.len(), 2);
    story.resolve("pay");
    story.resolve("mail");
    story.at(HOUR);
    assert!(story.groups.standing("test").is_empty());
}
