//! When an incident opens, changes and ends.

use crate::incidents::summary;
use crate::incidents::verdict::{Cause, Change, Incident, Resolution, Severity};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};

/// A peak is a new one when its `p` is this much smaller.
const NEW_PEAK: f64 = 0.01;
/// An open incident goes on with windows at or above this score, though they would open none: what hovers about the boundary
/// is one incident.
const HOLDS: f64 = 0.4;
/// One at or above this is as rare as twice the boundary, about, and learned as little as those beyond.
const TEACHES_LITTLE: f64 = 0.46;
/// Causes given of an incident.
pub(crate) const CAUSES: usize = 5;
/// Causes that an incident remembers having told.
const TOLD: usize = 32;

/// A window as an incident sees it.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// End of the window, ms since the epoch.
    pub end_ms: u64,
    /// Windows without data before it.
    pub missed: u32,
    /// Windows of history.
    pub seen: u32,
    /// The window's joint `p` and score.
    pub p: f64,
    pub score: f64,
    /// Windows that one ordinary jolt stays visible.
    pub lasts: usize,
    /// Windows for which an incident about this window isn't the new normal, however few were chosen.
    pub patience: u32,
    /// Its causes; empty below 0.5.
    pub causes: Vec<Cause>,
    /// Whether a number is outside the range that it is allowed.
    pub is_limit: bool,
    /// Whether somebody said that the open incident is one.
    pub is_confirmed: bool,
}

/// The open incident, if there is one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Watch {
    open: Option<Open>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    incident: Incident,
    /// Windows since the last one that held it open, and since the last one that teaches little.
    quiet: u32,
    below: u32,
    /// Windows seen since it began: those without data teach no new normal. Those that ask for patience count apart.
    observed: u32,
    patient: u32,
    /// Causes that a change has told of.
    told: Vec<String>,
    /// `p` of the peak when it was last told.
    told_p: f64,
}

impl Watch {
    /// First window of the open incident.
    pub(crate) fn open(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.incident.opened_end_ms)
    }

    /// The open incident, as far as it has come.
    pub(crate) fn incident(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident)
    }

    /// Whether windows are still learned as those of an incident: what only holds it open is followed, or a slow change
    /// would.
    pub(crate) fn is_learned_little(&self, settings: &Settings) -> bool {
        self.open.as_ref().is_some_and(|open| open.below < settings.quiet_after)
    }

    /// Takes a window in. One at or above 0.5 opens an incident or belongs to the open one.
    pub(crate) fn step(&mut self, moment: Moment, settings: &Settings) -> Option<Change> {
        let Some(open) = &mut self.open else {
            let severity = Severity::of(moment.score)?;
            let open = Open::new(moment, severity, settings);
            return Some(Change::Opened(self.open.insert(open).incident.clone()));
        };
        let passed = moment.missed.saturating_add(1);
        open.incident.last_end_ms = moment.end_ms;
        open.incident.windows = open.incident.windows.saturating_add(passed);
        // What is forbidden, or known to be wrong, doesn't become normal by lasting.
        let is_kept = moment.is_limit || moment.is_confirmed;
        if is_kept {
            (open.observed, open.patient) = (0, 0);
        }
        let (observed, accept_after) = match moment.patience {
            0 => (&mut open.observed, settings.accept_after),
            patience => (&mut open.patient, patience.max(settings.accept_after)),
        };
        *observed = observed.saturating_add(1);
        let is_usual_by_now = !is_kept && *observed >= accept_after;
        let change = match Severity::of(moment.score) {
            Some(severity) => open.continue_with(moment, severity, settings),
            None => {
                open.below = if moment.score >= TEACHES_LITTLE { 0 } else { open.below.saturating_add(passed) };
                open.quiet = if moment.score >= HOLDS { 0 } else { open.quiet.saturating_add(passed) };
                None
            }
        };
        // Of a window after missing time not all can be judged: alone it doesn't say that the incident is over.
        let is_alone = passed > 1 && open.quiet == passed;
        let resolution = if open.quiet >= settings.quiet_after && !is_alone {
            Resolution::Quiet
        } else if is_usual_by_now {
            Resolution::Accepted
        } else {
            return change;
        };
        self.open.take().map(|open| Change::Resolved(open.incident, resolution))
    }

    /// Ends the open incident with a window in which it isn't judged.
    pub(crate) fn end(&mut self, end_ms: u64) -> Option<Incident> {
        self.open.take().map(|open| Incident { last_end_ms: end_ms, ..open.incident })
    }

    pub(crate) fn is_consistent(&self) -> bool {
        self.open.as_ref().is_none_or(|open| {
            let Incident { score, p, causes, .. } = &open.incident;
            (0.5..=1.0).contains(score)
                && *p > 0.0
                && *p <= 1.0
                && open.told_p > 0.0
                && causes.len() <= 5
                && open.told.len() <= TOLD
        })
    }
}

