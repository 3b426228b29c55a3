//! Single numbers: the series of the Numenta Anomaly Benchmark, each through a pipeline of its own from a cold start.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use eddyline_detect::{Block, Change, Layout, Pipeline, Settings, Window};
use eddyline_testkit::data_dir;
use flate2::read::GzDecoder;

use eddyline_measures::nab::{Corpus, LOW_FALSE_NEGATIVES, LOW_FALSE_POSITIVES, STANDARD};

const HEADER: &str = "\
| data | series | standard | reward low FP | reward low FN | bake-off's best⁴ | openings a day |
|---|---|---|---|---|---|---|";

/// What the bake-off reached, its settings searched on these series.
const BAKE_OFF: &str = "47.1 / 34.8 / 52.9";

/// Measures all series; prints a line for each folder of them. None where there are none.
pub(super) fn table() -> Result<Option<String>> {
    let Some(folder) = data_dir("nab") else { return Ok(None) };
    let all = read(&folder.join("nab.csv.gz"))?;
    let judged = judge_all(&all)?;
    // A folder without anything to find has no score of its own.
    let labelled = all.iter().filter(|series| series.labels.contains(&true));
    let mut folders: Vec<&str> = labelled.map(Series::folder).collect();
    folders.dedup();
    for folder in folders {
        let figures = figures(all.iter().zip(&judged).filter(|(series, _)| series.folder() == folder));
        println!("{folder}: {figures}");
    }
    let days: f64 = all.iter().map(Series::days).sum();
    let openings: usize = judged.iter().map(|judged| judged.openings).sum();
    let figures = figures(all.iter().zip(&judged)).replace(" / ", " | ");
    Ok(Some(format!(
        "{HEADER}\n| nab | {} | {figures} | {BAKE_OFF} | {:.2} |\n\n⁴ Best of 504 settings searched on these series.",
        all.len(),
        openings as f64 / days
    )))
}

/// One number over time.
struct Series {
    name: String,
    /// Seconds since the epoch, as the data has them.
    times: Vec<u64>,
    values: Vec<f32>,
    labels: Vec<bool>,
}

/// What a pipeline said of a series.
struct Judged {
    scores: Vec<f64>,
    openings: usize,
}

impl Series {
    fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Median step in ms.
    fn period_ms(&self) -> u64 {
        let mut steps: Vec<u64> = self.times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).map_or(60_000, |step| step * 1_000)
    }

    fn days(&self) -> f64 {
        self.values.len() as f64 * self.period_ms() as f64 / 86_400_000.0
    }

    fn judge(&self) -> Result<Judged> {
        let layout = Layout { blocks: vec![Block::Numeric { names: vec!["value".to_owned()] }] };
        let mut pipeline = Pipeline::new(layout, Settings::new(self.period_ms()))?;
        let (mut scores, mut openings, mut end_ms) = (Vec::with_capacity(self.values.len()), 0, 0);
        for (time, value) in self.times.iter().zip(&self.values) {
            // Clocks that were set back write some times twice.
            end_ms = (time * 1_000).max(end_ms + 1);
            let window = Window { end_ms, n: 1, values: &[*value], gap_ms: 0, items: &[], slots: &[] };
            let verdict = pipeline.push(&window)?;
            scores.push(verdict.score);
            openings += usize::from(matches!(verdict.change, Some(Change::Opened(_))));
        }
        Ok(Judged { scores, openings })
    }
}

fn figures<'a>(judged: impl Iterator<Item = (&'a Series, &'a Judged)>) -> String {
    let mut corpus = Corpus::default();
    judged.for_each(|(series, judged)| corpus.add(&series.labels, &judged.scores));
    let score = |profile| corpus.score(profile);
    format!("{:.2} / {:.2} / {:.2}", score(STANDARD), score(LOW_FALSE_POSITIVES), score(LOW_FALSE_NEGATIVES))
}

/// All series, as many at once as there are cores.
fn judge_all(all: &[Series]) -> Result<Vec<Judged>> {
    let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..all.len()).collect());
    let work = || {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(index) = next else { return Ok::<_, anyhow::Error>(done) };
            done.push((index, all[index].judge()?));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut done = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            done.extend(worker.join().expect("no panic while measuring")?);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, judged)| judged).collect())
}

/// The series of a table of `series, ts, value, label, …`, in its order.
fn read(file: &Path) -> Result<Vec<Series>> {
    let open = File::open(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut table = csv::Reader::from_reader(GzDecoder::new(open));
    let mut all: Vec<Series> = Vec::new();
    for row in table.records() {
        let row = row?;
        ensure!(row.len() >= 4, "a row of {} columns", row.len());
        if all.last().is_none_or(|series| series.name != row[0]) {
            all.push(Series { name: row[0].to_owned(), times: Vec::new(), values: Vec::new(), labels: Vec::new() });
        }
        let series = all.last_mut().context("no series")?;
        series.times.push(seconds(&row[1]).with_context(|| format!("{} is no time", &row[1]))?);
        series.values.push(row[2].parse().unwrap_or(f32::NAN));
        series.labels.push(&row[3] == "1");
    }
    Ok(all)
}

/// Seconds since the epoch of a `2014-04-01 00:05:00`, taken as UTC.
fn seconds(text: &str) -> Option<u64> {
    let parts: Vec<u64> = text.split(['-', ' ', ':']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day, hour, minute, second] = parts[..] else { return None };
    // Years from March on have their odd day at the end.
    let (year, month) = if month < 3 { (year.checked_sub(1)?, month + 9) } else { (year, month.checked_sub(3)?) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day.checked_sub(1)?;
    // 719,468 days lie between March of the year 0 and the epoch.
    Some(((days.checked_sub(719_468)? * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_count_from_the_epoch() {
        assert_eq!(seconds("1970-01-01 00:00:00"), Some(0));
        assert_eq!(seconds("2014-02-28 23:59:59"), Some(1_393_631_999));
        assert_eq!(seconds("2016-02-29 12:00:00"), Some(1_456_747_200));
        assert_eq!(seconds("2014-04-01"), None);
    }
}
