//! A replay of ready vectors: every series through a judge of its own, as the worker would score a vector monitor.

use super::column::Mapping;
use super::court::Court;
use super::incidents::incidents;
use super::outcome::{COLUMNS, Outcome};
use super::plot::{Chart, Fault};
use super::table::{self, Series, Table};
use super::tally::Tally;
use super::time::TimeUnit;
use super::{ReplayError, parallel, progress};
use crate::judging::choices::Choices;
use crate::judging::identity::Identity;
use eddyline_measures::rows::{Quality, Rows, quality};
use eddyline_measures::stretches::{Stretch, stretches};
use eddyline_measures::volume;
use eddyline_wire::alert::Event;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Name of the deployment in a replay's messages.
const DEPLOYMENT: &str = "replay";
/// Rows between two looks at the progress bar.
const STRIDE: usize = 256;

/// How far apart rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// So many milliseconds.
    Of(u64),
    /// As the time column says, series by series.
    OfTimes,
}

/// A replay of vectors that is ready to run.
#[derive(Debug)]
pub struct VectorPlan {
    /// The files.
    pub files: Vec<PathBuf>,
    /// How far apart rows are.
    pub period: Period,
    /// Column with the time; without a name `ts_ms`, where there is one.
    pub time: Option<String>,
    /// Its unit.
    pub time_unit: TimeUnit,
    /// Column that tells series apart.
    pub series: Option<String>,
    /// Column that labels rows.
    pub label: Option<String>,
    /// Columns to take; all others where none is given.
    pub fields: Vec<Mapping>,
    /// Values that stand for a missing one; an empty one always does.
    pub absent: Vec<Vec<u8>>,
    /// Files that label rows, one for each of `files`.
    pub labels: Vec<PathBuf>,
    /// First row to measure.
    pub from_row: usize,
    /// What is an alert.
    pub choices: Choices,
    /// Where to write scores: a file, or a folder for several files of vectors.
    pub scores: Option<PathBuf>,
    /// The report as JSON.
    pub json: bool,
    /// Where to draw.
    pub plot: Option<PathBuf>,
}

/// A series and what came of it.
#[derive(Debug)]
pub struct Judged {
    /// The vectors.
    pub series: Series,
    /// Scores and incidents.
    pub outcome: Outcome,
    /// Where rows are labelled: what that tells.
    pub quality: Option<Quality>,
}

/// Everything that came of a replay of vectors.
#[derive(Debug)]
pub struct Replayed {
    /// All series, file by file.
    pub judged: Vec<Judged>,
    /// For each file: its path and, for each of its rows, the place of its series in `judged`.
    pub files: Vec<(PathBuf, Vec<usize>)>,
    /// What became of the rows.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
}

/// Reads and judges.
///
/// # Errors
/// Whatever keeps it from being done.
pub fn replay(plan: &VectorPlan) -> Result<Replayed, ReplayError> {
    let began = Instant::now();
    let Read { series, files, tally } = read(plan)?;
    let outcomes = judge(&series, &plan.choices)?;
    let measured = |(series, outcome): (Series, Outcome)| {
        let quality = series.labels.as_ref().map(|labels| measured(plan, &series, labels, &outcome));
        Judged { series, outcome, quality }
    };
    let judged = series.into_iter().zip(outcomes).map(measured).collect();
    Ok(Replayed { judged, files, tally, took: began.elapsed() })
}

/// Judges every series from a cold start, as many at once as there are cores.
///
/// # Errors
/// One that can't be judged.
pub fn judge(series: &[Series], choices: &Choices) -> Result<Vec<Outcome>, ReplayError> {
    let rows: usize = series.iter().map(|series| series.ends_ms.len()).sum();
    let bar = progress(rows as u64);
    let outcomes = parallel::each(series, |series| {
        let identity = Identity { deployment: DEPLOYMENT.to_owned(), monitor: series.name.clone().into_bytes(), db: 0 };
        let mut court = Court::new(choices.clone(), identity);
        for (row, fingerprint) in series.fingerprints().enumerate() {
            court.hear(&fingerprint, &series.schema)?;
            if (row + 1) % STRIDE == 0 {
                bar.inc(STRIDE as u64);
            }
        }
        Ok(court.outcome)
    });
    bar.finish_and_clear();
    outcomes
}

/// Files of vectors as they were read.
#[derive(Debug)]
pub struct Read {
    /// All series, file by file.
    pub series: Vec<Series>,
    /// For each file: its path and, for each of its rows, the place of its series.
    pub files: Vec<(PathBuf, Vec<usize>)>,
    /// What became of the rows.
    pub tally: Tally,
}

