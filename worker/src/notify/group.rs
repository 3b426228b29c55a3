//! One group of incidents and what was told of it.

use crate::notify::settings::NotifySettings;
use crate::notify::title::title;
use eddyline_wire::alert::{Alert, Event, Severity};
use eddyline_wire::notification::{MAX_ALERTS, News, Notification, VERSION};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::time::Duration;

/// Incidents that a group knows one by one. More are counted.
pub const MAX_MEMBERS: usize = 1000;
/// Between two messages that people hear: those that begin an incident often turn critical, or draw others along, at once.
const BREATH_MS: u64 = 5000;
/// However long a group grows, what joined it waits no longer than this.
const LONGEST_INTERVAL_MS: u64 = 3_600_000;

/// Incidents that came about together. All times are ms since the epoch, by the notifier's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// That of its first incident.
    pub(super) id: String,
    /// Number of the next notification.
    pub(super) next: u32,
    /// In the order in which they joined.
    pub(super) members: Vec<Member>,
    /// Incidents so far, those included that aren't members any more or never were.
    incidents: u64,
    /// The highest so far.
    severity: Severity,
    /// Start of the first anomalous window.
    since_ms: u64,
    /// When a monitor joined last.
    pub(super) joined_ms: u64,
    /// When the first one joined of those that weren't told.
    grew_ms: Option<u64>,
    /// Whether it became critical since it was told of.
    escalated: bool,
    /// Whether anything else changed.
    changed: bool,
    /// When it was told of last.
    told_ms: Option<u64>,
    /// When it was told of last in a way that people hear.
    called_ms: u64,
    /// How often it was, after the first time.
    calls: u32,
}

/// An incident of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) incident: String,
    /// The monitor's name, as the notifier writes names.
    pub(super) monitor: String,
    /// When that was heard.
    ended_ms: Option<u64>,
    severity: Severity,
    score: f64,
    /// Whether it changed since the group was told of.
    is_news: bool,
    /// The last message, of those that a notification would list.
    pub(super) alert: Option<Alert>,
    /// Which message it was.
    entry: String,
}

impl Member {
    fn new(monitor: &str, alert: Alert, now_ms: u64) -> Self {
        Self {
            incident: alert.incident.clone(),
            monitor: monitor.to_owned(),
            ended_ms: (!alert.is_open()).then_some(now_ms),
            severity: alert.severity,
            score: alert.score,
            is_news: true,
            entry: alert.entry.clone(),
            alert: Some(alert),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.ended_ms.is_none()
    }

    /// For order: the worst first.
    fn badness(&self) -> Reverse<(bool, u8, u64)> {
        // Scores aren't negative, so their bits order as they do.
        Reverse((self.is_open(), self.severity as u8, self.score.max(0.0).to_bits()))
    }
}

impl Group {
    /// Begins with an incident of `monitor`; its notifications are numbered from `next`.
    pub(super) fn new(monitor: &str, alert: Alert, next: u32, now_ms: u64) -> Self {
        Self {
            id: alert.incident.clone(),
            next,
            incidents: 1,
            severity: alert.severity,
            since_ms: alert.since_ms,
            joined_ms: now_ms,
            grew_ms: Some(now_ms),
            escalated: false,
            changed: false,
            told_ms: None,
            called_ms: 0,
            calls: 0,
            members: vec![Member::new(monitor, alert, now_ms)],
        }
    }

    /// Whether an incident of `monitor` is open in it, or ended so lately that another one is the same trouble.
    pub(super) fn has(&self, monitor: &str, cool_down_ms: u64, now_ms: u64) -> bool {
        let lately = |ended: u64| now_ms.saturating_sub(ended) <= cool_down_ms;
        self.members.iter().any(|member| member.monitor == monitor && member.ended_ms.is_none_or(lately))
    }

    /// Since when all of its incidents have been over.
    fn over_ms(&self) -> Option<u64> {
        // The first that is open makes none of all.
        self.members.iter().map(|member| member.ended_ms).try_fold(0, |latest, ended| Some(ended?.max(latest)))
    }

