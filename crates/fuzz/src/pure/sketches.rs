//! Bytes that may be a sketch.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles};
use serde::Serialize;

pub(crate) struct Sketches {
    corpus: Vec<Vec<u8>>,
}

impl Sketches {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self { corpus: (0..30).flat_map(|_| one_of_each(chance)).collect() }
    }
}

impl Target for Sketches {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let (one, other) = (chance.pick(&self.corpus), chance.pick(&self.corpus));
        vec![damage(one, other, chance)]
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, |case| use_as_any(&case.concat())))
    }
}

fn one_of_each(chance: &mut Chance) -> [Vec<u8>; 5] {
    const WITHIN: &str = "within the sketches' limits";
    let mut counts = CountMin::new(1 + chance.below(64), 1 + chance.below(5)).expect(WITHIN);
    let mut hitters = HeavyHitters::new(1 + chance.below(12)).expect(WITHIN);
    let mut quantiles = Quantiles::new();
    let mut distinct = Distinct::new(10 + chance.below(2) as u8).expect(WITHIN);
    let mut novelty = Novelty::new(1 + chance.below(50) as u32, 0.1).expect(WITHIN);
    for _ in 0..chance.below(200) {
        let item = chance.bytes(12);
        let hash = ItemHash::of(&item);
        counts.add(hash, chance.below(1000) as u32);
        hitters.add(&item, hash, chance.below(1000) as u32);
        quantiles.add(String::from_utf8_lossy(&chance.number_text()).parse().unwrap_or(1.5));
        distinct.add(hash);
        novelty.first_seen(hash);
    }
    [bytes(&counts), bytes(&hitters), bytes(&quantiles), bytes(&distinct), bytes(&novelty)]
}

fn bytes(sketch: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(sketch).expect("sketches always serialise")
}

/// What the bytes hold is refused, or a sketch on which every call works and which saves to what loads again.
fn use_as_any(given: &[u8]) -> Result<bool, Harm> {
    let mut accepted = false;
    let hash = ItemHash::of(b"pay");
    if let Ok(mut counts) = postcard::from_bytes::<CountMin>(given) {
        counts.add(hash, u32::MAX);
        counts.add_conservative(hash, u32::MAX);
        let same = counts.clone();
        counts.merge(&same).map_err(|error| error.to_string())?;
        counts.fold(counts.width(), &mut Vec::new()).map_err(|error| error.to_string())?;
        counts.halve();
        assert!(counts.estimate(hash) > 0);
        loads::<CountMin>(&bytes(&counts))?;
        counts.clear();
        accepted = true;
    }
    if let Ok(mut hitters) = postcard::from_bytes::<HeavyHitters>(given) {
        for item in 0..40u8 {
            hitters.add(&[item], ItemHash::of(&[item]), u32::MAX);
        }
        assert!(hitters.top(100).len() <= hitters.capacity());
        loads::<HeavyHitters>(&bytes(&hitters))?;
        hitters.clear();
        accepted = true;
    }
    if let Ok(mut quantiles) = postcard::from_bytes::<Quantiles>(given) {
        for value in [0.0, 1.0, -1e300, 1e300, f64::MIN_POSITIVE] {
            quantiles.add(value);
        }
        let same = quantiles.clone();
        quantiles.merge(&same);
        assert!(quantiles.quantile(0.5).is_some_and(f64::is_finite));
        assert!(quantiles.mean().is_some_and(f64::is_finite));
        loads::<Quantiles>(&bytes(&quantiles))?;
        accepted = true;
    }
    if let Ok(mut distinct) = postcard::from_bytes::<Distinct>(given) {
        distinct.add(hash);
        let same = distinct.clone();
        distinct.merge(&same).map_err(|error| error.to_string())?;
        assert!(distinct.estimate() >= 0.0);
        loads::<Distinct>(&bytes(&distinct))?;
        accepted = true;
    }
    if let Ok(mut novelty) = postcard::from_bytes::<Novelty>(given) {
        for item in 0..60u64 {
            novelty.first_seen(ItemHash::of(&item.to_le_bytes()));
        }
        loads::<Novelty>(&bytes(&novelty))?;
        novelty.rotate();
        novelty.clear();
        accepted = true;
    }
    Ok(accepted)
}

fn loads<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<(), Harm> {
    let name = std::any::type_name::<T>();
    postcard::from_bytes::<T>(bytes).map(drop).map_err(|error| format!("{name}: saved, it can't be loaded: {error}"))
}
