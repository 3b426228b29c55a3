//! How often other settings would have fired: the same windows judged anew under each of them, from a cold start. A live
//! monitor's are read and nothing of it is touched.

use super::court::Court;
use super::incidents::{Incident, incidents};
use super::offline::Offline;
use super::outcome::Outcome;
use super::plan::{Plan, varied};
use super::report::{SUMMARY, clock, span};
use super::stored;
use super::vectors::{self, VectorPlan};
use super::{ReplayError, feed, parallel};
use crate::judging::choices::Choices;
use crate::judging::identity::Identity;
use crate::store::connect::Address;
use eddyline_detect::Detector;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use serde_json::{Value, json};
use std::fmt::{self, Write as _};

/// Budgets tried, in openings a day, beside the one that was chosen: one a week to one an hour.
const BUDGETS: [f64; 4] = [1.0 / 7.0, 1.0, 4.0, 24.0];
/// Windows tried, in ms, where there are events to count anew.
const WINDOWS: [u64; 4] = [5_000, 10_000, 30_000, 60_000];
/// Openings told of each setting.
const TOLD: usize = 10;

/// What windows come from.
#[derive(Debug)]
pub enum Source {
    /// A file of events.
    Events(Box<Plan>),
    /// Files of vectors.
    Vectors(Box<VectorPlan>),
    /// The fingerprints that a server has of a monitor.
    Stored {
        /// The server.
        address: Box<Address>,
        /// The monitor.
        keys: Companions,
        /// What was chosen.
        choices: Choices,
    },
}

/// One way to set what is an alert, and what came of it.
#[derive(Debug)]
pub struct Trial {
    /// What was chosen.
    pub choices: Choices,
    /// Length of a window in ms, where it is the same for all series.
    pub window_ms: Option<u64>,
    /// For each series its name and outcome.
    pub outcomes: Vec<(String, Outcome)>,
    /// Days that were judged, over all series.
    pub days: f64,
}

/// Every trial; displays as a table and the openings of each.
#[derive(Debug)]
pub struct Preview {
    /// What was looked at.
    pub name: String,
    /// Whether windows have times of a calendar.
    pub has_times: bool,
    /// The trials: budgets, then windows, then detectors.
    pub trials: Vec<Trial>,
}

/// Judges what there is under every setting.
///
/// # Errors
/// Whatever keeps it from being read or judged.
pub fn preview(source: &Source) -> Result<Preview, ReplayError> {
    match source {
        Source::Events(plan) => events(plan),
        Source::Vectors(plan) => of_vectors(plan),
        Source::Stored { address, keys, choices } => of_stored(address, keys, choices),
    }
}