    /// Whether nobody heard of it yet.
    fn is_new(&self) -> bool {
        self.told_ms.is_none()
    }

    /// A further message about the incident at `index`.
    pub(super) fn follow(&mut self, index: usize, monitor: &str, alert: Alert, now_ms: u64) {
        let member = &mut self.members[index];
        // A renamed monitor's incident goes on under the new name.
        if member.monitor != monitor {
            member.monitor = monitor.to_owned();
            self.changed = true;
        }
        if member.entry == alert.entry && member.is_open() == alert.is_open() {
            return;
        }
        *member = Member::new(monitor, alert, now_ms);
        self.changed = true;
        self.touch();
    }

    /// An incident of a monitor that isn't in the group.
    pub(super) fn join(&mut self, monitor: &str, alert: Alert, now_ms: u64) {
        if self.add(monitor, alert, now_ms) {
            self.grew_ms.get_or_insert(now_ms);
            self.joined_ms = now_ms;
        }
    }

    /// Another incident of a monitor that is in the group: people know. It takes the place of those of which all was told.
    pub(super) fn rejoin(&mut self, monitor: &str, alert: Alert, now_ms: u64) {
        self.members.retain(|member| member.monitor != monitor || member.is_open() || member.is_news);
        self.add(monitor, alert, now_ms);
    }

    /// Says whether it is another incident indeed.
    fn add(&mut self, monitor: &str, alert: Alert, now_ms: u64) -> bool {
        let full = self.members.len() >= MAX_MEMBERS;
        let ended = self.members.iter().position(|member| full && !member.is_open());
        if let Some(ended) = ended {
            self.members.remove(ended);
        }
        self.raise(alert.severity);
        if full && ended.is_none() {
            // Which incidents these are isn't known: further messages mustn't count them again.
            let opens = alert.event == Event::Opened;
            self.incidents += u64::from(opens);
            return opens;
        }
        self.since_ms = self.since_ms.min(alert.since_ms);
        self.incidents += 1;
        self.members.push(Member::new(monitor, alert, now_ms));
        self.changed = true;
        self.touch();
        true
    }

    /// The open incidents of `monitor` can't be heard of any more.
    pub(super) fn lose(&mut self, monitor: &str, reason: &str, now_ms: u64) {
        for member in self.members.iter_mut().filter(|member| member.is_open() && member.monitor == monitor) {
            (member.ended_ms, member.is_news) = (Some(now_ms), true);
            if let Some(alert) = &mut member.alert {
                (alert.event, alert.reason) = (Event::Resolved, Some(reason.to_owned()));
            }
            self.changed = true;
        }
        self.touch();
    }

    fn raise(&mut self, severity: Severity) {
        if severity as u8 > self.severity as u8 {
            self.severity = severity;
            self.escalated = !self.is_new();
        }
    }

    fn touch(&mut self) {
        let worst = self.members.iter().map(|member| member.severity).max_by_key(|severity| *severity as u8);
        if let Some(worst) = worst {
            self.raise(worst);
        }
        self.forget_alerts();
    }

    /// Keeps the messages that the next notification may list.
    fn forget_alerts(&mut self) {
        if self.members.len() <= MAX_ALERTS {
            return;
        }
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        let mut keep = vec![false; order.len()];
        order.sort_by_key(|&i| self.members[i].badness());
        order.iter().take(MAX_ALERTS).for_each(|&i| keep[i] = true);
        order.sort_by_key(|&i| (!self.members[i].is_news, self.members[i].badness()));
        order.iter().take(MAX_ALERTS).for_each(|&i| keep[i] = true);
        for (member, keep) in self.members.iter_mut().zip(keep) {
            if !keep {
                member.alert = None;
            }
        }
    }

