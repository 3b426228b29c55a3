//! The report: what was read, what was found, and how that compares with what is known.

use super::incidents::{Incident, incidents};
use super::labels::{AFTERMATH_S, Fault, Labels};
use super::outcome::Outcome;
use super::plan::Plan;
use super::quality::{Quality, Ranking, quality};
use super::tally::Tally;
use eddyline_wire::alert::Alert;
use eddyline_wire::text::printable;
use std::fmt;
use std::time::Duration;

/// Everything that the report is made of; displays as the report.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was asked.
    pub plan: &'a Plan,
    /// What came out.
    pub outcome: &'a Outcome,
    /// What became of the rows.
    pub tally: &'a Tally,
    /// What is known.
    pub labels: Option<&'a Labels>,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reading(f)?;
        findings(f, &self.outcome.alerts, clock, |since_ms, end_ms| {
            self.labels.map(|labels| match fault_of(since_ms, end_ms, labels) {
                Some(fault) => format!("fault {}", fault.what),
                None => "no labelled fault".to_owned(),
            })
        })?;
        if let Some(labels) = self.labels {
            let quality = quality(&self.outcome.ready(), self.plan.create.window_ms, labels);
            comparison(f, &quality, self.plan.choices.budget_per_day)?;
        }
        Ok(())
    }
}

impl Report<'_> {
    fn reading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        let events = self.tally.events;
        let (first, last) = self.tally.span.unwrap_or_default();
        writeln!(f, "{}", self.plan.file.display())?;
        writeln!(f, "  events    {events} in {seconds:.1} s ({:.0} a second)", events as f64 / seconds)?;
        let windows = &self.outcome.windows;
        let warming = windows.len() - self.outcome.ready().len();
        let length = span(self.plan.create.window_ms);
        writeln!(f, "  windows   {} of {length}, the first {warming} to learn from", windows.len())?;
        writeln!(f, "  time      {} to {} ({})", clock(first), clock(last), span(last - first))?;
        troubles(f, self.tally)
    }
}

/// What was wrong with rows.
///
/// # Errors
/// The formatter's.
pub fn troubles(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    for (trouble, (rows, line)) in &tally.troubles {
        writeln!(f, "  rows      {rows} {} (first in line {line})", trouble.what())?;
    }
    Ok(())
}

/// A line or two for each incident, its time shown by `when`, and a remark where there is one about the time from its
/// beginning to its end.
///
/// # Errors
/// The formatter's.
pub fn findings(
    f: &mut fmt::Formatter<'_>,
    alerts: &[Alert],
    when: impl Fn(u64) -> String,
    remark: impl Fn(u64, u64) -> Option<String>,
) -> fmt::Result {
    let incidents = incidents(alerts);
    if incidents.is_empty() {
        return writeln!(f, "\nno incidents");
    }
    writeln!(f, "\nincidents {}", incidents.len())?;
    for Incident { peak, end_ms, over, .. } in &incidents {
        let severity = peak.severity.as_str();
        let lasted = span(end_ms - peak.since_ms);
        let open = if *over { "" } else { " so far" };
        let remark = remark(peak.since_ms, *end_ms).map(|remark| format!("  [{remark}]")).unwrap_or_default();
        let since = when(peak.since_ms);
        writeln!(f, "  {since}  {severity:<8} {:.2}  {lasted:>8}{open}  {}{remark}", peak.score, peak.rarity)?;
        writeln!(f, "      {}", printable(peak.summary.as_bytes(), SUMMARY))?;
    }
    Ok(())
}

/// The fault during which the incident was, or else in whose aftermath.
fn fault_of(since_ms: u64, end_ms: u64, labels: &Labels) -> Option<&Fault> {
    let (since, end) = (since_ms as f64 / 1000.0, end_ms as f64 / 1000.0);
    let within = |after: f64| labels.faults.iter().find(|fault| since < fault.end_s + after && end > fault.start_s);
    within(0.0).or_else(|| within(AFTERMATH_S))
}

fn comparison(f: &mut fmt::Formatter<'_>, quality: &Quality, budget: f64) -> fmt::Result {
    let line = |f: &mut fmt::Formatter<'_>, what: &str, ranking: &Ranking| {
        let Ranking { windows, positive, auroc, average_precision } = ranking;
        writeln!(
            f,
            "  {what}: AUROC {auroc:.3}  average precision {average_precision:.3}  ({windows} windows, {positive:.3} of \
             them in faults)"
        )
    };
    writeln!(f, "\nquality")?;
    line(f, "published labels", &quality.published)?;
    if let Some(without) = &quality.without_suspect {
        line(f, "without suspect stretches", without)?;
    }
    let alarms = &quality.alarms;
    let delay = alarms.median_delay_s.map_or_else(|| "-".to_owned(), |delay| format!("{delay:.0} s"));
    writeln!(
        f,
        "  faults found: {} of {}, within 60 s {}, median delay of those {delay}\n  incidents opened in {:.1} quiet hours: \
         {}, {:.1} a day where {budget} was accepted; stretches of alerts there: {}",
        alarms.found,
        alarms.visible,
        alarms.found_at_once,
        alarms.quiet_hours,
        alarms.false_openings,
        alarms.false_openings_a_day(),
        alarms.false_alarms,
    )
}

/// Longest summary shown, in bytes.
pub(super) const SUMMARY: usize = 1024;

/// Time of day with date, UTC, to the second.
#[must_use]
pub fn clock(ms: u64) -> String {
    let text = eddyline_wire::alert::rfc3339(ms / 1000 * 1000);
    text.trim_end_matches('Z').replace('T', " ")
}

/// A length of time, for people.
#[must_use]
pub fn span(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{} s", ms as f64 / 1000.0),
        10_000..600_000 => format!("{} s", ms / 1000),
        600_000..36_000_000 => format!("{} min", ms / 60_000),
        _ => format!("{:.1} h", ms as f64 / 3.6e6),
    }
}
