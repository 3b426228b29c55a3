//! The report on vectors: one series in full, or a table of many.

use super::outcome::Outcome;
use super::report::{clock, findings, span, troubles};
use super::vectors::{Judged, Replayed, VectorPlan};
use eddyline_measures::rows::{ASKED, Quality, Ranking, median};
use std::fmt::{self, Write as _};

/// Everything that the report is made of; displays as the report.
#[derive(Debug)]
pub struct VectorReport<'a> {
    /// What was asked.
    pub plan: &'a VectorPlan,
    /// What came of it.
    pub replayed: &'a Replayed,
}

/// The figures of one series, or of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Rows.
    pub rows: usize,
    /// Incidents opened.
    pub openings: usize,
    /// Of these a day.
    pub openings_a_day: f64,
    /// Against the labels, where there are any.
    pub labelled: Option<Labelled>,
}

/// Figures against labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// How scores rank: the mean over series with an incident.
    pub ranking: Option<Ranking>,
    /// Labelled incidents with an alert while they lasted.
    pub found: usize,
    /// Labelled incidents.
    pub incidents: usize,
    /// Median seconds from an incident's first row to its first alert.
    pub median_delay_s: Option<f64>,
    /// Incidents opened away from labelled ones, a day of quiet time.
    pub false_openings_a_day: f64,
    /// For each of [`ASKED`], the share of series whose realised rate is within three times of it, either way.
    pub within_three_times: [f64; 2],
}

impl Figures {
    /// Of one or more series.
    #[must_use]
    pub fn of(judged: &[Judged]) -> Self {
        let openings = judged.iter().map(Judged::openings).sum();
        let days: f64 = judged.iter().map(Judged::days).sum();
        let qualities: Vec<&Quality> = judged.iter().filter_map(|one| one.quality.as_ref()).collect();
        Self {
            rows: judged.iter().map(|one| one.series.ends_ms.len()).sum(),
            openings,
            openings_a_day: openings as f64 / days,
            labelled: (!qualities.is_empty()).then(|| Labelled::of(&qualities)),
        }
    }
}

impl Labelled {
    fn of(qualities: &[&Quality]) -> Self {
        let rankings: Vec<Ranking> = qualities.iter().filter_map(|quality| quality.ranking).collect();
        let mean = |of: fn(&Ranking) -> f64| rankings.iter().map(of).sum::<f64>() / rankings.len() as f64;
        let delays: Vec<f64> = qualities.iter().flat_map(|quality| quality.delays_s.iter().copied()).collect();
        let false_openings: usize = qualities.iter().map(|quality| quality.false_openings).sum();
        Self {
            ranking: (!rankings.is_empty()).then(|| Ranking {
                vus_pr: mean(|ranking| ranking.vus_pr),
                event_f1: mean(|ranking| ranking.event_f1),
                auroc: mean(|ranking| ranking.auroc),
                average_precision: mean(|ranking| ranking.average_precision),
            }),
            found: delays.len(),
            incidents: qualities.iter().map(|quality| quality.incidents).sum(),
            median_delay_s: median(delays),
            within_three_times: std::array::from_fn(|place| {
                let near = |quality: &&&Quality| (1.0 / 3.0..=3.0).contains(&(quality.realised[place] / ASKED[place]));
                qualities.iter().filter(near).count() as f64 / qualities.len() as f64
            }),
            false_openings_a_day: false_openings as f64
                / qualities.iter().map(|quality| quality.quiet_days).sum::<f64>(),
        }
    }
}

impl fmt::Display for VectorReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reading(f)?;
        match self.replayed.judged.as_slice() {
            [one] => {
                let when = |ms| if one.series.has_times { clock(ms) } else { row(ms, one.series.period_ms()) };
                findings(f, &one.outcome.alerts, when, |_, _| None)?;
                self.comparison(f, one)
            }
            many => table(f, many),
        }
    }
}

fn row(end_ms: u64, period_ms: u64) -> String {
    format!("row {:>8}", end_ms / period_ms)
}