    /// What there is to tell and from when on. Of what is due together the first is told, which tells the others, too.
    pub(super) fn pending(&self, settings: &NotifySettings) -> impl Iterator<Item = (u64, News)> {
        let interval = ms(settings.group_interval);
        let told = self.told_ms.unwrap_or_default();
        let opened = self.told_ms.is_none().then_some((0, News::Opened));
        let over = self.over_ms();
        let resolved = over.map(|over| (over.saturating_add(ms(settings.cool_down)), News::Resolved));
        let escalated = self.escalated.then_some((self.called_ms.saturating_add(BREATH_MS), News::Escalated));
        let joined = self.grew_ms.map(|grew| {
            // When no more join, or it has been long; and ever more seldom.
            let settled = self.joined_ms.saturating_add(ms(settings.group_wait)).min(grew.saturating_add(interval));
            (settled.max(self.called_ms.saturating_add(self.gap(interval))), News::Joined)
        });
        // Of one that is over, its end is told.
        let changed = (self.changed && over.is_none()).then_some((told.saturating_add(interval), News::Changed));
        [opened, resolved, escalated, joined, changed].into_iter().flatten()
    }

    fn gap(&self, interval: u64) -> u64 {
        match self.calls {
            0 => 0,
            calls => interval.saturating_mul(1 << (calls - 1).min(20)).min(LONGEST_INTERVAL_MS.max(interval)),
        }
    }

    /// Tells `news`.
    pub(super) fn tell(&mut self, news: News, deployment: &str, now_ms: u64) -> Notification {
        let notification = self.notification(self.next, news, deployment, now_ms);
        self.next += 1;
        if matches!(news, News::Joined | News::Escalated) {
            self.calls += 1;
        }
        if news != News::Changed {
            self.called_ms = now_ms;
            (self.grew_ms, self.escalated) = (None, false);
        }
        self.members.iter_mut().for_each(|member| member.is_news = false);
        self.changed = false;
        self.told_ms = Some(now_ms);
        notification
    }

    /// The last notification again, as things stand now; none if there wasn't any.
    pub(super) fn standing(&self, deployment: &str) -> Option<Notification> {
        let news = if self.calls == 0 { News::Opened } else { News::Joined };
        self.told_ms.map(|told| self.notification(self.next - 1, news, deployment, told))
    }

    fn notification(&self, number: u32, news: News, deployment: &str, at_ms: u64) -> Notification {
        let mut members: Vec<&Member> = self.members.iter().filter(|member| member.alert.is_some()).collect();
        members.sort_by_key(|member| member.badness());
        let title = title(members.iter().filter_map(|member| member.alert.as_ref()), self.incidents);
        // Stable: among what is news and among the rest, the worst stay first.
        members.sort_by_key(|member| !member.is_news);
        members.truncate(MAX_ALERTS);
        Notification {
            v: VERSION,
            id: format!("{}-{number}", self.id),
            group: self.id.clone(),
            event: match news {
                News::Opened => Event::Opened,
                News::Joined | News::Escalated | News::Changed => Event::Updated,
                News::Resolved => Event::Resolved,
            },
            news,
            deployment: deployment.to_owned(),
            severity: self.severity,
            title,
            since_ms: self.since_ms,
            at_ms,
            incidents: self.incidents,
            open: self.members.iter().filter(|member| member.is_open()).count() as u64,
            alerts: members.into_iter().filter_map(|member| member.alert.clone()).collect(),
            test: false,
        }
    }

    /// Every time, `by` earlier.
    pub(super) fn move_back(&mut self, by: u64) {
        let ends = self.members.iter_mut().map(|member| &mut member.ended_ms);
        let optional = [&mut self.grew_ms, &mut self.told_ms].into_iter().chain(ends).flatten();
        for at in [&mut self.joined_ms, &mut self.called_ms].into_iter().chain(optional) {
            *at = at.saturating_sub(by);
        }
    }

    /// Whether it could have been written by this code.
    pub(super) fn is_consistent(&self) -> bool {
        let members = self.members.len();
        let told = self.next > 0 || self.told_ms.is_none();
        told && (1..=MAX_MEMBERS).contains(&members) && self.incidents >= members as u64
    }
}

pub(super) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
