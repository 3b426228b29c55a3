//! What should be there and isn't: traffic, a common item, values, movement.

mod shop;

use eddyline_detect::{Block, Change, Incident, Kind, Layout, Pipeline, Resolution, Settings, Verdict, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shop::{Fault, Shop};

/// Window lengths in ms with events a second.
const SHOPS: [(u64, f64); 3] = [(1_000, 150.0), (5_000, 60.0), (60_000, 10.0)];

struct Monitor {
    shop: Shop,
    pipeline: Pipeline,
}

impl Monitor {
    fn settled(seed: u64, window_ms: u64, rate: f64) -> Self {
        let mut monitor = Self {
            shop: Shop::new(seed, rate, window_ms),
            pipeline: Pipeline::new(Shop::layout(), Settings::new(window_ms)).unwrap(),
        };
        monitor.run(1_200, Fault::None);
        monitor
    }

    fn run(&mut self, windows: u32, fault: Fault) -> Vec<Verdict> {
        (0..windows).map(|_| self.pipeline.push(&self.shop.next(fault).window()).unwrap()).collect()
    }
}

/// Window in which an incident opened first (from 1), the incident, and what else happened.
fn opened(verdicts: &[Verdict]) -> (usize, &Incident, Vec<&Change>) {
    let mut changes = verdicts.iter().enumerate().filter_map(|(at, verdict)| Some((at + 1, verdict.change.as_ref()?)));
    let Some((at, Change::Opened(incident))) = changes.next() else { panic!("no incident opened") };
    (at, incident, changes.map(|(_, change)| change).collect())
}

fn is_update(change: &Change) -> bool {
    matches!(change, Change::Updated(_))
}

#[test]
fn traffic_to_zero_is_told_as_silence_and_stays_open_until_traffic_comes_back() {
    for (window_ms, rate) in SHOPS {
        let mut monitor = Monitor::settled(1, window_ms, rate);
        for time in 0..3 {
            // Hours that are silent for two days are quiet ones: fewer windows of a minute.
            let silent = monitor.run(if window_ms < 60_000 { 900 } else { 300 }, Fault::Drop(0.0));
            let (at, incident, later) = opened(&silent);
            assert!(at <= 3, "opened after {at} windows of {window_ms} ms");
            assert_eq!(incident.causes[0].kind, Kind::Silence, "{time} {:?}", incident.causes);
            assert!(incident.summary.starts_with("silence: nothing observed in "), "{}", incident.summary);
            assert!(later.len() <= 4 && later.iter().all(|change| is_update(change)), "{later:?}");
            let back = monitor.run(200, Fault::None);
            let changes = back.iter().filter_map(|verdict| verdict.change.as_ref());
            let changes: Vec<&Change> = changes.filter(|change| !is_update(change)).collect();
            assert!(matches!(changes[..], [Change::Resolved(_, Resolution::Quiet)]), "{time} {changes:?}");
        }
    }
}

#[test]
fn silence_becomes_normal_after_a_day_and_no_sooner() {
    let mut monitor = Monitor::settled(2, 60_000, 10.0);
    let silent = monitor.run(3_000, Fault::Drop(0.0));
    let accepted = silent.iter().position(|verdict| matches!(verdict.change, Some(Change::Resolved(..))));
    assert_eq!(accepted, Some(1_439), "from the first silent window");
    assert!(silent[1_440..].iter().all(|verdict| verdict.change.is_none()));
}

#[test]
fn a_common_item_that_vanishes_is_told_and_stays_open_while_it_is_gone() {
    for (window_ms, rate) in SHOPS {
        for endpoint in ["/cart", "/help"] {
            let mut monitor = Monitor::settled(3, window_ms, rate);
            let gone = monitor.run(300, Fault::Gone(endpoint));
            let (at, incident, later) = opened(&gone);
            assert!(at <= 6, "{endpoint} after {at} windows of {window_ms} ms");
            assert_eq!(incident.causes[0].kind, Kind::Vanished, "{:?}", incident.causes);
            assert_eq!(incident.causes[0].items[0].item, endpoint);
            assert!(later.iter().all(|change| is_update(change)), "{endpoint} {window_ms} ms: {later:?}");
        }
    }
}

/// Vectors of noise and a constant.
struct Vectors {
    rng: ChaCha8Rng,
    pipeline: Pipeline,
    window: u64,
    before: Vec<f32>,
}

impl Vectors {
    fn settled(window_ms: u64) -> Self {
        let names = (0..6).map(|feature| format!("f{feature}")).collect();
        let layout = Layout { blocks: vec![Block::Numeric { names }] };
        let pipeline = Pipeline::new(layout, Settings::new(window_ms)).unwrap();
        let mut vectors = Self { rng: ChaCha8Rng::seed_from_u64(5), pipeline, window: 0, before: Vec::new() };
        let quiet = vectors.run(1_000, |_, _| ());
        let changes: Vec<&Change> = quiet.iter().filter_map(|verdict| verdict.change.as_ref()).collect();
        assert!(changes.is_empty(), "{changes:?}");
        vectors
    }

    /// Windows changed by `wrong`, which sees the window before.
    fn run(&mut self, windows: usize, wrong: impl Fn(&mut Vec<f32>, &[f32])) -> Vec<Verdict> {
        let mut push = || {
            let mut values: Vec<f32> = (0..6).map(|_| self.rng.random_range(-1.0..1.0)).collect();
            // One that never moves, and one that seldom does.
            (values[4], values[5]) = (7.0, (self.window / 10) as f32);
            wrong(&mut values, &self.before);
            self.before.clone_from(&values);
            self.window += 1;
            let end_ms = self.window * self.pipeline.settings().window_ms;
            let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
            self.pipeline.push(&window).unwrap()
        };
        (0..windows).map(|_| push()).collect()
    }
}

#[test]
fn a_number_that_stops_moving_is_a_flat_line_until_it_moves_again() {
    for window_ms in [1_000, 60_000] {
        let mut vectors = Vectors::settled(window_ms);
        let stuck = vectors.run(200, |values, before| values[2] = before[2]);
        let (at, incident, later) = opened(&stuck);
        assert!(at <= 6, "after {at} windows of {window_ms} ms");
        assert_eq!((incident.causes[0].kind, incident.causes[0].feature.as_str()), (Kind::FlatLine, "f2"));
        assert!(incident.summary.starts_with("flat line: f2 at exactly "), "{}", incident.summary);
        assert!(later.iter().all(|change| is_update(change)), "{later:?}");
        let back = vectors.run(60, |_, _| ());
        let changes: Vec<&Change> = back.iter().filter_map(|verdict| verdict.change.as_ref()).collect();
        assert!(matches!(changes[..], [Change::Resolved(_, Resolution::Quiet)]), "{changes:?}");
    }
}

#[test]
fn all_numbers_stuck_at_once_are_one_flat_line() {
    let mut vectors = Vectors::settled(60_000);
    let stuck = vectors.run(50, |values, before| values.copy_from_slice(before));
    let (at, incident, _) = opened(&stuck);
    assert!(at <= 6 && incident.causes[0].kind == Kind::FlatLine, "{at} {incident:?}");
    assert_eq!(incident.causes.len(), 4, "{:?}", incident.causes);
}

#[test]
fn numbers_that_are_missing_are_told_as_missing() {
    let mut vectors = Vectors::settled(60_000);
    let gone = vectors.run(50, |values, _| values.fill(f32::NAN));
    let (at, incident, later) = opened(&gone);
    assert!(at <= 3, "after {at}");
    assert_eq!(incident.causes[0].kind, Kind::Missing, "{:?}", incident.causes);
    assert!(incident.summary.starts_with("missing: all 6 features without a value for "), "{}", incident.summary);
    assert!(later.iter().all(|change| is_update(change)), "{later:?}");
}