impl VectorReport<'_> {
    fn reading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replayed { judged, files, tally, took } = self.replayed;
        let (path, _) = &files[0];
        let more = files.len() - 1;
        let others = if more == 0 { String::new() } else { format!(" and {more} more") };
        writeln!(f, "{}{others}", path.display())?;
        let seconds = took.as_secs_f64();
        let rows = tally.events;
        writeln!(f, "  vectors   {rows} in {seconds:.1} s ({:.0} a second)", rows as f64 / seconds)?;
        let widths = range(judged.iter().map(|one| one.series.width() as u64), |width| width.to_string());
        let periods = range(judged.iter().map(|one| one.series.period_ms()), span);
        let warming = judged.iter().map(|one| warming(&one.outcome) as u64).max().unwrap_or_default();
        let of_each = if judged.len() > 1 { " of each series" } else { "" };
        writeln!(f, "  windows   {widths} features, one every {periods}; the first {warming}{of_each} to learn from")?;
        if let Some((first, last)) = tally.span.filter(|_| judged.iter().all(|one| one.series.has_times)) {
            writeln!(f, "  time      {} to {} ({})", clock(first), clock(last), span(last - first))?;
        }
        troubles(f, tally)
    }

    fn comparison(&self, f: &mut fmt::Formatter<'_>, judged: &Judged) -> fmt::Result {
        let figures = Figures::of(std::slice::from_ref(judged));
        let budget = self.plan.choices.budget_per_day;
        let Some(labelled) = figures.labelled else {
            return writeln!(f, "\nopenings: {:.1} a day where {budget} were accepted", figures.openings_a_day);
        };
        writeln!(f, "\nquality")?;
        if let Some(Ranking { vus_pr, event_f1, auroc, average_precision }) = labelled.ranking {
            writeln!(
                f,
                "  labels: VUS-PR {vus_pr:.3}  event F1 {event_f1:.3}  AUROC {auroc:.3}  average precision \
                 {average_precision:.3}"
            )?;
        }
        let delay = labelled.median_delay_s.map_or_else(|| "-".to_owned(), delay);
        writeln!(f, "  incidents found: {} of {}, median delay {delay}", labelled.found, labelled.incidents)?;
        writeln!(
            f,
            "  openings: {:.2} a day, away from incidents {:.2} where {budget} was accepted",
            figures.openings_a_day, labelled.false_openings_a_day
        )
    }
}

/// Windows without a score.
#[must_use]
pub fn warming(outcome: &Outcome) -> usize {
    outcome.windows.len() - outcome.ready().len()
}

fn range(values: impl Iterator<Item = u64> + Clone, shown: fn(u64) -> String) -> String {
    let (least, most) = (values.clone().min().unwrap_or_default(), values.max().unwrap_or_default());
    if least == most { shown(least) } else { format!("{} to {}", shown(least), shown(most)) }
}

fn delay(seconds: f64) -> String {
    if seconds == 0.0 { "0".to_owned() } else { span((seconds * 1000.0) as u64) }
}

/// A line for each series, and one for all.
fn table(f: &mut fmt::Formatter<'_>, judged: &[Judged]) -> fmt::Result {
    let is_labelled = judged.iter().any(|one| one.quality.is_some());
    let mut header = vec!["series", "rows", "openings", "a day"];
    if is_labelled {
        header.extend(["false a day", "found", "median delay", "VUS-PR", "event F1", "AUROC", "avg prec"]);
    }
    let mut lines: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for one in judged {
        lines.push(line(&one.series.name, &Figures::of(std::slice::from_ref(one)), is_labelled));
    }
    lines.push(line(&format!("all {}", judged.len()), &Figures::of(judged), is_labelled));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default())
        .collect();
    writeln!(f)?;
    for line in lines {
        let mut text = format!("{:<width$}", line[0], width = widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            write!(text, "  {cell:>width$}")?;
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

fn line(name: &str, figures: &Figures, is_labelled: bool) -> Vec<String> {
    let none = || "-".to_owned();
    let mut cells = vec![
        name.to_owned(),
        figures.rows.to_string(),
        figures.openings.to_string(),
        format!("{:.2}", figures.openings_a_day),
    ];
    match &figures.labelled {
        Some(labelled) => {
            cells.push(format!("{:.2}", labelled.false_openings_a_day));
            cells.push(format!("{} of {}", labelled.found, labelled.incidents));
            cells.push(labelled.median_delay_s.map_or_else(none, delay));
            let measure = |of: fn(&Ranking) -> f64| {
                labelled.ranking.as_ref().map_or_else(none, |ranking| format!("{:.3}", of(ranking)))
            };
            cells.push(measure(|ranking| ranking.vus_pr));
            cells.push(measure(|ranking| ranking.event_f1));
            cells.push(measure(|ranking| ranking.auroc));
            cells.push(measure(|ranking| ranking.average_precision));
        }
        None if is_labelled => cells.extend(std::iter::repeat_with(none).take(7)),
        None => {}
    }
    cells
}
