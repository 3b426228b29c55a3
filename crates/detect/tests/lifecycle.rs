//! Incidents over time: repeated, lasting, accepted; gaps.

mod shop;

use eddyline_detect::{Block, Change, Layout, Pipeline, Resolution, Settings, Verdict, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shop::{Fault, Shop};

fn after(windows: u32, seed: u64, settings: Settings) -> (Shop, Pipeline) {
    let mut shop = Shop::new(seed, 150.0, settings.window_ms);
    let mut pipeline = Pipeline::new(Shop::layout(), settings).unwrap();
    (0..windows).for_each(|_| drop(pipeline.push(&shop.next(Fault::None).window()).unwrap()));
    (shop, pipeline)
}

fn run(shop: &mut Shop, pipeline: &mut Pipeline, windows: u32, fault: Fault) -> Vec<Verdict> {
    (0..windows).map(|_| pipeline.push(&shop.next(fault).window()).unwrap()).collect()
}

#[test]
fn the_tenth_incident_is_found_as_fast_as_the_first() {
    for (fault, seed) in [Fault::Slow("bank"), Fault::Drop(0.3)].into_iter().flat_map(|fault| [(fault, 2), (fault, 21)])
    {
        let (mut shop, mut pipeline) = after(2_400, seed, Settings::new(1_000));
        let mut delays = Vec::new();
        for incident in 0..10 {
            run(&mut shop, &mut pipeline, 60, Fault::None);
            let verdicts = run(&mut shop, &mut pipeline, 15, fault);
            let found = verdicts.iter().position(|verdict| matches!(verdict.change, Some(Change::Opened(_))));
            delays.push(found.unwrap_or_else(|| panic!("{fault:?} {incident} was missed, after {delays:?}")));
        }
        assert!(delays.iter().all(|delay| *delay <= 2), "{fault:?}: {delays:?}");
    }
}

/// One of eight numbers that hang together is off for thirty windows, ten times.
#[test]
fn the_tenth_incident_of_vectors_is_found_as_fast_as_the_first() {
    let wrong = [("shift", 1.0, 12.0), ("wild", 10.0, 0.0)];
    for ((name, scale, shift), window_ms) in wrong.into_iter().flat_map(|kind| [(kind, 1_000), (kind, 60_000)]) {
        let names = (0..8).map(|feature| format!("f{feature}")).collect();
        let layout = Layout { blocks: vec![Block::Numeric { names }] };
        let mut pipeline = Pipeline::new(layout, Settings::new(window_ms)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut found = [None; 10];
        for window in 1..=2_400 + 10 * 230 {
            let since = (window - 1_u64).checked_sub(2_400);
            let during = since.filter(|since| since % 230 < 30);
            let common = rng.random_range(-1.0_f32..1.0);
            let mut values: [f32; 8] = std::array::from_fn(|_| common + rng.random_range(-1.0..1.0));
            if during.is_some() {
                values[3] = values[3] * scale + shift;
            }
            let end_ms = window * window_ms;
            let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
            let verdict = pipeline.push(&window).unwrap();
            if let (Some(since), Some(Change::Opened(_))) = (during, verdict.change) {
                let found = &mut found[since as usize / 230];
                *found = found.or(Some(since % 230));
            }
        }
        assert!(found.iter().all(|at| at.is_some_and(|at| at <= 4)), "{name}, {window_ms} ms: {found:?}");
    }
}

#[test]
fn a_lasting_incident_stays_visible_until_it_is_accepted() {
    let settings = Settings { accept_after: 400, ..Settings::new(1_000) };
    let (mut shop, mut pipeline) = after(2_400, 22, settings);
    let verdicts = run(&mut shop, &mut pipeline, 400, Fault::Slow("bank"));
    let visible = verdicts.iter().filter(|verdict| verdict.score >= 0.5).count();
    assert!(visible > 380, "visible in {visible} of 400 windows");
    let accepted =
        verdicts.iter().filter(|verdict| matches!(verdict.change, Some(Change::Resolved(_, Resolution::Accepted))));
    let opened = verdicts.iter().filter(|verdict| matches!(verdict.change, Some(Change::Opened(_))));
    assert_eq!((opened.count(), accepted.count()), (1, 1));

    let later = run(&mut shop, &mut pipeline, 300, Fault::Slow("bank"));
    let alarms = later.iter().filter(|verdict| matches!(verdict.change, Some(Change::Opened(_)))).count();
    assert!(alarms <= 1, "{alarms} alarms after it became the new normal");
    let back = run(&mut shop, &mut pipeline, 15, Fault::None);
    assert!(back.iter().any(|verdict| verdict.score >= 0.5), "the old normal is an event now");
}

#[test]
fn no_alert_while_warming() {
    let mut shop = Shop::new(23, 60.0, 1_000);
    let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(1_000)).unwrap();
    run(&mut shop, &mut pipeline, 40, Fault::None);
    for verdict in run(&mut shop, &mut pipeline, 20, Fault::Slow("db")) {
        assert_eq!((verdict.p, verdict.score, &verdict.change), (1.0, 0.0, &None));
    }
}

#[test]
fn nothing_is_summed_or_subtracted_across_a_gap() {
    let (mut shop, mut pipeline) = after(2_400, 24, Settings::new(1_000));
    let mut opened = 0;
    for gap in 0..60_u64 {
        for window in 0..3 {
            let fingerprint = shop.next(Fault::None);
            let gap_ms = if window == 0 { 60_000 } else { 0 };
            let end_ms = fingerprint.end_ms + (gap + 1) * 60_000;
            let verdict = pipeline.push(&Window { end_ms, gap_ms, ..fingerprint.window() }).unwrap();
            opened += u32::from(matches!(verdict.change, Some(Change::Opened(_))));
        }
    }
    assert!(opened <= 1, "{opened} alarms from gaps alone");
}

/// 200 ms of a small service that answers everything with 200: its traffic, and statuses in four buckets.
struct Service {
    rng: ChaCha8Rng,
    pipeline: Pipeline,
    end_ms: u64,
}

impl Service {
    fn new(seed: u64) -> Self {
        let layout = Layout {
            blocks: vec![
                Block::Numeric { names: vec!["count".to_owned(), "status:distinct".to_owned()] },
                Block::Counts { name: "status".to_owned(), buckets: 4 },
            ],
        };
        let pipeline = Pipeline::new(layout, Settings::new(200)).unwrap();
        Self { rng: ChaCha8Rng::seed_from_u64(seed), pipeline, end_ms: 200 }
    }

    /// Whether a window of about so many calls after a gap opens an incident.
    fn opens(&mut self, calls: f64, gap_ms: u64) -> bool {
        let n: u64 = (0..4).map(|_| (calls / 4.0 * self.rng.random_range(0.6..1.4)).round() as u64).sum();
        self.end_ms += 200 + gap_ms;
        let values = [n as f32, 1.0, 0.0, n as f32, 0.0, 0.0];
        let window = Window { end_ms: self.end_ms, n, values: &values, gap_ms, items: &[], slots: &[] };
        matches!(self.pipeline.push(&window).unwrap().change, Some(Change::Opened(_)))
    }
}

#[test]
fn one_item_alone_is_not_unusual_after_a_gap() {
    let mut service = Service::new(1);
    for window in 0..4_000 {
        let gap_ms = if window > 1_500 && window % 100 == 0 { 1_000 } else { 0 };
        assert!(!service.opens(20.0, gap_ms), "window {window}");
    }
}

#[test]
fn a_rush_is_found_at_once_however_often_traffic_falters() {
    for seed in 1..=3 {
        let mut service = Service::new(seed);
        for window in 0..6_000 {
            let falters = window > 1_500 && window % 50 < 2;
            service.opens(if falters { 4.0 } else { 20.0 }, 0);
        }
        assert!((0..2).any(|_| service.opens(60.0, 0)), "seed {seed}");
    }
}

#[test]
fn an_incident_ends_in_a_long_silence() {
    let (mut shop, mut pipeline) = after(2_400, 25, Settings::new(1_000));
    let verdicts = run(&mut shop, &mut pipeline, 5, Fault::Slow("bank"));
    assert!(verdicts.last().unwrap().incident.is_some());
    let fingerprint = shop.next(Fault::None);
    let late = Window { end_ms: fingerprint.end_ms + 3_600_000, gap_ms: 3_600_000, ..fingerprint.window() };
    assert!(pipeline.push(&late).unwrap().change.is_none());
    let fingerprint = shop.next(Fault::None);
    let next = Window { end_ms: late.end_ms + 1_000, ..fingerprint.window() };
    let verdict = pipeline.push(&next).unwrap();
    assert!(matches!(verdict.change, Some(Change::Resolved(_, Resolution::Quiet))), "{verdict:?}");
}

#[test]
fn a_window_short_of_an_alert_is_explained_until_it_is_learned() {
    let mut shop = Shop::new(4, 150.0, 1_000);
    let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(1_000)).unwrap();
    (0..200).for_each(|_| drop(pipeline.push(&shop.next(Fault::None).window()).unwrap()));
    let slow = shop.next(Fault::Slow("bank"));
    let verdict = pipeline.judge(&slow.window()).unwrap();
    let causes = pipeline.explain(&slow.window());
    assert_eq!(causes.first().and_then(|cause| cause.items.first()).map(|item| item.item.as_str()), Some("bank"));
    assert!(verdict.causes.is_empty() || verdict.causes == causes);
    pipeline.learn();
    assert!(pipeline.explain(&slow.window()).is_empty());
}

#[test]
fn a_shop_that_is_down_is_found_every_time() {
    for rate in [0.0, 3.0] {
        let mut shop = Shop::new(7, 60.0, 1_000);
        let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(1_000)).unwrap();
        let mut found = Vec::new();
        for window in 0..3_600_u64 {
            let is_down = window >= 1_200 && window % 600 < 60;
            shop.set_rate(if is_down { rate } else { 60.0 });
            let verdict = pipeline.push(&shop.next(Fault::None).window()).unwrap();
            if matches!(verdict.change, Some(Change::Opened(_))) && is_down {
                found.push(window / 600);
            }
        }
        found.dedup();
        assert_eq!(found, [2, 3, 4, 5], "{rate} events a second");
    }
}