impl Open {
    fn new(moment: Moment, severity: Severity, settings: &Settings) -> Self {
        let mut incident = Incident {
            opened_end_ms: moment.end_ms,
            last_end_ms: moment.end_ms,
            windows: 1,
            score: 0.0,
            p: 1.0,
            severity,
            rarity: String::new(),
            summary: String::new(),
            causes: Vec::new(),
        };
        let (told, told_p) = (moment.causes.iter().map(key).collect(), moment.p);
        let patient = u32::from(moment.patience > 0);
        peak(&mut incident, moment, severity, settings);
        Self { incident, quiet: 0, below: 0, observed: 1 - patient, patient, told, told_p }
    }

    /// A further window at or above 0.5: an update where it is rarer by far, more severe, or of another cause.
    fn continue_with(&mut self, moment: Moment, severity: Severity, settings: &Settings) -> Option<Change> {
        (self.quiet, self.below) = (0, 0);
        let escalates = severity > self.incident.severity;
        let rarer = moment.p <= NEW_PEAK * self.told_p;
        let new_cause =
            moment.causes.first().filter(|cause| !self.told.contains(&key(cause)) && self.told.len() < TOLD);
        let new_cause = new_cause.cloned();
        let known: Vec<String> = moment.causes.iter().map(key).filter(|key| !self.told.contains(key)).collect();
        self.told.extend(known);
        self.told.truncate(TOLD);
        let tells = escalates || rarer || new_cause.is_some();
        if moment.p < self.incident.p {
            peak(&mut self.incident, moment, severity, settings);
        } else if let Some(cause) = new_cause {
            self.incident.causes.insert(0, cause);
            self.incident.causes.truncate(CAUSES);
            self.incident.summary = summary::sentence(&self.incident.causes, settings.window_ms);
        }
        if !tells {
            return None;
        }
        self.told_p = self.incident.p;
        Some(Change::Updated(self.incident.clone()))
    }
}

/// Makes a window the incident's peak.
fn peak(incident: &mut Incident, moment: Moment, severity: Severity, settings: &Settings) {
    incident.score = moment.score;
    incident.p = moment.p;
    incident.severity = severity;
    incident.rarity = match moment.is_limit {
        true => "outside what is allowed".to_owned(),
        false => summary::rarity(moment.p / moment.lasts as f64, settings.window_ms, moment.seen),
    };
    incident.summary = summary::sentence(&moment.causes, settings.window_ms);
    incident.causes = moment.causes;
}

