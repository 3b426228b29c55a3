use std::collections::BTreeMap;

use eddyline_sketch::{HeavyHitters, ItemHash};
use proptest::prelude::*;

proptest! {
    #[test]
    fn frequent_items_are_tracked_within_their_error(
        additions in prop::collection::vec((0..40u8, 1..20u32), 0..600), capacity in 1..20usize,
    ) {
        let mut hitters = HeavyHitters::new(capacity)?;
        let mut exact = BTreeMap::<u8, u64>::new();
        for &(item, n) in &additions {
            hitters.add(&[item], ItemHash::of(&[item]), n);
            *exact.entry(item).or_default() += u64::from(n);
        }
        let total: u64 = exact.values().sum();
        let tracked: BTreeMap<u8, _> = hitters.iter().map(|hitter| (hitter.item[0], hitter)).collect();
        prop_assert!(tracked.len() <= capacity);
        for (item, &count) in &exact {
            match tracked.get(item) {
                Some(hitter) => {
                    prop_assert!(hitter.count >= count);
                    prop_assert!(hitter.count - hitter.error <= count);
                }
                None => prop_assert!(count * capacity as u64 <= total),
            }
        }
        // SpaceSaving hands every count on: nothing is lost and nothing made up.
        prop_assert_eq!(tracked.values().map(|hitter| hitter.count).sum::<u64>(), total);
    }
}

proptest! {
    #[test]
    fn of_equal_least_counts_the_last_place_makes_room(
        additions in prop::collection::vec((0..60u8, 1..4u32), 0..600), capacity in 1..20usize, stored_at in 0..600usize,
    ) {
        let mut hitters = HeavyHitters::new(capacity)?;
        let mut places: Vec<(u8, u64, u64)> = Vec::new();
        for (i, &(item, n)) in additions.iter().enumerate() {
            hitters.add(&[item], ItemHash::of(&[item]), n);
            let n = u64::from(n);
            if let Some(place) = places.iter_mut().find(|place| place.0 == item) {
                place.1 += n;
            } else if places.len() < capacity {
                places.push((item, n, 0));
            } else {
                let least = places.iter().map(|place| place.1).min().unwrap_or(0);
                let last = places.iter_mut().rev().find(|place| place.1 == least);
                last.into_iter().for_each(|place| *place = (item, least + n, least));
            }
            if i == stored_at {
                let bytes = postcard::to_stdvec(&hitters).expect("it serialises");
                hitters = postcard::from_bytes(&bytes).expect("the same again");
            }
            let tracked: Vec<_> = hitters.iter().map(|hitter| (hitter.item[0], hitter.count, hitter.error)).collect();
            prop_assert_eq!(&tracked, &places);
        }
    }
}

fn add(hitters: &mut HeavyHitters, item: &str, n: u32) -> bool {
    hitters.add(item.as_bytes(), ItemHash::of(item.as_bytes()), n)
}

fn names(hitters: &HeavyHitters, k: usize) -> Vec<String> {
    let top = hitters.top(k).into_iter();
    top.map(|hitter| String::from_utf8_lossy(hitter.item).into_owned()).collect()
}

#[test]
fn top_is_ordered_by_count_then_by_bytes() {
    let mut hitters = HeavyHitters::new(8).expect("valid capacity");
    for (item, n) in [("pay", 3), ("cart", 7), ("auth", 3), ("mail", 1)] {
        assert!(!add(&mut hitters, item, n));
    }
    assert!(add(&mut hitters, "mail", 1));
    assert_eq!(names(&hitters, 3), ["cart", "auth", "pay"]);
    assert_eq!(names(&hitters, 100), ["cart", "auth", "pay", "mail"]);
}

#[test]
fn newcomer_takes_the_place_of_the_least() {
    let mut hitters = HeavyHitters::new(2).expect("valid capacity");
    add(&mut hitters, "a", 5);
    add(&mut hitters, "b", 2);
    add(&mut hitters, "c", 1);
    assert_eq!(names(&hitters, 2), ["a", "c"]);
    let newcomer = hitters.top(2)[1];
    assert_eq!((newcomer.count, newcomer.error), (3, 2));
}

#[test]
fn items_of_equal_hash_are_told_apart() {
    let mut hitters = HeavyHitters::new(4).expect("valid capacity");
    let hash = ItemHash::from_bits(7);
    hitters.add(b"a", hash, 2);
    assert!(!hitters.add(b"b", hash, 1));
    assert!(hitters.add(b"a", hash, 1));
    assert_eq!(names(&hitters, 2), ["a", "b"]);
}

#[test]
fn long_items_are_cut_so_memory_is_bounded() {
    let mut hitters = HeavyHitters::new(3).expect("valid capacity");
    for last in 0..50u8 {
        let mut item = vec![b'x'; 5_000];
        item.push(last);
        hitters.add(&item, ItemHash::of(&item), 1);
    }
    assert!(hitters.iter().all(|hitter| hitter.item.len() == 1024));
    assert_eq!(hitters.bytes(), HeavyHitters::bytes_at_most(3, 5_000));
}

#[test]
fn adding_nothing_tracks_nothing_and_clear_forgets() {
    let mut hitters = HeavyHitters::new(3).expect("valid capacity");
    assert!(!add(&mut hitters, "a", 0));
    assert!(hitters.top(1).is_empty());
    add(&mut hitters, "a", 1);
    hitters.clear();
    assert_eq!(hitters, HeavyHitters::new(3).expect("valid capacity"));
    assert!(HeavyHitters::new(0).is_err());
    assert!(HeavyHitters::new(65).is_err());
}
