//! All open groups: messages about incidents go in, notifications come out. Pure: the time comes in.

use crate::notify::budget::Budget;
use crate::notify::group::{Group, ms};
use crate::notify::settings::NotifySettings;
use eddyline_detect::Kind;
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::notification::{News, Notification};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Groups that are open at once. A further incident joins the youngest, however long ago that was.
pub const MAX_GROUPS: usize = 100;
/// Ended groups whose numbers aren't given again.
const MAX_ENDED: usize = 100;

/// What is known of open groups; what a notifier leaves to the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// When they were last looked at, ms since the epoch.
    now_ms: u64,
    /// The oldest first.
    groups: Vec<Group>,
    /// Ids of groups that ended, and the number of the next notification under that id: an incident that comes back after a
    /// failover mustn't be taken for what receivers have seen.
    ended: VecDeque<(String, u32)>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is part of a group.
    Grouped,
    /// Its incident isn't rare enough, so far.
    NotRareEnough,
    /// Its incident ended without having been rare enough.
    NeverTold,
    /// The end of an incident that nothing is known of.
    Unknown,
}

/// Whether an incident is told whatever the budget: what is absent or out of its range is rare by itself, and its `p` never
/// gets as small as that of what is there and wrong.
fn stands_alone(alert: &Alert) -> bool {
    let kinds = [Kind::Silence, Kind::FlatLine, Kind::Missing, Kind::OutOfRange];
    alert.causes.first().is_some_and(|cause| kinds.iter().any(|kind| kind.to_string() == cause.kind))
}

impl Groups {
    /// What came after this was measured is moved so that it didn't, should the clock have been set back, or another
    /// notifier's be ahead of this one's.
    pub fn be_at(&mut self, now_ms: u64) {
        let ahead = self.now_ms.saturating_sub(now_ms);
        if ahead > 0 {
            self.groups.iter_mut().for_each(|group| group.move_back(ahead));
        }
        self.now_ms = now_ms;
    }

    /// Takes a message that stands in the incidents of `monitor`.
    pub fn hear(&mut self, monitor: &str, alert: Alert, budget: Budget, settings: &NotifySettings) -> Heard {
        let now_ms = self.now_ms;
        let position = |group: &Group| group.members.iter().position(|member| member.incident == alert.incident);
        for group in &mut self.groups {
            if let Some(index) = position(group) {
                group.follow(index, monitor, alert, now_ms);
                return Heard::Grouped;
            }
        }
        let tells = stands_alone(&alert) || budget.tells(alert.score, alert.p);
        match (alert.event, tells) {
            (Event::Resolved, true) => return Heard::Unknown,
            (Event::Resolved, false) => return Heard::NeverTold,
            (_, false) => return Heard::NotRareEnough,
            (_, true) => {}
        }
        let has_monitor = |group: &&mut Group| group.has(monitor, ms(settings.cool_down), now_ms);
        if let Some(group) = self.groups.iter_mut().find(has_monitor) {
            group.rejoin(monitor, alert, now_ms);
            return Heard::Grouped;
        }
        let full = self.groups.len() >= MAX_GROUPS;
        let is_young = |group: &&mut Group| full || now_ms.saturating_sub(group.joined_ms) <= ms(settings.group_window);
        match self.groups.iter_mut().max_by_key(|group| group.joined_ms).filter(is_young) {
            Some(group) => group.join(monitor, alert, now_ms),
            None => {
                let ended = self.ended.iter().position(|(id, _)| *id == alert.incident);
                let next = ended.and_then(|at| self.ended.remove(at)).map_or(0, |(_, next)| next);
                self.groups.push(Group::new(monitor, alert, next, now_ms));
            }
        }
        Heard::Grouped
    }

    /// The monitor is gone, or its incidents are: those that are open will never be heard of again.
    pub fn lose(&mut self, monitor: &str, reason: &str) {
        for group in &mut self.groups {
            if group.members.iter().any(|member| member.is_open() && member.monitor == monitor) {
                group.lose(monitor, reason, self.now_ms);
            }
        }
    }

    /// The notifications that are due.
    #[must_use]
    pub fn tell(&mut self, deployment: &str, settings: &NotifySettings) -> Vec<Notification> {
        let now_ms = self.now_ms;
        let mut notifications = Vec::new();
        for group in &mut self.groups {
            let due = group.pending(settings).find(|(at, _)| *at <= now_ms).map(|(_, news)| news);
            if let Some(news) = due {
                notifications.push(group.tell(news, deployment, now_ms));
                if news == News::Resolved {
                    self.ended.push_back((group.id.clone(), group.next));
                }
            }
        }
        let ended = |group: &Group| self.ended.iter().any(|(id, _)| *id == group.id);
        self.groups.retain(|group| !ended(group));
        self.ended.drain(..self.ended.len().saturating_sub(MAX_ENDED));
        notifications
    }

    /// When something is due next, if nothing more is heard.
    #[must_use]
    pub fn next_due_ms(&self, settings: &NotifySettings) -> Option<u64> {
        self.groups.iter().flat_map(|group| group.pending(settings)).map(|(at, _)| at).min()
    }

    /// What stands: the last notification of every group, with what is known now.
    #[must_use]
    pub fn standing(&self, deployment: &str) -> Vec<Notification> {
        self.groups.iter().filter_map(|group| group.standing(deployment)).collect()
    }

    /// Monitors with open incidents.
    pub fn monitors(&self) -> impl Iterator<Item = &str> {
        let members = self.groups.iter().flat_map(|group| &group.members);
        members.filter(|member| member.is_open()).map(|member| member.monitor.as_str())
    }

    /// Whether it could have been written by this code.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.groups.len() <= MAX_GROUPS
            && self.ended.len() <= MAX_ENDED
            && self.groups.iter().all(Group::is_consistent)
            && self.groups.iter().all(|group| self.ended.iter().all(|(id, _)| *id != group.id))
    }
}
