//! Written rules for what isn't a plain number: missing, infinite, constant; and what is refused.

use eddyline_detect::{Block, Change, Direction, Error, Layout, Pipeline, Settings, Verdict, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn vectors(features: usize) -> Pipeline {
    let names = (0..features).map(|feature| format!("f{feature:02}")).collect();
    Pipeline::new(Layout { blocks: vec![Block::Numeric { names }] }, Settings::new(60_000)).unwrap()
}

fn push(pipeline: &mut Pipeline, window: u64, values: &[f32]) -> Verdict {
    pipeline.push(&Window { end_ms: window * 60_000, n: 1, values, gap_ms: 0, items: &[], slots: &[] }).unwrap()
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

#[test]
fn missing_values_are_as_expected() {
    let mut rng = ChaCha8Rng::seed_from_u64(41);
    let mut pipeline = vectors(4);
    let mut opened = 0;
    for window in 1..1_500 {
        let mut values: Vec<f32> = (0..4).map(|_| noise(&mut rng)).collect();
        if window % 3 == 0 {
            values[1] = f32::NAN;
        }
        if window > 700 {
            values[2] = f32::INFINITY;
        }
        let verdict = push(&mut pipeline, window, &values);
        assert!(verdict.score.is_finite() && verdict.p > 0.0);
        opened += u32::from(matches!(verdict.change, Some(Change::Opened(_))));
    }
    assert!(opened <= 2, "{opened}");
}

#[test]
fn a_constant_feature_says_nothing_until_it_changes() {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let mut pipeline = vectors(4);
    for window in 1..1_000 {
        let values = [noise(&mut rng), noise(&mut rng), 5.0, noise(&mut rng)];
        let verdict = push(&mut pipeline, window, &values);
        assert!(verdict.causes.iter().all(|cause| cause.feature != "f02"));
    }
    let verdict = push(&mut pipeline, 1_000, &[0.0, 0.0, 6.0, 0.0]);
    let cause = verdict.causes.first().expect("a cause");
    assert_eq!((cause.feature.as_str(), cause.direction), ("f02", Direction::Up));
    assert_eq!((cause.observed, cause.expected), (6.0, 5.0));
}

#[test]
fn a_feature_that_leaves_its_band_is_named_with_its_band() {
    let mut rng = ChaCha8Rng::seed_from_u64(43);
    let mut pipeline = vectors(70);
    for window in 1..1_000 {
        let values: Vec<f32> = (0..70).map(|feature| 10.0 * feature as f32 + noise(&mut rng)).collect();
        push(&mut pipeline, window, &values);
    }
    let mut values: Vec<f32> = (0..70).map(|feature| 10.0 * feature as f32).collect();
    values[68] -= 60.0;
    let verdict = push(&mut pipeline, 1_000, &values);
    let cause = verdict.causes.first().expect("a cause");
    assert_eq!((cause.feature.as_str(), cause.direction), ("f68", Direction::Down));
    assert!(
        (cause.expected - 680.0).abs() < 0.5 && (cause.low - 678.0).abs() < 0.5 && (cause.high - 682.0).abs() < 0.5
    );
    let Some(Change::Opened(incident)) = verdict.change else { panic!("no incident") };
    assert!(incident.summary.starts_with("f68 below usual: 620, usually 678 to 682"), "{}", incident.summary);
}

#[test]
fn extreme_values_do_not_break_anything() {
    let mut rng = ChaCha8Rng::seed_from_u64(44);
    let mut pipeline = vectors(3);
    for window in 1..600 {
        let mut values = [noise(&mut rng), noise(&mut rng), noise(&mut rng)];
        if window % 50 == 0 {
            values = [f32::MAX, f32::MIN, f32::MIN_POSITIVE];
        }
        let verdict = push(&mut pipeline, window, &values);
        assert!((0.0..=1.0).contains(&verdict.score) && (1e-12..=1.0).contains(&verdict.p), "{verdict:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut pipeline = vectors(2);
    push(&mut pipeline, 5, &[1.0, 2.0]);
    let window = |end_ms, values| Window { end_ms, n: 1, values, gap_ms: 0, items: &[], slots: &[] };
    assert_eq!(pipeline.push(&window(360_000, &[1.0])), Err(Error::Length { got: 1, expected: 2 }));
    assert_eq!(pipeline.push(&window(300_000, &[1.0, 2.0])), Err(Error::Order { end_ms: 300_000, last_ms: 300_000 }));
    assert!(pipeline.push(&window(360_000, &[1.0, 2.0])).is_ok());
    let other = Settings { budget_per_day: 24.0, ..Settings::new(60_000) };
    assert_eq!(pipeline.reconfigure(other.clone()), Ok(()));
    assert_eq!(pipeline.settings(), &other);
    assert!(pipeline.reconfigure(Settings::new(10_000)).is_err());
}
