//! Detector for counts: the adaptive Poisson deviance of `fingerprint.md` §4.
//!
//! Every cell of a row is expected to hold its long-run share of the row's total. Where calls are thin, windows are summed
//! until enough is expected to judge. One slow call where 0.001 was expected weighs like one, not like thirty.

use crate::chance::normal;
use crate::counts::recent::{MEMORY, Recent};
use crate::detector::{Expectation, Fit, Fitted, Share};
use crate::layout::Block;
use crate::reservoir::Reservoir;
use serde::{Deserialize, Serialize};

/// Windows that the shares remember: older ones fade.
const HORIZON: f64 = 20_000.0;
/// Windows sampled from the past to know how residuals spread.
const SAMPLES: usize = 128;
/// Windows before the first fit.
const FIRST_FIT: f64 = 10.0;
/// Residuals are clipped here, in widths.
const CLIP: f32 = 30.0;
/// Share of residuals that the width covers, and that share's normal quantile.
const SHARE: f64 = 0.9;
const SHARE_QUANTILE: f32 = 1.645;
/// A row whose values are smaller than usual is heard in full only where it is surer than this: where something breaks
/// calls get slower, and faster where there is just less to do.
const SURE: f64 = 8.0;
/// Observations a row needs before its shares mean anything.
const ROW_MINIMUM: f64 = 5.0;

/// What the rows of a block are, and so how memory and score work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// A histogram: a row an item. Memory goes by the row's total; the score is the mean of the three worst rows.
    Rows {
        /// Buckets of a row.
        columns: usize,
    },
    /// One row of items. Memory goes by each cell's own count, so that what vanishes shows; the score is that of the
    /// three worst cells.
    Cells,
}

impl Shape {
    /// The shape of a block of counts.
    pub(crate) fn of(block: &Block) -> Self {
        match block {
            Block::Histogram { edges, .. } => Self::Rows { columns: edges.len() + 1 },
            _ => Self::Cells,
        }
    }

    /// Calls that the memory must expect: in the row, or in the cell.
    fn target(self) -> f64 {
        match self {
            Self::Rows { .. } => 5.0,
            Self::Cells => 30.0,
        }
    }

    /// Cells of a row, where there are `cells` in all.
    fn columns(self, cells: usize) -> usize {
        match self {
            Self::Rows { columns } => columns,
            Self::Cells => cells,
        }
    }

    /// Cells that share one memory: a row, or one.
    fn unit(self) -> usize {
        match self {
            Self::Rows { columns } => columns,
            Self::Cells => 1,
        }
    }
}

/// Sums over each unit's memory: the counts, and the totals of the unit's row over the same windows.
#[derive(Debug, Clone)]
struct Sums {
    counts: Vec<f32>,
    totals: Vec<f32>,
}

impl Sums {
    fn of(recent: &Recent, shape: Shape, memory: &[u8]) -> Self {
        let cells = recent.newest().len();
        let (columns, unit) = (shape.columns(cells), shape.unit());
        let mut counts = vec![0.0; cells];
        for (index, (sums, memory)) in counts.chunks_exact_mut(unit).zip(memory).enumerate() {
            recent.sum_into(usize::from(*memory), index * unit..(index + 1) * unit, sums);
        }
        let totals = match shape {
            Shape::Rows { .. } => counts.chunks_exact(columns).map(|row| row.iter().sum()).collect(),
            Shape::Cells => {
                let total = |windows: usize| {
                    let mut sums = vec![0.0; cells];
                    recent.sum_into(windows, 0..cells, &mut sums);
                    sums.iter().sum()
                };
                let totals: Vec<f32> = (0..=MEMORY).map(total).collect();
                memory.iter().map(|memory| totals[usize::from(*memory)]).collect()
            }
        };
        Self { counts, totals }
    }
}

/// [`Sums`] in two bytes a number: exact to 4,095, then to 1 in 4,096.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sample {
    counts: Vec<u16>,
    totals: Vec<u16>,
}

fn pack(value: &f32) -> u16 {
    (((value + 1.0).to_bits() - 1.0_f32.to_bits()) >> 12).min(u32::from(u16::MAX)) as u16
}

fn unpack(packed: u16) -> f32 {
    f32::from_bits((u32::from(packed) << 12) + 1.0_f32.to_bits()) - 1.0
}

/// What is known of a block of counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counts {
    shape: Shape,
    windows: f64,
    cells: Vec<f64>,
    samples: Reservoir<Sample>,
}

impl Counts {
    /// Statistics of a block of so many cells; a whole number of rows.
    pub(crate) fn new(shape: Shape, cells: usize) -> Self {
        Self { shape, windows: 0.0, cells: vec![0.0; cells], samples: Reservoir::new(SAMPLES) }
    }

