//! Whatever comes: any bits as values, any gaps, any of the ways in which values are repeated or missing.
//!
//! The rules: missing (NaN, infinite) counts as expected, so alone it is no surprise; a constant says nothing until it
//! changes; values are cut at ±1e15; a score is a number from 0 to 1 and `p` one from 1e-12 to 1, always; what was learned
//! is a checkpoint that is read back.

use eddyline_detect::{Block, Layout, Pipeline, Settings, Window};
use proptest::prelude::*;

const FEATURES: usize = 4;

/// A stretch of windows of one kind.
#[derive(Debug, Clone)]
enum Stretch {
    Missing,
    Infinite,
    Zero,
    Constant(f32),
    Any(Vec<[u32; FEATURES]>),
    Small(Vec<[i8; FEATURES]>),
}

fn stretch() -> impl Strategy<Value = (Stretch, usize, bool)> {
    let kind = prop_oneof![
        Just(Stretch::Missing),
        Just(Stretch::Infinite),
        Just(Stretch::Zero),
        any::<f32>().prop_map(Stretch::Constant),
        prop::collection::vec(any::<[u32; FEATURES]>(), 1..20).prop_map(Stretch::Any),
        prop::collection::vec(any::<[i8; FEATURES]>(), 1..20).prop_map(Stretch::Small),
    ];
    (kind, 1..150_usize, any::<bool>())
}

impl Stretch {
    fn row(&self, window: usize) -> [f32; FEATURES] {
        match self {
            Self::Missing => [f32::NAN; FEATURES],
            Self::Infinite => [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0],
            Self::Zero => [0.0; FEATURES],
            Self::Constant(value) => [*value; FEATURES],
            Self::Any(rows) => rows[window % rows.len()].map(f32::from_bits),
            Self::Small(rows) => rows[window % rows.len()].map(f32::from),
        }
    }
}

fn holds(layout: &Layout, stretches: &[(Stretch, usize, bool)]) -> Result<(), TestCaseError> {
    let mut pipeline = Pipeline::new(layout.clone(), Settings::new(60_000)).expect("a sound layout");
    let mut end_ms = 0;
    for (stretch, windows, gap) in stretches {
        for window in 0..*windows {
            let gap_ms = if *gap && window == 0 { 120_000 } else { 0 };
            end_ms += 60_000 + gap_ms;
            let values = stretch.row(window);
            let verdict = pipeline.push(&Window { end_ms, n: 1, values: &values, gap_ms, items: &[], slots: &[] });
            let verdict = verdict.expect("a sound window");
            prop_assert!((0.0..=1.0).contains(&verdict.score) && (1e-12..=1.0).contains(&verdict.p), "{:?}", verdict);
            for cause in &verdict.causes {
                let told = [cause.share, cause.expected, cause.low, cause.high];
                prop_assert!(told.iter().all(|value| value.is_finite()), "{:?}", cause);
            }
        }
    }
    let bytes = postcard::to_stdvec(&pipeline).expect("bytes");
    prop_assert!(postcard::from_bytes::<Pipeline>(&bytes).is_ok(), "a checkpoint that isn't read back");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_vector_has_a_score(stretches in prop::collection::vec(stretch(), 1..8)) {
        let names = ["load", "count", "ms:p95", "user:distinct"].map(str::to_owned).to_vec();
        holds(&Layout { blocks: vec![Block::Numeric { names }] }, &stretches)?;
    }

    #[test]
    fn any_numbers_beside_counts_have_a_score(stretches in prop::collection::vec(stretch(), 1..6)) {
        let counts = Block::Counts { name: "user".to_owned(), buckets: 2 };
        let numbers = Block::Numeric { names: vec!["count".to_owned(), "ms:p95".to_owned()] };
        holds(&Layout { blocks: vec![counts, numbers] }, &stretches)?;
    }
}
