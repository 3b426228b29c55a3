use eddyline_sketch::Quantiles;
use proptest::prelude::*;

const RANKS: [f64; 9] = [0.0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0];

fn filled(values: &[f64]) -> Quantiles {
    let mut quantiles = Quantiles::new();
    for &value in values {
        quantiles.add(value);
    }
    quantiles
}

/// Every quantile within 1 % of the value of that rank.
fn assert_accurate(values: &[f64]) {
    let quantiles = filled(values);
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    for q in RANKS {
        let exact = sorted[(q * (sorted.len() - 1) as f64) as usize];
        let estimate = quantiles.quantile(q).expect("not empty");
        assert!((estimate - exact).abs() <= 0.01 * exact.abs(), "q {q}: {estimate} for {exact} among {}", sorted.len());
    }
}

/// Evenly spread numbers in (0, 1) without a generator to seed: the golden-ratio sequence.
fn uniform(n: u32) -> impl Iterator<Item = f64> {
    (1..=n).map(|i| (f64::from(i) * 0.618_033_988_749_894_9).fract())
}

#[test]
fn error_bound_holds_over_many_distributions() {
    let uniform: Vec<f64> = uniform(20_000).collect();
    let of = |shape: fn(f64) -> f64| uniform.iter().map(|&u| shape(u)).collect::<Vec<_>>();
    assert_accurate(&uniform);
    assert_accurate(&of(|u| -u.ln())); // exponential
    assert_accurate(&of(|u| 12.0 * (1.0 - u).powf(-0.7))); // Pareto, heavy tail
    assert_accurate(&of(|u| (0.6 * (u / (1.0 - u)).ln()).exp())); // log-logistic: 17 binades
    assert_accurate(&of(|u| u - 0.5)); // both signs
    assert_accurate(&of(|u| if u < 0.3 { 0.0 } else { u * 1e6 })); // many zeros
    assert_accurate(&of(|u| (u * 40.0).floor())); // few distinct values
    assert_accurate(&of(|u| -1e300 * u)); // huge, negative
    assert_accurate(&[42.0]);
    assert_accurate(&[0.0, -0.0]);
}

proptest! {
    #[test]
    fn error_bound_holds_within_a_factor_of_two_to_the_twenty(
        values in prop::collection::vec((1.0..1_048_576.0f64, any::<bool>()), 1..300),
        scale in -900..900i32,
    ) {
        let scale = 2f64.powi(scale);
        let signed = |(value, negative): (f64, bool)| if negative { -value * scale } else { value * scale };
        assert_accurate(&values.into_iter().map(signed).collect::<Vec<_>>());
    }

    #[test]
    fn any_numbers_leave_bounded_memory_and_ordered_quantiles(
        values in prop::collection::vec(any::<f64>(), 0..400),
    ) {
        let quantiles = filled(&values);
        let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        prop_assert_eq!(quantiles.count(), finite.len() as u64);
        prop_assert!(quantiles.bytes() <= Quantiles::BYTES_AT_MOST);
        if finite.is_empty() {
            prop_assert_eq!(quantiles.quantile(0.5), None);
            return Ok(());
        }
        let exact_max = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exact_min = finite.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert_eq!((quantiles.min(), quantiles.max()), (Some(exact_min), Some(exact_max)));
        let mean = quantiles.mean().expect("not empty");
        prop_assert!(exact_min <= mean && mean <= exact_max);
        let at: Vec<f64> = RANKS.iter().map(|&q| quantiles.quantile(q).expect("not empty")).collect();
        prop_assert!(at.is_sorted(), "{at:?}");
    }

    #[test]
    fn order_doesnt_matter_and_merged_equals_counted_together(
        mut values in prop::collection::vec(-1_000_000i64..1_000_000, 0..300), split in 0..300usize,
    ) {
        // Whole numbers, whose sums are exact; powered, so that some need more bins than there are.
        let powered = |values: &[i64]| {
            filled(&values.iter().map(|&value| (value * value * value.signum()) as f64).collect::<Vec<_>>())
        };
        let forward = powered(&values);
        let (left, right) = values.split_at(split.min(values.len()));
        let mut merged = powered(left);
        merged.merge(&powered(right));
        prop_assert_eq!(&merged, &forward);
        values.reverse();
        prop_assert_eq!(powered(&values), forward);
    }
}

#[test]
fn too_wide_a_range_merges_the_lowest_bins_only() {
    let mut quantiles = Quantiles::new();
    for exponent in -300..=300 {
        quantiles.add(2f64.powi(exponent));
    }
    // 20 binades below the largest are kept apart, the rest lies together just below them.
    for (q, exponent) in [(1.0, 300), (0.99, 294), (0.97, 282)] {
        let exact = 2f64.powi(exponent);
        let estimate = quantiles.quantile(q).expect("not empty");
        assert!((estimate / exact - 1.0).abs() <= 0.01, "q {q}");
    }
    let low = quantiles.quantile(0.5).expect("not empty");
    assert!(low < 2f64.powi(281) && low > 2f64.powi(278), "{low:e}");
    assert_eq!(quantiles.min(), Some(2f64.powi(-300)));
}

#[test]
fn sum_and_mean_stay_finite_at_the_edge() {
    let mut quantiles = filled(&[f64::MAX, f64::MAX, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE / 4.0]);
    assert_eq!(quantiles.count(), 3);
    assert_eq!(quantiles.sum(), f64::MAX);
    assert!(quantiles.mean().is_some_and(f64::is_finite));
    assert_eq!(quantiles.quantile(0.1), Some(f64::MIN_POSITIVE / 4.0));
    assert_eq!(quantiles.quantile(1.5), None);
    assert_eq!(quantiles.quantile(f64::NAN), None);
    quantiles.clear();
    assert_eq!(quantiles, Quantiles::new());
}
