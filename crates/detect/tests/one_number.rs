//! What anyone expects of a watch on one number.

use eddyline_detect::{Block, Change, Direction, Layout, Pipeline, Settings, Verdict, Window};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn one() -> Pipeline {
    let layout = Layout { blocks: vec![Block::Numeric { names: vec!["load".to_owned()] }] };
    Pipeline::new(layout, Settings::new(60_000)).unwrap()
}

fn push(pipeline: &mut Pipeline, window: u64, value: f32) -> Verdict {
    let window = Window { end_ms: window * 60_000, n: 1, values: &[value], gap_ms: 0, items: &[], slots: &[] };
    pipeline.push(&window).unwrap()
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

/// A wave of 48 windows with noise.
fn wave(rng: &mut ChaCha8Rng, window: u64) -> f32 {
    20.0 + 5.0 * (window as f32 * std::f32::consts::TAU / 48.0).sin() + 0.5 * noise(rng)
}

/// Windows from 1,000 on until the first alert, when `change` makes what comes from then on.
fn found_after(mut change: impl FnMut(&mut ChaCha8Rng, u64) -> f32) -> Option<u64> {
    let mut rng = ChaCha8Rng::seed_from_u64(51);
    let mut pipeline = one();
    let mut opened = 0;
    for window in 1..1_000 {
        let value = wave(&mut rng, window);
        opened += u32::from(matches!(push(&mut pipeline, window, value).change, Some(Change::Opened(_))));
    }
    assert!(opened <= 3, "{opened}");
    (1_000..1_200)
        .find(|window| push(&mut pipeline, *window, change(&mut rng, *window)).score >= 0.5)
        .map(|at| at - 1_000)
}

#[test]
fn a_spike_and_a_drop_are_found_at_once() {
    assert_eq!(found_after(|_, _| 40.0), Some(0));
    assert_eq!(found_after(|_, _| 0.0), Some(0));
}

#[test]
fn a_shift_of_the_level_is_found_within_a_wave() {
    let found = found_after(|rng, window| wave(rng, window) + 4.0).expect("found");
    assert!(found < 48, "{found}");
}

#[test]
fn a_sensor_that_sticks_is_found_when_nothing_moved_for_long() {
    let found = found_after(|_, _| 20.0).expect("found");
    assert!(found <= 100, "{found}");
}

#[test]
fn a_faster_wave_is_found_though_its_values_are_usual() {
    let found =
        found_after(|_, window| 20.0 + 5.0 * (window as f32 * std::f32::consts::TAU / 4.0).sin()).expect("found");
    assert!(found < 48, "{found}");
}

#[test]
fn a_value_between_two_modes_is_found() {
    let mut rng = ChaCha8Rng::seed_from_u64(52);
    let mut pipeline = one();
    for window in 1..1_000 {
        let mode = if window / 9 % 2 == 0 { 10.0 } else { 30.0 };
        let value = mode + 0.5 * noise(&mut rng);
        push(&mut pipeline, window, value);
    }
    assert!(push(&mut pipeline, 1_000, 20.0).score >= 0.5);
}

#[test]
fn a_constant_says_nothing_until_it_changes() {
    let mut pipeline = one();
    for window in 1..1_000 {
        let verdict = push(&mut pipeline, window, 5.0);
        assert!(verdict.score < 0.25, "{verdict:?}");
    }
    let verdict = push(&mut pipeline, 1_000, 5.5);
    assert!(matches!(verdict.change, Some(Change::Opened(_))), "{verdict:?}");
    let cause = &verdict.causes[0];
    assert_eq!((cause.feature.as_str(), cause.direction), ("load", Direction::Up));
    assert_eq!((cause.observed, cause.expected), (5.5, 5.0));
}

#[test]
fn what_is_missing_is_no_news() {
    let mut rng = ChaCha8Rng::seed_from_u64(53);
    let (mut whole, mut holes) = (one(), one());
    let mut last = (0.0, 0.0);
    for window in 1..600 {
        let value = wave(&mut rng, window);
        let missing = window % 7 == 0;
        let verdict = push(&mut holes, window, if missing { f32::NAN } else { value });
        assert!(!missing || verdict.p > 0.05, "{verdict:?}");
        last = (push(&mut whole, window, value).p, verdict.p);
    }
    assert!(last.0 > 1e-3 && last.1 > 1e-3, "{last:?}");
    assert!(push(&mut holes, 600, f32::INFINITY).p > 0.05);
    assert!(push(&mut holes, 601, 60.0).score >= 0.5);
}

#[test]
fn the_tenth_incident_of_a_size_is_found_as_fast_as_the_first() {
    let mut rng = ChaCha8Rng::seed_from_u64(55);
    let mut pipeline = one();
    let mut found = Vec::new();
    for window in 1..5_000 {
        let begun = window >= 1_000 && window % 400 < 20;
        let value = if begun { 60.0 + noise(&mut rng) } else { wave(&mut rng, window) };
        let verdict = push(&mut pipeline, window, value);
        if begun && matches!(verdict.change, Some(Change::Opened(_))) {
            found.push(window % 400);
        }
    }
    assert_eq!(found, [0; 10]);
}

#[test]
fn an_event_is_news_once_and_stays_an_alert_while_it_lasts() {
    let mut rng = ChaCha8Rng::seed_from_u64(54);
    let mut pipeline = one();
    for window in 1..1_000 {
        let value = wave(&mut rng, window);
        push(&mut pipeline, window, value);
    }
    let verdicts: Vec<Verdict> =
        (1_000..1_040).map(|window| push(&mut pipeline, window, 60.0 + noise(&mut rng))).collect();
    assert!(verdicts[0].score > 0.8 && verdicts[1..].iter().all(|verdict| verdict.score <= 0.5), "{verdicts:?}");
    assert!(verdicts.iter().all(|verdict| verdict.incident == Some(60_000_000)), "{verdicts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, scores are finite, and a checkpoint goes on as the original does.
    #[test]
    fn any_number_leaves_it_sound(values in proptest::collection::vec(any::<f32>(), 1..300)) {
        let mut pipeline = one();
        for (window, value) in (1..).zip(values.iter().cycle().take(400)) {
            let verdict = push(&mut pipeline, window, *value);
            prop_assert!((0.0..=1.0).contains(&verdict.score) && (1e-12..=1.0).contains(&verdict.p), "{verdict:?}");
        }
        let bytes = postcard::to_stdvec(&pipeline).unwrap();
        let mut again: Pipeline = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(push(&mut again, 401, values[0]), push(&mut pipeline, 401, values[0]));
    }
}
