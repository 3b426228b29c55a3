//! A checkpoint continues to the same bits, and bytes that no pipeline wrote are an error.

mod shop;

use eddyline_detect::{Block, Item, Layout, Pipeline, Settings, SlotName, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shop::{Fault, Shop};

fn small() -> Layout {
    Layout {
        blocks: vec![
            Block::Numeric { names: ["count", "a:distinct", "load"].map(str::to_owned).to_vec() },
            Block::Counts { name: "a".to_owned(), buckets: 4 },
            Block::Histogram {
                name: "p*ms".to_owned(),
                group: "p".to_owned(),
                measure: "ms".to_owned(),
                slots: 2,
                edges: vec![1.0, 4.0],
            },
        ],
    }
}

fn push_small(pipeline: &mut Pipeline, rng: &mut ChaCha8Rng, window: u64) -> eddyline_detect::Verdict {
    let mut values = vec![100.0 + rng.random_range(-9.0..9.0), 3.0, rng.random_range(0.0..1.0)];
    values.extend((0..10).map(|_| rng.random_range(0..20) as f32));
    let items = [Item { dimension: "a".to_owned(), item: "x".to_owned(), count: 5, bucket: 1 }];
    let slots = [SlotName { block: "p*ms".to_owned(), slot: 0, item: "pay".to_owned() }];
    let input = Window { end_ms: window * 1_000, n: 100, values: &values, gap_ms: 0, items: &items, slots: &slots };
    pipeline.push(&input).unwrap()
}

#[test]
fn a_pipeline_restored_before_or_after_it_learned_goes_on_to_the_same_bits() {
    let mut shop = Shop::new(31, 60.0, 1_000);
    let mut straight = Pipeline::new(Shop::layout(), Settings::new(1_000)).unwrap();
    let mut restored = straight.clone();
    for window in 0..400 {
        let fault = if (250..262).contains(&window) { Fault::Slow("bank") } else { Fault::None };
        let fingerprint = shop.next(fault);
        let expected = straight.push(&fingerprint.window()).unwrap();
        let got = restored.judge(&fingerprint.window()).unwrap();
        if window % 2 == 0 {
            restored.learn();
        }
        assert_eq!(expected, got, "window {window}");
        assert_eq!(expected.p.to_bits(), got.p.to_bits());
        if window % 7 == 0 || (248..264).contains(&window) {
            restored = postcard::from_bytes(&postcard::to_stdvec(&restored).unwrap()).unwrap();
        }
    }
    restored.learn();
    assert_eq!(postcard::to_stdvec(&straight).unwrap(), postcard::to_stdvec(&restored).unwrap());
}

#[test]
fn a_checkpoint_stays_small() {
    let mut shop = Shop::new(32, 60.0, 1_000);
    let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(1_000)).unwrap();
    (0..600).for_each(|_| drop(pipeline.push(&shop.next(Fault::None).window()).unwrap()));
    let (bytes, features) = (postcard::to_stdvec(&pipeline).unwrap().len(), Shop::layout().len());
    assert!(bytes < 700_000, "{bytes} bytes for {features} features");
}

#[test]
fn hostile_bytes_are_an_error_or_a_working_pipeline() {
    let mut rng = ChaCha8Rng::seed_from_u64(33);
    let mut pipeline = Pipeline::new(small(), Settings { min_history: 30, ..Settings::new(1_000) }).unwrap();
    (1..=120).for_each(|window| drop(push_small(&mut pipeline, &mut rng, window)));
    let bytes = postcard::to_stdvec(&pipeline).unwrap();
    for cut in (0..bytes.len()).step_by(97) {
        assert!(postcard::from_bytes::<Pipeline>(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut survived = 0;
    for _ in 0..1_500 {
        let mut broken = bytes.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..broken.len());
            broken[at] ^= 1 << rng.random_range(0..8);
        }
        if let Ok(mut pipeline) = postcard::from_bytes::<Pipeline>(&broken)
            && pipeline.layout().len() == small().len()
        {
            survived += 1;
            for window in 0..12 {
                // A flipped clock may refuse the window; nothing may panic.
                let values = vec![7.0; pipeline.layout().len()];
                let input =
                    Window { end_ms: u64::MAX / 2 + window, n: 9, values: &values, gap_ms: 0, items: &[], slots: &[] };
                let _ = pipeline.push(&input);
            }
        }
    }
    assert!(survived > 0);
}
