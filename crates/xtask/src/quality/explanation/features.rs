//! Deviations of single features, added to quiet stretches of real metrics.

use std::path::Path;

use anyhow::Result;
use eddyline_detect::{Block, Cause, Change, Layout, Pipeline, Settings, Window};
use eddyline_testkit::data_dir;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::series;
use super::Tally;

const SEED: u64 = 1;
/// Rows before the first deviation, between two, and of one.
const LEARNED: usize = 1_000;
const EVERY: usize = 250;
const LENGTH: usize = 5;
/// Rows that must be quiet around it.
const MARGIN: usize = 50;
/// How far the feature is off, in its standard deviations over the rows before.
const SIZE: f32 = 6.0;

pub(super) fn tallies() -> Result<Vec<(String, Tally)>> {
    let mut tallies = Vec::new();
    for (set, period_ms) in [("smd", 60_000), ("asd", 300_000)] {
        let Some(folder) = data_dir(set) else { continue };
        let mut tally = Tally::default();
        for (number, series) in (0..).zip(series::of(&folder)?) {
            put_off(&series, period_ms, number, &mut tally)?;
        }
        tallies.push((format!("{set}: one feature {SIZE} standard deviations off"), tally));
    }
    Ok(tallies)
}

/// Deviations in one series, each seen by a copy of the pipeline that has seen the rows before as they are.
fn put_off(file: &Path, period_ms: u64, number: u64, tally: &mut Tally) -> Result<()> {
    let ((names, rows), labels) = (series::read(file)?, series::labels(file)?);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rng.set_stream(number);
    let layout = Layout { blocks: vec![Block::Numeric { names: names.clone() }] };
    let mut pipeline = Pipeline::new(layout, Settings::new(period_ms))?;
    for (index, row) in rows.iter().enumerate() {
        let around = index.saturating_sub(MARGIN)..(index + LENGTH + MARGIN).min(rows.len());
        if index >= LEARNED && index.is_multiple_of(EVERY) && !labels[around].contains(&true) {
            let moving: Vec<(usize, f32)> = (0..names.len())
                .map(|at| (at, deviation(&rows[..index], at)))
                .filter(|(_, size)| *size > 0.0)
                .collect();
            let (feature, size) = moving[rng.random_range(0..moving.len())];
            let offset = size * if rng.random() { SIZE } else { -SIZE };
            let window = &rows[index..rows.len().min(index + LENGTH)];
            let (causes, told) = seen(&pipeline, window, (index, period_ms), (feature, offset))?;
            let place = |causes: &[Cause]| causes.iter().position(|cause| cause.feature == names[feature]);
            tally.count(place(&causes), told.map(|causes| place(&causes)));
        }
        let end_ms = (index as u64 + 1) * period_ms;
        pipeline.push(&Window { end_ms, n: 1, values: row, gap_ms: 0, items: &[], slots: &[] })?;
    }
    Ok(())
}

/// The explanation of the most unusual of `rows` with an offset in one feature, and of what was told last.
fn seen(
    pipeline: &Pipeline,
    rows: &[Vec<f32>],
    (first, period_ms): (usize, u64),
    (feature, offset): (usize, f32),
) -> Result<(Vec<Cause>, Option<Vec<Cause>>)> {
    let mut pipeline = pipeline.clone();
    let (mut highest, mut causes, mut told) = (-1.0, Vec::new(), None);
    for (index, row) in (first..).zip(rows) {
        let mut values = row.clone();
        values[feature] += offset;
        let end_ms = (index as u64 + 1) * period_ms;
        let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
        let verdict = pipeline.judge(&window)?;
        if verdict.score > highest {
            (highest, causes) = (verdict.score, pipeline.explain(&window));
        }
        if let Some(Change::Opened(incident) | Change::Updated(incident)) = verdict.change {
            told = Some(incident.causes);
        }
    }
    Ok((causes, told))
}

/// Standard deviation of a feature.
fn deviation(rows: &[Vec<f32>], feature: usize) -> f32 {
    let values = || rows.iter().map(|row| f64::from(row[feature])).filter(|value| value.is_finite());
    let n = values().count() as f64;
    let mean = values().sum::<f64>() / n;
    (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt() as f32
}