/// What makes a cause another one.
fn key(cause: &Cause) -> String {
    format!("{} {}", cause.feature, cause.items.first().map_or("", |item| item.item.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { quiet_after: 3, accept_after: 60, ..Settings::new(1_000) }
    }

    fn at(window: u64, score: f64) -> Moment {
        Moment {
            end_ms: window * 1_000,
            missed: 0,
            seen: 100,
            p: 10_f64.powf(-10.0 * score),
            score,
            lasts: 1,
            patience: 0,
            causes: Vec::new(),
            is_limit: false,
            is_confirmed: false,
        }
    }

    fn changes(scores: &[f64]) -> Vec<(usize, &'static str)> {
        let mut watch = Watch::default();
        let name = |change: Change| match change {
            Change::Opened(_) => "opened",
            Change::Updated(_) => "updated",
            Change::Resolved(_, Resolution::Quiet) => "quiet",
            Change::Resolved(_, Resolution::Accepted) => "accepted",
            Change::Resolved(_, resolution) => panic!("{resolution}"),
        };
        let step = |(window, score): (usize, &f64)| {
            watch.step(at(window as u64, *score), &settings()).map(|change| (window, name(change)))
        };
        scores.iter().enumerate().filter_map(step).collect()
    }

    #[test]
    fn one_window_opens_and_quiet_resolves() {
        assert_eq!(changes(&[0.1, 0.6, 0.2, 0.2, 0.2, 0.2]), [(1, "opened"), (4, "quiet")]);
    }

    #[test]
    fn a_crossing_while_unresolved_belongs_to_it() {
        assert_eq!(changes(&[0.6, 0.2, 0.2, 0.6, 0.2, 0.2, 0.2]), [(0, "opened"), (6, "quiet")]);
    }

    #[test]
    fn a_new_peak_and_a_new_severity_are_told() {
        assert_eq!(changes(&[0.51, 0.55, 0.72, 0.73, 0.76]), [(0, "opened"), (2, "updated"), (4, "updated")]);
    }

    #[test]
    fn a_new_cause_is_told_once_and_first() {
        let cause = |what: &str| Cause {
            kind: crate::Kind::Share,
            feature: what.to_owned(),
            what: what.to_owned(),
            direction: crate::Direction::Up,
            expected: 1.0,
            low: 0.0,
            high: 2.0,
            observed: 9.0,
            windows: 1,
            share: 1.0,
            items: Vec::new(),
        };
        let mut watch = Watch::default();
        let mut step = |window, what| watch.step(Moment { causes: vec![cause(what)], ..at(window, 0.6) }, &settings());
        step(0, "a");
        assert!(step(1, "a").is_none());
        let Some(Change::Updated(incident)) = step(2, "b") else { panic!("no update") };
        assert_eq!((incident.causes[0].what.as_str(), incident.causes[1].what.as_str()), ("b", "a"));
        assert!(incident.summary.starts_with("b is busier"), "{}", incident.summary);
        assert!(step(3, "b").is_none() && step(4, "a").is_none());
    }

    #[test]
    fn what_lasts_becomes_normal() {
        assert_eq!(changes(&[0.6; 61]), [(0, "opened"), (59, "accepted"), (60, "opened")]);
    }

    #[test]
    fn what_hovers_about_the_boundary_is_one_incident() {
        let hovering: Vec<f64> = (0..40).map(|window| if window % 20 == 0 { 0.52 } else { 0.45 }).collect();
        assert_eq!(changes(&hovering), [(0, "opened")]);
        assert_eq!(changes(&[0.52, 0.45, 0.3, 0.45, 0.3, 0.3, 0.3]), [(0, "opened"), (6, "quiet")]);
    }

    #[test]
    fn what_asks_for_patience_becomes_normal_later() {
        let mut watch = Watch::default();
        let accepted = (0..500).find(|window| {
            let moment = Moment { patience: 100, ..at(*window, 0.6) };
            matches!(watch.step(moment, &settings()), Some(Change::Resolved(_, Resolution::Accepted)))
        });
        assert_eq!(accepted, Some(99));
    }

    #[test]
    fn the_first_window_after_a_long_one_that_asked_for_patience_is_no_new_normal() {
        let mut watch = Watch::default();
        let mut step = |window, patience| watch.step(Moment { patience, ..at(window, 0.6) }, &settings());
        (0..90).for_each(|window| _ = step(window, 100));
        assert!(step(90, 0).is_none());
    }

    #[test]
    fn what_is_forbidden_or_confirmed_does_not_become_normal() {
        for (is_limit, is_confirmed) in [(true, false), (false, true)] {
            let mut watch = Watch::default();
            let step = |window| watch.step(Moment { is_limit, is_confirmed, ..at(window, 0.6) }, &settings());
            assert_eq!((0..200).filter_map(step).count(), 1);
        }
    }

    #[test]
    fn time_without_data_is_quiet() {
        let mut watch = Watch::default();
        watch.step(at(0, 0.6), &settings());
        assert!(watch.step(at(1, 0.1), &settings()).is_none());
        let change = watch.step(Moment { missed: 5, ..at(7, 0.1) }, &settings());
        assert!(matches!(change, Some(Change::Resolved(_, Resolution::Quiet))));
    }

    #[test]
    fn one_window_after_missing_time_ends_nothing() {
        let mut watch = Watch::default();
        let after = |missed, window, score| Moment { missed, ..at(window, score) };
        watch.step(at(0, 0.6), &settings());
        assert!(watch.step(after(5, 6, 0.1), &settings()).is_none());
        assert!(watch.step(at(7, 0.6), &settings()).is_none());
        assert!(watch.step(after(5, 13, 0.1), &settings()).is_none());
        // However irregular windows are, it ends.
        let change = watch.step(after(5, 19, 0.1), &settings());
        assert!(matches!(change, Some(Change::Resolved(_, Resolution::Quiet))));
    }

    #[test]
    fn time_without_data_makes_nothing_normal() {
        let mut watch = Watch::default();
        let (settings, mut changes) = (Settings { quiet_after: 10_000, ..settings() }, Vec::new());
        for window in 0..20 {
            let moment = Moment { missed: 10, ..at(window * 11, 0.6) };
            changes.extend(watch.step(moment, &settings));
        }
        assert!(matches!(changes[..], [Change::Opened(_)]), "{changes:?}");
    }

    #[test]
    fn the_incident_carries_its_peak() {
        let mut watch = Watch::default();
        watch.step(at(0, 0.6), &settings());
        watch.step(at(1, 0.76), &settings());
        let Some(Change::Updated(incident)) = watch.step(at(2, 0.98), &settings()) else { panic!("no update") };
        assert_eq!((incident.opened_end_ms, incident.last_end_ms, incident.windows), (0, 2_000, 3));
        assert_eq!((incident.score, incident.severity), (0.98, Severity::Critical));
        assert_eq!(incident.rarity, "less than once in 17 minutes");
    }
}
