//! Monitors whose incidents open and end, and what people hear of it. Time is what the test says.

use eddyline_wire::alert::{Alert, Event, Severity};
use eddyline_wire::notification::{News, Notification};
use eddyline_worker::notify::budget::Budget;
use eddyline_worker::notify::groups::{Groups, Heard};
use eddyline_worker::notify::settings::{NotifySettings, Openings};
use std::collections::BTreeMap;

const EPOCH_MS: u64 = 1_795_166_100_000;
const GOLDEN: &str = include_str!("../../../crates/wire/fixtures/alert.json");

/// A message about incident number `nth` of `monitor`.
pub(crate) fn alert(monitor: &str, nth: u64, event: Event, severity: Severity, entry: u64) -> Alert {
    let golden: Alert = serde_json::from_str(GOLDEN).unwrap();
    let score = if severity == Severity::Critical { 0.8 } else { 0.6 };
    Alert {
        event,
        incident: format!("{monitor}-{nth}"),
        monitor: monitor.to_owned(),
        severity,
        score,
        p: 1e-8,
        summary: format!("{monitor} is slow"),
        reason: (event == Event::Resolved).then(|| "back to normal".to_owned()),
        entry: format!("{entry}-0"),
        ..golden
    }
}

pub(crate) struct Story {
    pub(crate) groups: Groups,
    pub(crate) settings: NotifySettings,
    pub(crate) budget: Budget,
    /// Whether the notifier changes after every step.
    pub(crate) takeovers: bool,
    /// What was told, and when.
    pub(crate) told: Vec<(u64, Notification)>,
    now_ms: u64,
    open: BTreeMap<String, (u64, Severity)>,
    opened: BTreeMap<String, u64>,
    entries: u64,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            groups: Groups::default(),
            settings: NotifySettings::default(),
            budget: Budget::new(Openings::Unlimited, 0.0),
            takeovers: false,
            told: Vec::new(),
            now_ms: 0,
            open: BTreeMap::new(),
            opened: BTreeMap::new(),
            entries: 0,
        }
    }

    fn say(&mut self, monitor: &str, nth: u64, event: Event, severity: Severity) -> Heard {
        self.entries += 1;
        let alert = alert(monitor, nth, event, severity, self.entries);
        self.groups.be_at(EPOCH_MS + self.now_ms);
        self.groups.hear(monitor, alert, self.budget, &self.settings)
    }

    /// The next incident of `monitor` opens; nobody is told before [`Story::at`].
    pub(crate) fn open(&mut self, monitor: &str, severity: Severity) -> Heard {
        let nth = self.opened.entry(monitor.to_owned()).or_default();
        *nth += 1;
        let nth = *nth;
        self.open.insert(monitor.to_owned(), (nth, severity));
        self.say(monitor, nth, Event::Opened, severity)
    }

    /// Its open incident has a new peak.
    pub(crate) fn update(&mut self, monitor: &str, severity: Severity) -> Heard {
        let (nth, known) = self.open[monitor];
        let severity = if known == Severity::Critical { known } else { severity };
        self.open.insert(monitor.to_owned(), (nth, severity));
        self.say(monitor, nth, Event::Updated, severity)
    }

    /// Its open incident ends.
    pub(crate) fn resolve(&mut self, monitor: &str) -> Heard {
        let (nth, severity) = self.open.remove(monitor).unwrap();
        self.say(monitor, nth, Event::Resolved, severity)
    }

    pub(crate) fn is_open(&self, monitor: &str) -> bool {
        self.open.contains_key(monitor)
    }

    pub(crate) fn opened(&self) -> u64 {
        self.opened.values().sum()
    }

    /// Lets time pass until `ms` after the story's beginning, telling what is due when it is.
    pub(crate) fn at(&mut self, ms: u64) {
        loop {
            self.groups.be_at(EPOCH_MS + self.now_ms);
            let said = self.groups.tell("test", &self.settings);
            let any = !said.is_empty();
            self.told.extend(said.into_iter().map(|notification| (self.now_ms, notification)));
            if self.takeovers {
                let left = serde_json::to_string(&self.groups).unwrap();
                self.groups = serde_json::from_str(&left).unwrap();
                assert!(self.groups.is_consistent(), "{left}");
            }
            if any {
                continue;
            }
            let due = self.groups.next_due_ms(&self.settings).map(|due| due.saturating_sub(EPOCH_MS));
            match due {
                Some(due) if due <= ms => {
                    assert!(due > self.now_ms, "due and not told: {:?}", self.groups);
                    self.now_ms = due;
                }
                _ => break,
            }
        }
        self.now_ms = self.now_ms.max(ms);
    }

    /// The news so far, with their times in seconds.
    pub(crate) fn news(&self) -> Vec<(f64, News)> {
        self.told.iter().map(|(ms, notification)| (*ms as f64 / 1000.0, notification.news)).collect()
    }

    pub(crate) fn last(&self) -> &Notification {
        &self.told.last().expect("something was told").1
    }
}
