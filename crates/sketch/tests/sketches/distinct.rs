use eddyline_sketch::{Distinct, SketchError};

use crate::numbered;

#[test]
fn error_stays_within_four_standard_errors() {
    for precision in 10..=14 {
        let allowed = 4.0 * 1.04 / f64::from(1u32 << precision).sqrt();
        for run in 0..5u64 {
            let mut distinct = Distinct::new(precision).expect("valid precision");
            let mut added = 0u64;
            for checkpoint in [1, 10, 100, 1_000, 5_000, 20_000, 100_000, 300_000] {
                while added < checkpoint {
                    distinct.add(numbered(run << 40 | added));
                    added += 1;
                }
                let estimate = distinct.estimate();
                // A handful of items is counted one by one.
                let error = (estimate - added as f64).abs();
                assert!(
                    error <= (allowed * added as f64).max(0.5),
                    "precision {precision}, run {run}: {estimate} for {added}"
                );
            }
        }
    }
}

#[test]
fn empty_estimates_zero_and_repetition_adds_nothing() {
    let mut distinct = Distinct::new(12).expect("valid precision");
    assert_eq!(distinct.estimate(), 0.0);
    for _ in 0..1_000 {
        distinct.add(numbered(7));
    }
    assert!((distinct.estimate() - 1.0).abs() < 0.01);
    distinct.clear();
    assert_eq!(distinct.estimate(), 0.0);
}

#[test]
fn merged_equals_counted_together() {
    let mut left = Distinct::new(11).expect("valid precision");
    let mut right = left.clone();
    let mut together = left.clone();
    for item in 0..3_000 {
        together.add(numbered(item));
        if item < 2_000 {
            left.add(numbered(item));
        }
        if item >= 1_000 {
            right.add(numbered(item));
        }
    }
    left.merge(&right).expect("same precision");
    assert_eq!(left, together);
    let other = Distinct::new(12).expect("valid precision");
    assert_eq!(left.merge(&other), Err(SketchError::ShapeMismatch));
}

#[test]
fn precision_out_of_range_is_refused() {
    assert!(Distinct::new(9).is_err());
    let error = Distinct::new(15).expect_err("too precise");
    assert_eq!(error.to_string(), "precision must be 10 to 14");
}