/// The choices to try: other budgets, and other detectors where there are numbers to detect in.
fn variants(chosen: &Choices, has_numbers: bool) -> Vec<Choices> {
    let mut variants = vec![chosen.clone()];
    let budgets = BUDGETS.map(|budget_per_day| Choices { budget_per_day, ..chosen.clone() });
    let detectors = Detector::ALL.into_iter().filter(|_| has_numbers).filter_map(|detector| {
        let detectors = detector.name().parse().ok()?;
        Some(Choices { detectors, ..chosen.clone() })
    });
    for variant in budgets.into_iter().chain(detectors) {
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    let place = |choices: &Choices| choices.detectors == chosen.detectors;
    variants.sort_by(|a, b| place(b).cmp(&place(a)).then(a.budget_per_day.total_cmp(&b.budget_per_day)));
    variants
}

fn events(plan: &Plan) -> Result<Preview, ReplayError> {
    let chosen = plan.create.window_ms;
    let mut settings: Vec<(Choices, u64)> =
        variants(&plan.choices, false).into_iter().map(|choices| (choices, chosen)).collect();
    let others = WINDOWS.into_iter().filter(|window_ms| *window_ms != chosen);
    settings.extend(others.map(|window_ms| (plan.choices.clone(), window_ms)));
    let trials = parallel::each(&settings, |(choices, window_ms)| {
        let plan = varied(plan, choices, *window_ms);
        let (outcome, _) = feed(&plan, Offline::new(&plan)?)?;
        let days = outcome.ready().len() as f64 * *window_ms as f64 / 86_400_000.0;
        let outcomes = vec![(plan.file.display().to_string(), outcome)];
        Ok::<_, ReplayError>(Trial { choices: choices.clone(), window_ms: Some(*window_ms), outcomes, days })
    })?;
    Ok(Preview { name: plan.file.display().to_string(), has_times: true, trials })
}

fn of_vectors(plan: &VectorPlan) -> Result<Preview, ReplayError> {
    let read = vectors::read(plan)?;
    let period_ms = read.series.first().map(super::table::Series::period_ms);
    let period_ms = period_ms.filter(|period| read.series.iter().all(|series| series.period_ms() == *period));
    let mut trials = Vec::new();
    for choices in variants(&plan.choices, true) {
        let outcomes = vectors::judge(&read.series, &choices)?;
        let days = read.series.iter().zip(&outcomes);
        let days = days.map(|(series, outcome)| outcome.ready().len() as f64 * series.period_ms() as f64).sum::<f64>();
        let names = read.series.iter().map(|series| series.name.clone());
        let outcomes = names.zip(outcomes).collect();
        trials.push(Trial { choices, window_ms: period_ms, outcomes, days: days / 86_400_000.0 });
    }
    let has_times = read.series.iter().all(|series| series.has_times);
    let name = match plan.files.as_slice() {
        [one] => one.display().to_string(),
        many => format!("{} files", many.len()),
    };
    Ok(Preview { name, has_times, trials })
}

fn of_stored(address: &Address, keys: &Companions, choices: &Choices) -> Result<Preview, ReplayError> {
    let windows = stored::read(address, keys)?;
    let name = eddyline_wire::text::printable(keys.monitor(), 128);
    let Some(window_ms) = windows.last().map(|(_, schema)| schema.record.window_ms) else {
        return Err(ReplayError::Definition(format!("this server has no fingerprints of a monitor '{name}'")));
    };
    let has_numbers = windows.iter().any(|(_, schema)| schema.has_numbers());
    let trials = parallel::each(&variants(choices, has_numbers), |choices| {
        let identity =
            Identity { deployment: "preview".to_owned(), monitor: keys.monitor().to_vec(), db: address.db() };
        let mut court = Court::new(choices.clone(), identity);
        for (fingerprint, schema) in &windows {
            court.hear(fingerprint, schema)?;
        }
        let days = court.outcome.ready().len() as f64 * window_ms as f64 / 86_400_000.0;
        let outcomes = vec![(name.clone(), court.outcome)];
        Ok::<_, ReplayError>(Trial { choices: choices.clone(), window_ms: Some(window_ms), outcomes, days })
    })?;
    Ok(Preview { name, has_times: true, trials })
}

impl Trial {
    fn openings(&self) -> impl Iterator<Item = (&str, Incident<'_>)> {
        self.outcomes.iter().flat_map(|(name, outcome)| {
            incidents(&outcome.alerts).into_iter().map(move |incident| (name.as_str(), incident))
        })
    }

    /// What was set, for people.
    fn label(&self) -> [String; 3] {
        let budget = self.choices.budget_per_day;
        let budget = match budget {
            b if b < 1.0 => format!("1 in {} days", (1.0 / b * 10.0).round() / 10.0),
            b => format!("{b} a day"),
        };
        [budget, self.window_ms.map_or_else(|| "own".to_owned(), span), self.choices.detectors.to_string()]
    }
}

impl Preview {
    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let trial = |trial: &Trial| {
            let opening = |(series, incident): (&str, Incident<'_>)| {
                let Incident { peak, end_ms, .. } = incident;
                json!({
                    "series": series, "since_ms": peak.since_ms, "end_ms": end_ms, "severity": peak.severity,
                    "score": peak.score, "summary": peak.summary,
                })
            };
            let openings: Vec<Value> = trial.openings().map(opening).collect();
            json!({
                "budget": trial.choices.budget_per_day,
                "window_ms": trial.window_ms,
                "detectors": trial.choices.detectors.to_string(),
                "days": trial.days,
                "openings": openings,
            })
        };
        json!({"name": self.name, "trials": self.trials.iter().map(trial).collect::<Vec<_>>()})
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: how often would it have fired?", self.name)?;
        writeln!(
            f,
            "\n{:<12}  {:<8}  {:<14}  {:>8}  {:>8}  {:>8}",
            "budget", "window", "detectors", "openings", "a day", "critical"
        )?;
        for trial in &self.trials {
            let [budget, window, detectors] = trial.label();
            let openings = trial.openings().count();
            let critical = trial.openings().filter(|(_, incident)| incident.is_critical()).count();
            let a_day = openings as f64 / trial.days;
            let a_day = if trial.days > 0.0 { format!("{a_day:.2}") } else { "-".to_owned() };
            writeln!(f, "{budget:<12}  {window:<8}  {detectors:<14}  {openings:>8}  {a_day:>8}  {critical:>8}")?;
        }
        for trial in &self.trials {
            self.openings(f, trial)?;
        }
        Ok(())
    }
}

impl Preview {
    fn openings(&self, f: &mut fmt::Formatter<'_>, trial: &Trial) -> fmt::Result {
        let all = trial.openings().count();
        if all == 0 {
            return Ok(());
        }
        let [budget, window, detectors] = trial.label();
        let severest = if all > TOLD { format!(", the {TOLD} severest of {all}") } else { String::new() };
        writeln!(f, "\n{budget}, windows of {window}, detectors {detectors}{severest}")?;
        let mut openings: Vec<_> = trial.openings().collect();
        openings.sort_by(|(_, a), (_, b)| b.peak.score.total_cmp(&a.peak.score));
        openings.truncate(TOLD);
        openings.sort_by_key(|(_, incident)| incident.peak.since_ms);
        for (name, Incident { peak, .. }) in openings {
            let mut when = if self.has_times {
                clock(peak.since_ms)
            } else {
                format!("window {:>7}", peak.since_ms / peak.window_ms + 1)
            };
            if trial.outcomes.len() > 1 {
                write!(when, "  {name}")?;
            }
            let summary = printable(peak.summary.as_bytes(), SUMMARY);
            writeln!(f, "  {when}  {:<8} {:.2}  {summary}", peak.severity.as_str(), peak.score)?;
        }
        Ok(())
    }
}
