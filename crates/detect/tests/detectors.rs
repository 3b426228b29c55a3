//! Every detector by its name: what it must do with any input, and what each must see.

use eddyline_detect::{Block, Detector, Error, Layout, Pipeline, Settings, Verdict, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FEATURES: usize = 3;

fn alone(detector: Detector) -> Pipeline {
    let names = ["load", "count", "ms:p95"].map(str::to_owned).to_vec();
    let settings = Settings { detectors: detector.name().parse().unwrap(), ..Settings::new(60_000) };
    Pipeline::new(Layout { blocks: vec![Block::Numeric { names }] }, settings).unwrap()
}

fn push(pipeline: &mut Pipeline, window: u64, values: &[f32]) -> Verdict {
    let gap_ms = if window.is_multiple_of(97) { 60_000 } else { 0 };
    let verdict =
        pipeline.push(&Window { end_ms: window * 60_000, n: 1, values, gap_ms, items: &[], slots: &[] }).unwrap();
    assert!((0.0..=1.0).contains(&verdict.score) && (1e-12..=1.0).contains(&verdict.p), "{verdict:?}");
    verdict
}

fn noise(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

type Hostile = fn(u64, &mut ChaCha8Rng) -> [f32; FEATURES];

const HOSTILE: [(&str, Hostile); 9] =
    [
        ("nothing known", |_, _| [f32::NAN; FEATURES]),
        ("infinite", |window, _| [f32::INFINITY, f32::NEG_INFINITY, window as f32]),
        ("all zero", |_, _| [0.0; FEATURES]),
        ("constant, then not", |window, rng| if window < 200 { [5.0; FEATURES] } else { [noise(rng); FEATURES] }),
        ("noise, then constant", |window, rng| if window < 200 { [noise(rng); FEATURES] } else { [5.0; FEATURES] }),
        ("largest and smallest", |window, _| {
            if window.is_multiple_of(7) { [f32::MAX, f32::MIN, f32::MIN_POSITIVE] } else { [f32::MIN, f32::MAX, 0.0] }
        }),
        ("known now and then", |window, rng| {
            if window.is_multiple_of(3) { [noise(rng), f32::NAN, 1.0] } else { [f32::NAN; FEATURES] }
        }),
        ("one window, then nothing", |window, _| if window == 1 { [1.0; FEATURES] } else { [f32::NAN; FEATURES] }),
        ("any bits", |_, rng| std::array::from_fn(|_| f32::from_bits(rng.random()))),
    ];

#[test]
fn every_detector_is_described() {
    let text = include_str!("../../../docs/detectors.md");
    for detector in Detector::ALL {
        assert_eq!(text.matches(&format!("\n| `{detector}` | ")).count(), 2, "{detector} in both tables");
    }
}

#[test]
fn any_input_has_a_score_from_every_detector() {
    for detector in Detector::ALL {
        for (name, values) in HOSTILE {
            let mut rng = ChaCha8Rng::seed_from_u64(51);
            let mut pipeline = alone(detector);
            for window in 1..=400 {
                let verdict = push(&mut pipeline, window, &values(window, &mut rng));
                assert!(verdict.causes.iter().all(|cause| cause.share.is_finite()), "{detector}, {name}: {verdict:?}");
            }
            let bytes = postcard::to_stdvec(&pipeline).unwrap();
            assert!(postcard::from_bytes::<Pipeline>(&bytes).is_ok(), "{detector}, {name}: no checkpoint");
        }
    }
}

#[test]
fn a_constant_says_nothing_until_it_changes() {
    for detector in Detector::ALL {
        let mut rng = ChaCha8Rng::seed_from_u64(52);
        let mut pipeline = alone(detector);
        let mut values = || [3.0, 100.0 + 5.0 * noise(&mut rng), 30.0 + noise(&mut rng)];
        for window in 1..600 {
            let verdict = push(&mut pipeline, window, &values());
            assert!(verdict.causes.iter().all(|cause| cause.feature != "load"), "{detector}, window {window}");
        }
        let [_, count, ms] = values();
        let verdict = push(&mut pipeline, 600, &[4.0, count, ms]);
        let cause = verdict.causes.first().unwrap_or_else(|| panic!("{detector}: {verdict:?}"));
        assert_eq!((cause.feature.as_str(), cause.observed, cause.expected), ("load", 4.0, 3.0), "{detector}");
    }
}

#[test]
fn drops_are_seen_as_well_as_spikes() {
    for detector in Detector::ALL {
        for turned in [12.0, -12.0] {
            let mut rng = ChaCha8Rng::seed_from_u64(53);
            let mut pipeline = alone(detector);
            for window in 1..1_000 {
                let values = [50.0 + noise(&mut rng), 100.0 + 5.0 * noise(&mut rng), 30.0 + noise(&mut rng)];
                push(&mut pipeline, window, &values);
            }
            let values = [50.0 + turned, 100.0, 30.0];
            let seen = (1_000..1_003).any(|window| push(&mut pipeline, window, &values).score >= 0.5);
            assert!(seen, "{detector} doesn't see {turned:+}");
        }
    }
}

#[test]
fn a_restored_pipeline_goes_on_to_the_same_bits_whatever_scores_it() {
    for detector in Detector::ALL {
        let mut rng = ChaCha8Rng::seed_from_u64(54);
        let mut straight = alone(detector);
        let mut restored = straight.clone();
        for window in 1..=300 {
            let level = if window > 250 { 9.0 } else { 0.0 };
            let values = [level + noise(&mut rng), 100.0 + 5.0 * noise(&mut rng), 30.0 + noise(&mut rng)];
            assert_eq!(push(&mut straight, window, &values), push(&mut restored, window, &values), "{detector}");
            if window.is_multiple_of(40) {
                restored = postcard::from_bytes(&postcard::to_stdvec(&restored).unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn a_baseline_keeps_the_detectors_it_was_learned_with() {
    let mut pipeline = alone(Detector::Level);
    let refused = pipeline.reconfigure(Settings::new(60_000));
    assert_eq!(refused, Err(Error::Setting { name: "detectors", allowed: "what the baseline was learned with" }));
    let quieter = Settings { budget_per_day: 0.1, ..pipeline.settings().clone() };
    assert_eq!(pipeline.reconfigure(quieter), Ok(()));
}

#[test]
fn several_detectors_are_heard_together() {
    let layout = || Layout { blocks: vec![Block::Numeric { names: vec!["load".to_owned()] }] };
    let settings = |names: &str| Settings { detectors: names.parse().unwrap(), ..Settings::new(60_000) };
    let mut rng = ChaCha8Rng::seed_from_u64(55);
    let mut alone = Pipeline::new(layout(), settings("zscore")).unwrap();
    let mut both = Pipeline::new(layout(), settings("zscore,change")).unwrap();
    for window in 1..1_000 {
        let values = [noise(&mut rng)];
        push(&mut alone, window, &values);
        push(&mut both, window, &values);
    }
    // Within what is usual, but restless.
    let restless = |pipeline: &mut Pipeline| {
        (1_000..1_012)
            .any(|window| push(pipeline, window, &[if window.is_multiple_of(2) { 2.2 } else { -2.2 }]).score >= 0.5)
    };
    assert!(!restless(&mut alone), "a z-score sees single values");
    assert!(restless(&mut both), "changes were to be seen too");
}
