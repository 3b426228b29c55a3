use bloomfilter::Bloom;
use eddyline_sketch::Novelty;
use proptest::prelude::*;

use crate::numbered;

proptest! {
    #[test]
    fn no_item_is_new_twice_within_a_generation(items in prop::collection::vec(0..300u64, 0..400)) {
        let mut novelty = Novelty::new(400, 0.01)?;
        let mut seen = std::collections::BTreeSet::new();
        for item in items {
            let new = novelty.first_seen(numbered(item));
            prop_assert!(!new || seen.insert(item), "{item} is new twice");
            seen.insert(item);
        }
    }
}

#[test]
fn item_ages_out_after_two_rotations_without_a_sighting() {
    let mut novelty = Novelty::new(100, 0.01).expect("valid parameters");
    assert!(novelty.first_seen(numbered(1)));
    novelty.rotate();
    assert!(!novelty.first_seen(numbered(1)), "the previous generation knows it");
    novelty.rotate();
    assert!(!novelty.first_seen(numbered(1)), "the sighting renewed it");
    novelty.rotate();
    novelty.rotate();
    assert!(novelty.first_seen(numbered(1)), "two rotations forget it");
}

#[test]
fn full_generation_rotates_by_itself_and_never_goes_blind() {
    let mut novelty = Novelty::new(500, 0.01).expect("valid parameters");
    let mut known = 0;
    for item in 0..20_000 {
        known += u32::from(!novelty.first_seen(numbered(item)));
        assert!(novelty.held() < 500);
    }
    // At most 2 % are expected to be mistaken for known ones.
    assert!(known < 400, "{known} of 20000 new items were taken for known ones");
    assert!(novelty.first_seen(numbered(0)), "the first item is forgotten by now");
}

#[test]
fn parameters_out_of_range_are_refused() {
    for (items, rate) in [(0, 0.1), (u32::MAX, 0.1), (10, 0.0), (10, 0.9), (10, f64::NAN)] {
        assert!(Novelty::new(items, rate).is_err(), "{items}, {rate}");
    }
    let mut novelty = Novelty::new(10, 0.1).expect("valid parameters");
    novelty.first_seen(numbered(1));
    novelty.clear();
    assert!(novelty.first_seen(numbered(1)));
}

proptest! {
    #[test]
    fn filters_are_bit_for_bit_those_of_the_crate_that_defined_them(
        items in 1..3000u32,
        rate in prop::sample::select(vec![1e-6, 0.001, 0.01, 0.1, 0.4]),
        drawn in prop::collection::vec(0..4000u64, 0..2000),
        rotate_at in 0..2000usize,
    ) {
        const HEADER: usize = 45;
        type Stored = (u32, f64, u32, Vec<u8>, Vec<u8>);
        let stored = |novelty: &Novelty| -> Stored {
            postcard::from_bytes(&postcard::to_stdvec(novelty).expect("it serialises")).expect("five fields")
        };
        let mut novelty = Novelty::new(items, rate)?;
        let bytes = stored(&novelty).3.len() - HEADER;
        let empty = || Bloom::<u64>::new_with_seed(bytes, items as usize, b"eddyline: novelty, rotating pair");
        let (mut current, mut previous) = (empty().expect("a filter"), empty().expect("a filter"));
        let mut held = 0;
        for (i, item) in drawn.into_iter().enumerate() {
            let key = numbered(item).to_bits().to_le();
            let known = current.check_and_set(&key);
            prop_assert_eq!(novelty.first_seen(numbered(item)), !known && !previous.check(&key));
            held += u32::from(!known);
            if held >= items || i == rotate_at {
                std::mem::swap(&mut current, &mut previous);
                current.clear();
                if held < items {
                    novelty.rotate();
                }
                held = 0;
            }
        }
        let (.., stored_current, stored_previous) = stored(&novelty);
        prop_assert!(stored_current == current.as_slice() && stored_previous == previous.as_slice());
    }
}
