use std::collections::BTreeMap;

use eddyline_sketch::{CountMin, SketchError};
use proptest::prelude::*;

use crate::numbered;

fn additions() -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::vec((0..200u64, 0..1_000u32), 0..400)
}

/// Free widths and powers of two.
fn shape() -> impl Strategy<Value = (usize, usize)> {
    (prop_oneof![1..200usize, (0..9u32).prop_map(|bits| 1 << bits)], 1..8usize)
}

proptest! {
    #[test]
    fn estimates_are_never_too_low_and_conservative_ones_never_above_plain(
        additions in additions(), (width, depth) in shape(),
    ) {
        let mut plain = CountMin::new(width, depth)?;
        let mut conservative = plain.clone();
        let mut exact = BTreeMap::<u64, u32>::new();
        for (item, n) in additions {
            plain.add(numbered(item), n);
            conservative.add_conservative(numbered(item), n);
            *exact.entry(item).or_default() += n;
        }
        for (item, count) in exact {
            let tight = conservative.estimate(numbered(item));
            prop_assert!(count <= tight);
            prop_assert!(tight <= plain.estimate(numbered(item)));
        }
    }

    #[test]
    fn folded_row_sums_to_the_total_and_holds_each_item_in_its_bucket(
        additions in additions(), buckets in 1..40usize, times in 1..6usize,
    ) {
        let mut counts = CountMin::new(buckets * times, 3)?;
        let mut expected = vec![0f32; buckets];
        for (item, n) in additions {
            counts.add(numbered(item), n);
            expected[numbered(item).bucket(buckets)] += n as f32;
        }
        let mut folded = vec![-1.0]; // what stands there already stays
        counts.fold(buckets, &mut folded)?;
        prop_assert_eq!(&folded[1..], &expected[..]);
        prop_assert_eq!(folded[1..].iter().sum::<f32>(), counts.total() as f32);
    }

    #[test]
    fn column_of_row_0_folds_to_the_bucket(item: u64, buckets in 1..5_000usize, times in 1..200usize) {
        let hash = numbered(item);
        prop_assert_eq!(hash.column(0, buckets * times) % buckets, hash.bucket(buckets));
        for row in 0..16 {
            prop_assert!(hash.column(row, buckets * times) < buckets * times);
        }
    }

    #[test]
    fn merged_equals_counted_together(
        left in additions(), right in additions(), (width, depth) in shape(),
    ) {
        let mut together = CountMin::new(width, depth)?;
        let mut merged = together.clone();
        let mut other = together.clone();
        for &(item, n) in &left {
            together.add(numbered(item), n);
            merged.add(numbered(item), n);
        }
        for &(item, n) in &right {
            together.add(numbered(item), n);
            other.add(numbered(item), n);
        }
        merged.merge(&other)?;
        prop_assert_eq!(merged, together);
    }

    #[test]
    fn halved_estimates_stay_above_half_the_count(additions in additions(), (width, depth) in shape()) {
        let mut counts = CountMin::new(width, depth)?;
        let mut exact = BTreeMap::<u64, u32>::new();
        for (item, n) in additions {
            counts.add(numbered(item), n);
            *exact.entry(item).or_default() += n;
        }
        let total = counts.total();
        counts.halve();
        prop_assert_eq!(counts.total(), total / 2);
        for (item, count) in exact {
            prop_assert!(counts.estimate(numbered(item)) >= count / 2);
        }
    }
}

#[test]
fn rows_spread_two_items_apart() {
    // Items that share a column in one row seldom share those of the other rows.
    let width = 64;
    let mut shared = [0; 5];
    for left in 0..300u64 {
        for right in 0..left {
            let same = (0..4).filter(|&row| numbered(left).column(row, width) == numbered(right).column(row, width));
            shared[same.count()] += 1;
        }
    }
    let pairs = 300.0 * 299.0 / 2.0;
    assert!(f64::from(shared[3] + shared[4]) / pairs < 0.002, "{shared:?}");
}

#[test]
fn counters_saturate() {
    let mut counts = CountMin::new(4, 2).expect("valid shape");
    counts.add(numbered(1), u32::MAX - 1);
    counts.add(numbered(1), 5);
    assert_eq!(counts.estimate(numbered(1)), u32::MAX);
    assert_eq!(counts.total(), u64::from(u32::MAX) + 4);
}

#[test]
fn clear_leaves_a_new_sketch() {
    let empty = CountMin::new(10, 3).expect("valid shape");
    let mut counts = empty.clone();
    counts.add(numbered(3), 9);
    counts.clear();
    assert_eq!(counts, empty);
}

#[test]
fn shapes_out_of_range_are_refused() {
    for (width, depth) in [(0, 1), (1, 0), (1, 65), (1 << 27, 1), (1 << 26, 2), (usize::MAX, 64)] {
        assert!(CountMin::new(width, depth).is_err(), "{width} x {depth}");
    }
    let mut counts = CountMin::new(64, 1).expect("valid shape");
    let error = counts.fold(24, &mut Vec::new()).expect_err("24 doesn't divide 64");
    assert_eq!(error.to_string(), "a row of 64 columns doesn't fold to 24 buckets");
    assert!(counts.fold(0, &mut Vec::new()).is_err());
    let other = CountMin::new(32, 2).expect("valid shape");
    assert_eq!(counts.merge(&other), Err(SketchError::ShapeMismatch));
}