    pub(crate) fn is_consistent(&self, shape: Shape, cells: usize) -> bool {
        let units = cells / shape.unit();
        self.shape == shape
            && self.cells.len() == cells
            && self.windows.is_finite()
            && self.windows >= 0.0
            && self.cells.iter().all(|sum| sum.is_finite() && *sum >= 0.0)
            && self
                .samples
                .is_consistent(SAMPLES, |sample| sample.counts.len() == cells && sample.totals.len() == units)
    }

    /// Least number of windows that is expected to hold enough.
    fn memory(&self, mean: f64) -> u8 {
        let target = self.shape.target();
        [1, 2, 3].into_iter().find(|windows| f64::from(*windows) * mean >= target).unwrap_or(MEMORY as u8)
    }
}

impl Fit for Counts {
    type Input = Recent;
    type Fitted = CountModel;

    fn blank(&self) -> Self {
        Self::new(self.shape, self.cells.len())
    }

    fn learn(&mut self, recent: &Recent, model: Option<&CountModel>, weight: f32) {
        for (sum, count) in self.cells.iter_mut().zip(recent.newest()) {
            *sum += f64::from(*count) * f64::from(weight);
        }
        self.windows += f64::from(weight);
        let (shape, cells) = (self.shape, self.cells.len());
        self.samples.offer(weight, || {
            let sums = match model {
                Some(model) => Sums::of(recent, shape, &model.memory),
                None => Sums::of(recent, shape, &vec![1; cells / shape.unit()]),
            };
            Sample { counts: sums.counts.iter().map(pack).collect(), totals: sums.totals.iter().map(pack).collect() }
        });
    }

    fn fit(&mut self) -> Option<CountModel> {
        if self.windows < FIRST_FIT {
            return None;
        }
        if self.windows > HORIZON {
            let keep = HORIZON / self.windows;
            self.windows *= keep;
            self.cells.iter_mut().for_each(|sum| *sum *= keep);
        }
        let (columns, unit) = (self.shape.columns(self.cells.len()), self.shape.unit());
        let mut memory = Vec::with_capacity(self.cells.len() / unit);
        let mut cells = Vec::with_capacity(self.cells.len());
        let mut residuals = Vec::with_capacity(SAMPLES);
        for row in self.cells.chunks_exact(columns) {
            let total: f64 = row.iter().sum();
            memory.extend(row.chunks_exact(unit).map(|unit| self.memory(unit.iter().sum::<f64>() / self.windows)));
            for sum in row {
                if total < ROW_MINIMUM {
                    cells.push(Cell::default());
                    continue;
                }
                let index = cells.len();
                let share = ((sum + 0.5) / (total + 1.0)) as f32;
                residuals.clear();
                residuals.extend(
                    self.samples.samples().iter().map(|sample| {
                        deviance(unpack(sample.counts[index]), share * unpack(sample.totals[index / unit]))
                    }),
                );
                let (median, width) = location_and_width(&mut residuals);
                cells.push(Cell { share, median, width: (width / SHARE_QUANTILE).max(1.0) });
            }
        }
        Some(CountModel { shape: self.shape, memory, cells })
    }
}

/// Median, and the quantile of the distance from it.
fn location_and_width(residuals: &mut [f32]) -> (f32, f32) {
    let at = |share: f64| ((residuals.len() - 1) as f64 * share) as usize;
    let (middle, outer) = (at(0.5), at(SHARE));
    let median = *residuals.select_nth_unstable_by(middle, f32::total_cmp).1;
    residuals.iter_mut().for_each(|residual| *residual = (*residual - median).abs());
    (median, *residuals.select_nth_unstable_by(outer, f32::total_cmp).1)
}

/// What is expected of one cell.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Cell {
    /// Share of the row's total; 0 where the row isn't known yet.
    share: f32,
    /// Usual residual.
    median: f32,
    /// Usual distance from it, as a standard deviation; at least 1.
    width: f32,
}

impl Cell {
    fn z(&self, observed: f32, total: f32) -> f32 {
        if self.share == 0.0 {
            return 0.0;
        }
        ((deviance(observed, self.share * total) - self.median) / self.width).clamp(-CLIP, CLIP)
    }

    /// 0 for an ordinary count.
    fn energy(&self, observed: f32, total: f32) -> f64 {
        let z = f64::from(self.z(observed, total));
        (z * z - 1.0).max(0.0)
    }
}

/// The fitted count model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CountModel {
    shape: Shape,
    memory: Vec<u8>,
    cells: Vec<Cell>,
}

