//! Traffic that follows hour and weekday: what is usual at another hour is found, and changed clocks are no incident.

mod week;

use eddyline_detect::{Block, Cause, Change, Incident, Layout, Pipeline, Settings, Verdict, Window, Zone};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use week::shop::{Fault, Shop};
use week::{DAY_MS, MONDAY_MS, Week};

const HOUR_MS: u64 = 3_600_000;
const WINDOW_MS: u64 = 300_000;

fn pipeline(time_zone: Zone) -> Pipeline {
    Pipeline::new(Shop::layout(), Settings { time_zone, ..Settings::new(WINDOW_MS) }).unwrap()
}

/// Two events a second at noon.
fn shop(seed: u64, start_ms: u64) -> Week {
    Week::new(seed, 2.0, WINDOW_MS, start_ms)
}

fn opened(verdict: Verdict) -> Option<Incident> {
    match verdict.change {
        Some(Change::Opened(incident)) => Some(incident),
        _ => None,
    }
}

#[test]
fn traffic_of_another_hour_is_found_from_the_fourth_day_on() {
    let found: usize = (1..=6).map(hours_found).sum();
    assert!(found >= 54, "{found} of 60 stretches");
}

/// At 3:00 of five days an hour of noon's traffic, and at 15:00 an hour of the night's: how many of these ten are found.
fn hours_found(seed: u64) -> usize {
    let (mut week, mut pipeline) = (shop(seed, MONDAY_MS), pipeline(Zone::default()));
    let (night, noon) = (3 * HOUR_MS, 15 * HOUR_MS);
    let mut found = BTreeSet::new();
    for window in 0..11 * DAY_MS / WINDOW_MS {
        let (day, time) = (window * WINDOW_MS / DAY_MS + 1, window * WINDOW_MS % DAY_MS);
        let during = |hour: u64| [4, 5, 8, 9, 10].contains(&day) && (hour..hour + HOUR_MS).contains(&time);
        let local_ms = match (during(night), during(noon)) {
            (true, _) => MONDAY_MS + noon,
            (_, true) => MONDAY_MS + night,
            _ => week.now_ms(),
        };
        let verdict = pipeline.push(&week.next_at(local_ms, Fault::None).window()).unwrap();
        if let Some(incident) = opened(verdict)
            && (during(night) || during(noon))
        {
            let cause = &incident.causes[0];
            assert!(cause.observed < cause.low || cause.observed > cause.high, "{cause:?}");
            found.insert((day, time / HOUR_MS));
        }
    }
    found.len()
}

/// Detectors see numbers as they would be at an average hour; people don't.
fn assert_told_as_sent(cause: &Cause, values: &[f32]) {
    let sent = |value: &f32| (f64::from(*value) - cause.observed).abs() <= 1e-6 * cause.observed.abs();
    let of_a_number = cause.feature == "count" || cause.feature.contains(':');
    assert!(!of_a_number || values.iter().any(sent), "{cause:?}");
}

#[test]
fn a_quiet_week_alerts_hardly_more_often_than_asked() {
    for seed in 1..=3 {
        let (mut week, mut pipeline) = (Week::new(seed, 20.0, WINDOW_MS, MONDAY_MS), pipeline(Zone::default()));
        let mut alert = || {
            let fingerprint = week.next(Fault::None);
            let verdict = pipeline.push(&fingerprint.window()).unwrap();
            verdict.causes.iter().for_each(|cause| assert_told_as_sent(cause, &fingerprint.values));
            opened(verdict)
        };
        let alerts: Vec<Incident> = (0..7 * DAY_MS / WINDOW_MS).filter_map(|_| alert()).collect();
        let told: Vec<&str> = alerts.iter().map(|incident| incident.summary.as_str()).collect();
        assert!(told.len() <= 10, "seed {seed}, seven asked: {told:?}");
    }
}

#[test]
fn the_night_the_clocks_change_is_a_night_like_any_other() {
    let berlin: Zone = "Europe/Berlin".parse().unwrap();
    // Monday, 16 March 2026, 0:00 in Berlin. On Sunday the 29th at 1:00 UTC an hour is left out.
    let (start_ms, change_ms) = (1_773_615_600_000, 1_774_746_000_000);
    let (mut week, mut pipeline) = (shop(4, start_ms), pipeline(berlin));
    for _ in 0..15 * DAY_MS / WINDOW_MS {
        let now_ms = week.now_ms();
        let local_ms = now_ms + HOUR_MS * if now_ms < change_ms { 1 } else { 2 };
        let verdict = pipeline.push(&week.next_at(local_ms, Fault::None).window()).unwrap();
        let near = (change_ms - HOUR_MS..change_ms + 9 * HOUR_MS).contains(&now_ms);
        if let Some(incident) = opened(verdict).filter(|_| near) {
            panic!("{} h after the change: {}", (now_ms as f64 - change_ms as f64) / HOUR_MS as f64, incident.summary);
        }
    }
}

#[test]
fn where_no_hour_is_like_its_kind_the_time_zone_changes_nothing() {
    let layout = Layout { blocks: vec![Block::Numeric { names: ["noise", "walk"].map(str::to_owned).to_vec() }] };
    let pipeline = |zone: &str| {
        let settings = Settings { time_zone: zone.parse().unwrap(), ..Settings::new(WINDOW_MS) };
        Pipeline::new(layout.clone(), settings).unwrap()
    };
    let (mut here, mut there) = (pipeline("UTC"), pipeline("Asia/Tokyo"));
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut walk = 0.0;
    for window in 1..=8 * DAY_MS / WINDOW_MS {
        walk += rng.random_range(-1.0_f32..1.0);
        let values = [rng.random_range(-1.0..1.0), walk];
        let window = Window { end_ms: window * WINDOW_MS, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
        assert_eq!(here.push(&window).unwrap(), there.push(&window).unwrap());
    }
}

#[test]
fn a_restored_pipeline_knows_the_hours() {
    let (mut week, mut straight) = (shop(5, MONDAY_MS), pipeline("Europe/Berlin".parse().unwrap()));
    let mut restored = straight.clone();
    for window in 0..4 * DAY_MS / WINDOW_MS {
        let fingerprint = week.next(Fault::None);
        let (expected, got) =
            (straight.push(&fingerprint.window()).unwrap(), restored.push(&fingerprint.window()).unwrap());
        assert_eq!(expected, got, "window {window}");
        if window % 101 == 0 {
            restored = postcard::from_bytes(&postcard::to_stdvec(&restored).unwrap()).unwrap();
        }
    }
    assert_eq!(postcard::to_stdvec(&straight).unwrap(), postcard::to_stdvec(&restored).unwrap());
}
