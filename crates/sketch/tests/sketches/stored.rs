//! Stored bytes: fixed forever (a server's RDB holds them), and read without trust.

use std::fmt::Debug;

use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn count_min() -> CountMin {
    let mut counts = CountMin::new(5, 3).expect("valid shape");
    for (item, n) in [("pay", 300), ("cart", 2), ("mail", 70_000)] {
        counts.add(ItemHash::of(item.as_bytes()), n);
    }
    counts
}

fn heavy_hitters() -> HeavyHitters {
    let mut hitters = HeavyHitters::new(2).expect("valid capacity");
    for (item, n) in [("pay", 300), ("cart", 2), ("mail", 1)] {
        hitters.add(item.as_bytes(), ItemHash::of(item.as_bytes()), n);
    }
    hitters
}

fn quantiles() -> Quantiles {
    let mut quantiles = Quantiles::new();
    for value in [0.0, 12.5, 12.6, 13.0, -1.0, 12.5] {
        quantiles.add(value);
    }
    quantiles
}

fn distinct() -> Distinct {
    let mut distinct = Distinct::new(10).expect("valid precision");
    for item in 0..200u64 {
        distinct.add(ItemHash::of(&item.to_le_bytes()));
    }
    distinct
}

fn novelty() -> Novelty {
    let mut novelty = Novelty::new(6, 0.1).expect("valid parameters");
    for item in 0..9u64 {
        novelty.first_seen(ItemHash::of(&item.to_le_bytes()));
    }
    novelty
}