impl CountModel {
    pub(crate) fn is_consistent(&self, shape: Shape, cells: usize) -> bool {
        let sound = |cell: &Cell| {
            (0.0..=1.0).contains(&cell.share) && cell.median.is_finite() && (cell.share == 0.0 || cell.width >= 1.0)
        };
        self.shape == shape
            && self.memory.len() == cells / shape.unit()
            && self.memory.iter().all(|windows| (1..=MEMORY).contains(&usize::from(*windows)))
            && self.cells.len() == cells
            && self.cells.iter().all(sound)
    }
}

impl CountModel {
    /// Mean bucket of the row that a cell belongs to, as a feature's place within the row.
    pub(crate) fn centre(&self, feature: usize) -> f64 {
        let columns = self.shape.columns(self.cells.len());
        let row = feature / columns * columns;
        let shares = self.cells[row..row + columns].iter().map(|cell| f64::from(cell.share));
        let all: f64 = shares.clone().sum();
        shares.enumerate().map(|(column, share)| column as f64 * share).sum::<f64>() / all.max(1e-9)
    }

    /// Observed and expected count of a cell over its memory.
    pub(crate) fn expectation(&self, recent: &Recent, feature: usize) -> Expectation {
        let sums = Sums::of(recent, self.shape, &self.memory);
        let (cell, unit) = (&self.cells[feature], feature / self.shape.unit());
        let expected = cell.share * sums.totals[unit];
        let (low, high) = band(expected, cell);
        Expectation {
            observed: f64::from(sums.counts[feature]),
            expected: f64::from(expected),
            low,
            high,
            windows: u32::from(self.memory[unit]).min(recent.len() as u32),
        }
    }
}

impl CountModel {
    /// The least chance that there can be of such a score. Cells deviate by chance at least as much as a normal variable
    /// does, even if they never did so far: where there is one item, all deviation is rounding, and any of it would seem rare.
    pub(crate) fn least_p(&self, score: f64) -> f64 {
        match self.shape {
            Shape::Rows { .. } => 0.0,
            Shape::Cells => normal::at_least(score),
        }
    }

    /// What of a row's energy is heard: little of little, where its values are smaller than usual by their mean bucket.
    fn heard(&self, sums: &Sums, row: usize, energy: f64) -> f64 {
        let Shape::Rows { columns } = self.shape else { return energy };
        let surplus = |index: usize| sums.counts[index] - self.cells[index].share * sums.totals[row];
        let rise: f32 = (0..columns).map(|column| column as f32 * surplus(row * columns + column)).sum();
        if rise < 0.0 { energy * energy / (energy + SURE * SURE) } else { energy }
    }
}

impl Fitted for CountModel {
    type Input = Recent;

    fn score(&self, recent: &Recent) -> f64 {
        let sums = Sums::of(recent, self.shape, &self.memory);
        let unit = self.shape.unit();
        let energy = |index: usize| self.cells[index].energy(sums.counts[index], sums.totals[index / unit]);
        let mut worst = [0.0_f64; 3];
        match self.shape {
            Shape::Rows { columns } => {
                for row in 0..self.memory.len() {
                    let all = (row * columns..(row + 1) * columns).map(energy).sum();
                    keep_largest(&mut worst, self.heard(&sums, row, all));
                }
                (worst.iter().sum::<f64>() / 3.0).sqrt()
            }
            Shape::Cells => {
                let square =
                    |index: usize| f64::from(self.cells[index].z(sums.counts[index], sums.totals[index])).powi(2);
                (0..self.cells.len()).for_each(|index| keep_largest(&mut worst, square(index)));
                worst.iter().sum::<f64>().sqrt()
            }
        }
    }

    /// One share a histogram's row, under the bucket that tells most.
    fn explain(&self, recent: &Recent) -> Vec<Share> {
        let sums = Sums::of(recent, self.shape, &self.memory);
        let unit = self.shape.unit();
        let mut parts = vec![0.0; self.cells.len()];
        for (row, cells) in self.cells.chunks_exact(unit).enumerate() {
            let mut energy_of_unit = 0.0;
            let mut strongest = (0.0, 0);
            for (column, cell) in cells.iter().enumerate() {
                let index = row * unit + column;
                let energy = cell.energy(sums.counts[index], sums.totals[row]);
                energy_of_unit += energy;
                // Of a row that shifts, the bucket that gained tells more than those that lost.
                let gained = sums.counts[index] > cell.share * sums.totals[row];
                let rank = if gained { 4.0 * energy } else { energy };
                if rank > strongest.0 {
                    strongest = (rank, index);
                }
            }
            parts[strongest.1] += self.heard(&sums, row, energy_of_unit);
        }
        Share::of(parts.into_iter())
    }
}