/// Reads the plan's files, and their labels.
///
/// # Errors
/// What can't be read.
pub fn read(plan: &VectorPlan) -> Result<Read, ReplayError> {
    if !plan.labels.is_empty() && plan.labels.len() != plan.files.len() {
        let (labels, files) = (plan.labels.len(), plan.files.len());
        return Err(ReplayError::Definition(format!(
            "--labels: one file for each file of vectors, in the same order; there are {labels} for {files}"
        )));
    }
    let sizes: u64 = plan.files.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|data| data.len()).sum();
    let bar = progress(sizes);
    let places: Vec<usize> = (0..plan.files.len()).collect();
    let tables: Vec<Table> = parallel::each(&places, |place| {
        let path = &plan.files[*place];
        let mut table = table::read(plan, path, &bar)?;
        if let Some(labels) = plan.labels.get(*place) {
            let [series] = table.series.as_mut_slice() else {
                let what = format!("{}: a file of labels belongs to a file of one series", path.display());
                return Err(ReplayError::Definition(what));
            };
            series.labels = Some(table::read_labels(labels, series.ends_ms.len())?);
        }
        Ok(table)
    })?;
    bar.finish_and_clear();
    let mut read = Read { series: Vec::new(), files: Vec::new(), tally: Tally::default() };
    for (path, table) in plan.files.iter().zip(tables) {
        let first = read.series.len();
        read.series.extend(table.series);
        read.files.push((path.clone(), table.order.into_iter().map(|place| first + place).collect()));
        read.tally.join(table.tally);
    }
    Ok(read)
}

fn measured(plan: &VectorPlan, series: &Series, labels: &[bool], outcome: &Outcome) -> Quality {
    let scores: Vec<f64> = outcome.windows.iter().map(|window| window.score.score).collect();
    let chances: Vec<f64> = outcome.windows.iter().map(|window| window.score.p).collect();
    let opened = outcome.alerts.iter().filter(|alert| alert.event == Event::Opened);
    let openings: Vec<usize> =
        opened.filter_map(|alert| series.ends_ms.binary_search(&alert.window_end_ms).ok()).collect();
    let first: Vec<f64> = series.first_feature().map(f64::from).collect();
    let rows = Rows {
        labels,
        scores: &scores,
        chances: &chances,
        ends_ms: &series.ends_ms,
        period_ms: series.period_ms(),
        openings: &openings,
        widest: volume::period(&first),
    };
    quality(&rows, plan.from_row)
}

impl Replayed {
    /// Days that all series last.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.judged.iter().map(Judged::days).sum()
    }

    /// Writes the scores of every row: into the file `to` where one file was read, else into a file for each in the folder
    /// `to`.
    ///
    /// # Errors
    /// What can't be written.
    pub fn write_scores(&self, to: &Path) -> Result<(), ReplayError> {
        let failed = |path: &Path, error| ReplayError::File(path.to_owned(), error);
        if let [(_, order)] = self.files.as_slice() {
            return super::write(to, |file| self.write_rows(order, file));
        }
        std::fs::create_dir_all(to).map_err(|error| failed(to, error))?;
        for (path, order) in &self.files {
            let path = to.join(format!("{}.csv", table::name_of(path)));
            super::write(&path, |file| self.write_rows(order, file))?;
        }
        Ok(())
    }

    fn write_rows(&self, order: &[usize], out: impl Write) -> io::Result<()> {
        let several = order.iter().any(|place| *place != order[0]);
        let mut table = csv::Writer::from_writer(out);
        table.write_record(several.then_some("series").into_iter().chain(COLUMNS))?;
        let mut next = vec![0; self.judged.len()];
        for place in order {
            let Judged { series, outcome, .. } = &self.judged[*place];
            let row = outcome.windows[next[*place]].row();
            next[*place] += 1;
            let name = several.then_some(series.name.as_str());
            table.write_record(name.into_iter().chain(row.iter().map(String::as_str)))?;
        }
        table.flush()
    }
}

impl Judged {
    /// Days that the series lasts.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.series.ends_ms.len() as f64 * self.series.period_ms() as f64 / 86_400_000.0
    }

    /// What there is to draw of it.
    #[must_use]
    pub fn chart(&self) -> Chart<'_> {
        let Series { name, ends_ms, labels, has_times, .. } = &self.series;
        let window_ms = self.series.period_ms();
        let fault = |stretch: Stretch| {
            let start_ms = ends_ms[stretch.first].saturating_sub(window_ms);
            Fault { start_ms, end_ms: ends_ms[stretch.last], what: String::new() }
        };
        let faults = labels.as_ref().map(|labels| stretches(labels).into_iter().map(fault).collect());
        Chart { name: name.clone(), outcome: &self.outcome, window_ms, has_times: *has_times, faults }
    }

    /// Incidents that were opened.
    #[must_use]
    pub fn openings(&self) -> usize {
        incidents(&self.outcome.alerts).len()
    }
}