fn bytes_of<T: Serialize>(sketch: &T) -> Vec<u8> {
    postcard::to_allocvec(sketch).expect("sketches serialise")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hashes_are_fixed() {
    assert_eq!(ItemHash::of(b"").to_bits(), 0x908c_407b_f556_ee32);
    assert_eq!(ItemHash::of(b"pay").to_bits(), 0xfa5f_f8e6_19dc_eb10);
    let columns = (0..4).map(|row| ItemHash::of(b"pay").column(row, 1000));
    assert_eq!(columns.collect::<Vec<_>>(), [496, 839, 182, 525]);
}

#[test]
fn bytes_are_fixed() {
    let counts = "05039ea5040f009ca50400020000f2a2040000ac0200009ca5040002";
    assert_eq!(hex(&bytes_of(&count_min())), counts);
    let hitters = "020290d6f3cee19cfeaffa01f5feb2e0b9f59a926b02ac020302000370617902046d61696c";
    assert_eq!(hex(&bytes_of(&heavy_hitters())), hitters);
    let numbers = "0601cdcccccccccc4840000000000000f0bf0000000000002a40e4020403000001000101";
    assert_eq!(hex(&bytes_of(&quantiles())), numbers);
    let filter = "3101040000000000000004000000656464796c696e653a206e6f76656c74792c20726f746174696e672070616972";
    let filters = format!("069a9999999999b93f02{filter}4923c000{filter}57c0471d");
    assert_eq!(hex(&bytes_of(&novelty())), filters);
    // 1 KiB of registers: their hash stands for them.
    let registers = bytes_of(&distinct());
    assert_eq!(hex(&registers[..8]), "0a80080002000000");
    assert_eq!(ItemHash::of(&registers).to_bits(), 0x0a01_1dd6_97eb_0bf4);
}

#[test]
fn estimates_are_fixed_to_the_last_bit() {
    // 201.5 of 200 items, and 12.56 for the 12.5 of rank 2.
    assert_eq!(distinct().estimate().to_bits(), 0x4069_3090_1b65_668c);
    let median = quantiles().quantile(0.5).map(f64::to_bits);
    assert_eq!(median, Some(0x4029_1e75_881e_c904));
}

/// Restored state goes on as if it had never been stored, and stores to the same bytes.
fn assert_restores<T: Serialize + DeserializeOwned>(sketch: &T) -> T {
    let bytes = bytes_of(sketch);
    let restored: T = postcard::from_bytes(&bytes).expect("own bytes are valid");
    assert_eq!(bytes_of(&restored), bytes);
    restored
}

#[test]
fn restored_sketches_go_on_alike() {
    assert_eq!(assert_restores(&count_min()), count_min());
    assert_eq!(assert_restores(&heavy_hitters()), heavy_hitters());
    assert_eq!(assert_restores(&quantiles()), quantiles());
    assert_eq!(assert_restores(&Quantiles::new()), Quantiles::new());
    assert_eq!(assert_restores(&distinct()), distinct());
    let (mut live, mut restored) = (novelty(), assert_restores(&novelty()));
    for item in 0..40u64 {
        let hash = ItemHash::of(&item.to_le_bytes());
        assert_eq!(live.first_seen(hash), restored.first_seen(hash));
    }
    assert_eq!(bytes_of(&live), bytes_of(&restored));
}

fn assert_truncation_is_an_error<T: Serialize + DeserializeOwned>(sketch: &T) {
    let bytes = bytes_of(sketch);
    for end in 0..bytes.len() {
        assert!(postcard::from_bytes::<T>(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn truncated_bytes_are_an_error() {
    assert_truncation_is_an_error(&count_min());
    assert_truncation_is_an_error(&heavy_hitters());
    assert_truncation_is_an_error(&quantiles());
    assert_truncation_is_an_error(&distinct());
    assert_truncation_is_an_error(&novelty());
}

/// Reads the bytes; whatever they hold is either refused or a sketch on which every call works.
fn use_all(bytes: &[u8]) {
    let hash = ItemHash::of(b"pay");
    if let Ok(mut counts) = postcard::from_bytes::<CountMin>(bytes) {
        counts.add(hash, u32::MAX);
        counts.add_conservative(hash, u32::MAX);
        counts.merge(&counts.clone()).expect("same shape");
        counts.fold(counts.width(), &mut Vec::new()).expect("a width divides itself");
        counts.halve();
        assert_eq!(counts.row(counts.depth() - 1).len(), counts.width());
    }
    if let Ok(mut hitters) = postcard::from_bytes::<HeavyHitters>(bytes) {
        for item in 0..100u8 {
            hitters.add(&[item], ItemHash::of(&[item]), u32::MAX);
        }
        assert!(hitters.top(100).len() <= hitters.capacity());
    }
    if let Ok(mut quantiles) = postcard::from_bytes::<Quantiles>(bytes) {
        for value in [0.0, 1.0, -1e300, 1e300, f64::MIN_POSITIVE] {
            quantiles.add(value);
        }
        quantiles.merge(&quantiles.clone());
        assert!(quantiles.quantile(0.5).is_some_and(f64::is_finite));
        assert!(quantiles.mean().is_some_and(f64::is_finite));
    }
    if let Ok(mut distinct) = postcard::from_bytes::<Distinct>(bytes) {
        distinct.add(hash);
        distinct.merge(&distinct.clone()).expect("same precision");
        assert!(distinct.estimate() >= 0.0);
    }
    if let Ok(mut novelty) = postcard::from_bytes::<Novelty>(bytes) {
        for item in 0..50u64 {
            novelty.first_seen(ItemHash::of(&item.to_le_bytes()));
        }
    }
}

fn assert_flips_do_no_harm<T: Serialize + Debug>(sketch: &T) {
    let bytes = bytes_of(sketch);
    for at in 0..bytes.len().min(300) {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            use_all(&flipped);
        }
    }
}

#[test]
fn flipped_bits_are_refused_or_harmless() {
    assert_flips_do_no_harm(&count_min());
    assert_flips_do_no_harm(&heavy_hitters());
    assert_flips_do_no_harm(&quantiles());
    assert_flips_do_no_harm(&distinct());
    assert_flips_do_no_harm(&novelty());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_harmless(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use_all(&bytes);
    }
}

#[test]
fn a_few_bytes_cant_ask_for_megabytes() {
    // Parameters of the largest sketches, with next to no state behind them.
    let huge = postcard::to_allocvec(&(1u32 << 26, 1u32, 0u64, vec![0u32; 3])).expect("serialises");
    assert!(postcard::from_bytes::<CountMin>(&huge).is_err());
    let huge = postcard::to_allocvec(&(1u32 << 22, 1e-6, 0u32, vec![1u8; 60], vec![1u8; 60])).expect("serialises");
    assert!(postcard::from_bytes::<Novelty>(&huge).is_err());
}