/// Signed root of the Poisson deviance.
fn deviance(observed: f32, expected: f32) -> f32 {
    if expected <= 0.0 {
        return 0.0;
    }
    if observed == 0.0 {
        return -(2.0 * expected).sqrt();
    }
    let twice = 2.0 * (observed * (observed / expected).ln() - (observed - expected));
    twice.max(0.0).sqrt().copysign(observed - expected)
}

/// Counts within two widths of the usual residual, by the square-root approximation of the deviance.
fn band(expected: f32, cell: &Cell) -> (f64, f64) {
    let root = f64::from(expected).sqrt();
    let at = |z: f32| (root + f64::from(cell.median + z * cell.width) / 2.0).max(0.0).powi(2);
    (at(-2.0), at(2.0))
}

fn keep_largest(worst: &mut [f64; 3], value: f64) {
    if value > worst[2] {
        worst[2] = value;
        worst.sort_by(|a, b| b.total_cmp(a));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block that has seen the same window many times.
    fn settled(shape: Shape, window: &[f32]) -> (Recent, CountModel) {
        let (mut recent, mut counts) = (Recent::new(), Counts::new(shape, window.len()));
        let mut model = None;
        for _ in 0..60 {
            recent.push(window, false);
            counts.learn(&recent, model.as_ref(), 1.0);
            model = counts.fit();
        }
        (recent, model.unwrap())
    }

    #[test]
    fn deviance_is_signed_and_zero_where_expected() {
        assert_eq!(deviance(4.0, 4.0), 0.0);
        assert!((deviance(0.0, 8.0) + 4.0).abs() < 1e-6);
        assert!((deviance(1.0, 0.001) - 3.44).abs() < 0.01);
        assert_eq!(deviance(5.0, 0.0), 0.0);
    }

    #[test]
    fn samples_are_exact_for_small_counts() {
        for count in [0.0, 1.0, 77.0, 4_095.0] {
            assert_eq!(unpack(pack(&count)), count);
        }
        assert!((unpack(pack(&1e6)) / 1e6 - 1.0).abs() < 1.0 / 4_096.0);
        assert!(unpack(pack(&f32::MAX)).is_finite());
    }

    #[test]
    fn a_row_is_judged_by_its_own_total() {
        let shape = Shape::Rows { columns: 2 };
        let (mut recent, model) = settled(shape, &[40.0, 10.0, 30.0, 30.0]);
        recent.push(&[4.0, 1.0, 60.0, 60.0], true);
        assert_eq!(model.score(&recent), 0.0);
        recent.push(&[10.0, 40.0, 30.0, 30.0], true);
        assert!(model.score(&recent) > 4.0);
        assert_eq!(model.explain(&recent)[0].feature, 1);
        let seen = model.expectation(&recent, 1);
        assert!((seen.expected - 10.0).abs() < 0.5 && seen.observed == 40.0 && seen.low < 10.0 && seen.high > 10.0);
    }

    #[test]
    fn faster_calls_are_heard_less_than_slower_ones_but_not_where_they_are_sure() {
        let shape = Shape::Rows { columns: 3 };
        let (mut recent, model) = settled(shape, &[10.0, 80.0, 10.0]);
        let mut score = |window: &[f32]| {
            recent.push(window, true);
            model.score(&recent)
        };
        let (faster, slower) = (score(&[24.0, 66.0, 10.0]), score(&[10.0, 66.0, 24.0]));
        assert!(faster > 0.5 && faster < 0.6 * slower, "{faster} {slower}");
        let (faster, slower) = (score(&[98.0, 1.0, 1.0]), score(&[1.0, 1.0, 98.0]));
        assert!(faster > 0.85 * slower, "{faster} {slower}");
    }

    #[test]
    fn thin_rows_are_summed_over_windows_but_not_across_a_gap() {
        let shape = Shape::Rows { columns: 2 };
        let (mut recent, model) = settled(shape, &[1.0, 0.0]);
        assert_eq!(model.expectation(&recent, 0).windows, 6);
        recent.push(&[1.0, 0.0], true);
        assert_eq!((model.expectation(&recent, 0).windows, model.expectation(&recent, 0).observed), (1, 1.0));
    }

    #[test]
    fn what_vanishes_shows_within_three_windows() {
        let (mut recent, model) = settled(Shape::Cells, &[80.0, 50.0, 12.0, 8.0]);
        (0..3).for_each(|_| recent.push(&[86.0, 54.0, 0.0, 10.0], false));
        assert!(model.score(&recent) > 8.0);
        assert_eq!(model.explain(&recent)[0].feature, 2);
    }

    #[test]
    fn a_row_never_seen_says_nothing() {
        let (mut recent, model) = settled(Shape::Rows { columns: 2 }, &[40.0, 10.0, 0.0, 0.0]);
        recent.push(&[40.0, 10.0, 3.0, 9.0], false);
        assert!(model.score(&recent) < 0.5);
    }
}
