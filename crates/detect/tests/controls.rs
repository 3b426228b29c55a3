//! What controls hold back and let through, over the faults of the demo's shop.

mod shop;

use eddyline_detect::controls::feedback::{Answer, Feedback, Likeness, Numbers};
use eddyline_detect::controls::limits::{Limits, Range, Sides};
use eddyline_detect::{
    Block, Cause, Change, Controls, Held, Incident, Kind, Layout, Pipeline, Resolution, Settings, State, Verdict,
    Window,
};
use proptest::prelude::*;
use shop::{Fault, Fingerprint, Shop};
use std::sync::LazyLock;

const FAULTS: [Fault; 5] =
    [Fault::Errors("pay"), Fault::Slow("bank"), Fault::Gone("/cart"), Fault::Scan, Fault::Drop(0.3)];
const LENGTH: usize = 15;

/// An hour of ordinary traffic: what was learned of them, and the shop.
static SCENE: LazyLock<(Pipeline, Shop)> = LazyLock::new(|| {
    let settings = Settings { quiet_after: 5, ..Settings::new(1_000) };
    let mut pipeline = Pipeline::new(Shop::layout(), settings).unwrap();
    let mut shop = Shop::new(31, 150.0, 1_000);
    (0..3_600).for_each(|_| drop(pipeline.push(&shop.next(Fault::None).window()).unwrap()));
    (pipeline, shop)
});

fn base() -> Pipeline {
    SCENE.0.clone()
}

/// What comes after it: so many windows of each.
fn windows(faults: &[(Fault, usize)]) -> Vec<Fingerprint> {
    let mut shop = SCENE.1.clone();
    faults.iter().flat_map(|(fault, count)| vec![*fault; *count]).map(|fault| shop.next(fault)).collect()
}

fn controlled(change: impl FnOnce(&mut Controls)) -> Pipeline {
    let mut pipeline = base();
    control(&mut pipeline, change);
    pipeline
}

fn control(pipeline: &mut Pipeline, change: impl FnOnce(&mut Controls)) {
    let mut settings = pipeline.settings().clone();
    change(&mut settings.controls);
    pipeline.reconfigure(settings).unwrap();
}

fn limited(feature: &str, change: impl FnOnce(&mut Limits)) -> Pipeline {
    controlled(|controls| controls.limit(feature, change).unwrap())
}

fn run(pipeline: &mut Pipeline, windows: &[Fingerprint]) -> Vec<Verdict> {
    windows.iter().map(|window| pipeline.push(&window.window()).unwrap()).collect()
}

fn opened(verdicts: &[Verdict]) -> Vec<(usize, Incident)> {
    let opened = |(window, verdict): (usize, &Verdict)| match &verdict.change {
        Some(Change::Opened(incident)) => Some((window, incident.clone())),
        _ => None,
    };
    verdicts.iter().enumerate().filter_map(opened).collect()
}

fn held(verdicts: &[Verdict]) -> Vec<Held> {
    let mut held: Vec<Held> = verdicts.iter().filter_map(|verdict| verdict.held).collect();
    held.dedup();
    held
}

fn said(answer: Answer, incident: &Incident) -> Feedback {
    let like = |cause: &Cause| {
        let Cause { observed, expected, low, high, .. } = *cause;
        let (deviation, relative) = Numbers { observed, expected, low, high }.size();
        Likeness {
            kind: cause.kind.to_string(),
            feature: cause.feature.clone(),
            item: cause.items.first().map(|item| item.item.clone()),
            direction: cause.direction,
            deviation,
            relative,
        }
    };
    let likes = incident.causes.iter().map(like).collect();
    Feedback { answer, by: "ann".to_owned(), opened_end_ms: incident.opened_end_ms, likes }
}

#[test]
fn an_alert_led_by_an_allowed_cause_survives() {
    for fault in FAULTS {
        let windows = windows(&[(fault, LENGTH)]);
        let without = run(&mut base(), &windows);
        let (window, incident) = opened(&without).into_iter().next().unwrap_or_else(|| panic!("{fault:?}"));
        let leader = &incident.causes[0];
        // Everything else is forbidden.
        let mut pipeline = limited("*", |limits| limits.min_absolute = Some(1e9));
        control(&mut pipeline, |controls| {
            controls.limit(&leader.feature, |limits| limits.min_absolute = Some(0.0)).unwrap();
        });
        let verdicts = run(&mut pipeline, &windows);
        assert_eq!(opened(&verdicts)[0].0, window, "{fault:?}: {leader:?}");
        let scores = |verdicts: &[Verdict]| verdicts.iter().map(|verdict| verdict.score).collect::<Vec<_>>();
        assert_eq!(scores(&verdicts), scores(&without), "controls change no score");
    }
}

#[test]
fn what_deviates_too_little_opens_nothing_and_keeps_its_score() {
    let windows = windows(&[(Fault::Slow("bank"), LENGTH)]);
    for change in
        [|limits: &mut Limits| limits.min_absolute = Some(1e9), |limits: &mut Limits| limits.min_relative = Some(1e9)]
    {
        let verdicts = run(&mut limited("*", change), &windows);
        assert!(opened(&verdicts).is_empty());
        assert_eq!(held(&verdicts), [Held::Deviation]);
        assert!(verdicts.iter().any(|verdict| verdict.score >= 0.5 && verdict.p < 1e-5 && verdict.incident.is_none()));
    }
}

#[test]
fn only_the_direction_that_is_asked_about_opens() {
    let (drop, slow) = (windows(&[(Fault::Drop(0.3), LENGTH)]), windows(&[(Fault::Slow("bank"), LENGTH)]));
    let only = |feature, sides| limited(feature, |limits| limits.direction = Some(sides));
    let verdicts = run(&mut only("*", Sides::Up), &drop);
    assert!(opened(&verdicts).is_empty(), "{:?}", opened(&verdicts));
    assert_eq!(held(&verdicts), [Held::Direction]);
    assert_eq!(opened(&run(&mut only("*", Sides::Up), &slow)).len(), 1, "slower is up, though fast calls get fewer");
    assert!(opened(&run(&mut only("*", Sides::Down), &slow)).is_empty());
    assert_eq!(opened(&run(&mut only("*", Sides::Down), &drop)).len(), 1);
    let mut pipeline = only("*", Sides::Up);
    control(&mut pipeline, |controls| {
        controls.limit("count", |limits| limits.direction = Some(Sides::Both)).unwrap();
    });
    assert_eq!(opened(&run(&mut pipeline, &drop)).len(), 1, "a feature's own choice counts more than that of all");
}

#[test]
fn nothing_opens_outside_the_schedule_and_what_is_still_wrong_opens_when_it_begins() {
    let windows = windows(&[(Fault::None, 20), (Fault::Slow("bank"), 25), (Fault::None, 35)]);
    // The shop's clock begins in 1970, on a Thursday.
    assert_eq!(windows[59].end_ms, 61 * 60_000);
    let mut pipeline = controlled(|controls| controls.schedule = "thu 01:01-24:00".parse().unwrap());
    let verdicts = run(&mut pipeline, &windows);
    assert!(opened(&verdicts).is_empty());
    assert_eq!(held(&verdicts), [Held::Schedule]);
    let mut pipeline = controlled(|controls| controls.schedule = "wed 00:00-24:00, thu 01:00-24:00".parse().unwrap());
    let mut without = base();
    assert_eq!(opened(&run(&mut pipeline, &windows)), opened(&run(&mut without, &windows)));
    let longer = self::windows(&[(Fault::None, 20), (Fault::Slow("bank"), 60), (Fault::None, 20)]);
    let mut pipeline = controlled(|controls| controls.schedule = "thu 01:01-24:00".parse().unwrap());
    let verdicts = run(&mut pipeline, &longer);
    let opened = opened(&verdicts);
    assert_eq!((opened.len(), opened[0].0), (1, 60), "the first window that begins at 01:01");
    assert!(verdicts.iter().any(|verdict| matches!(verdict.change, Some(Change::Resolved(_, Resolution::Quiet)))));
}

#[test]
fn an_excluded_period_is_neither_judged_nor_learnt_and_ends_what_is_open() {
    let windows = windows(&[(Fault::Slow("bank"), 30), (Fault::Errors("pay"), 30), (Fault::None, 60)]);
    let calendar = "1970-01-01T01:00/1970-01-01T01:01".parse().unwrap();
    let mut pipeline = controlled(|controls| controls.excluded = calendar);
    let verdicts = run(&mut pipeline, &windows[..60]);
    assert!(verdicts.iter().all(|verdict| verdict.state == State::Excluded && verdict.score == 0.0));
    let after = run(&mut pipeline, &windows[60..]);
    assert!(opened(&after).is_empty() && after.iter().all(|verdict| verdict.state == State::Ready));
    let calm = run(&mut base(), &windows[60..]);
    let most = |verdicts: &[Verdict]| verdicts[15..].iter().map(|verdict| verdict.score).fold(0.0, f64::max);
    assert!((most(&after) - most(&calm)).abs() < 0.2, "{} {}", most(&after), most(&calm));

    let mut pipeline = base();
    let before = run(&mut pipeline, &windows[..20]);
    assert_eq!(opened(&before).len(), 1);
    let calendar = "1970-01-01T01:00/1970-01-01T01:01".parse().unwrap();
    control(&mut pipeline, |controls| controls.excluded = calendar);
    let during = run(&mut pipeline, &windows[20..60]);
    let [Some(Change::Resolved(incident, Resolution::Excluded)), None, ..] =
        &during.iter().map(|verdict| verdict.change.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("it isn't ended: {:?}", during[0])
    };
    assert_eq!(Some(incident.opened_end_ms), during[0].incident);
    assert!(during[1..].iter().all(|verdict| verdict.change.is_none() && verdict.incident.is_none()));
}

#[test]
fn what_was_called_normal_opens_nothing_more_and_what_differs_does() {
    let faults = windows(&[(Fault::Errors("pay"), LENGTH), (Fault::None, 30), (Fault::Errors("pay"), LENGTH)]);
    let mut pipeline = base();
    let first = run(&mut pipeline, &faults[..LENGTH]);
    let incident = first.iter().rev().find_map(|verdict| match &verdict.change {
        Some(Change::Opened(incident) | Change::Updated(incident)) => Some(incident.clone()),
        _ => None,
    });
    let incident = incident.unwrap();
    control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Normal, &incident)));
    let second = run(&mut pipeline, &faults[LENGTH..]);
    let Some(Change::Resolved(_, Resolution::Normal { by })) = &second[0].change else { panic!("{:?}", second[0]) };
    assert_eq!(by, "ann");
    assert!(opened(&second).is_empty(), "{:?}", opened(&second));
    assert_eq!(held(&second), [Held::Feedback]);
    for fault in [Fault::Errors("cart"), Fault::Slow("bank"), Fault::Gone("/cart"), Fault::Drop(0.2)] {
        let other = &windows(&[(Fault::None, 90), (fault, LENGTH)])[60..];
        let found = opened(&run(&mut pipeline.clone(), other));
        assert_eq!(found.len(), 1, "{fault:?}");
        let without = opened(&run(&mut base(), other));
        assert!(found[0].0 <= without[0].0 + 2, "{fault:?} opens as soon: {} {}", found[0].0, without[0].0);
    }
    control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Anomaly, &incident)));
    let again = &windows(&[(Fault::None, 90), (Fault::Errors("pay"), LENGTH)])[60..];
    assert!(!opened(&run(&mut pipeline.clone(), again)).is_empty(), "confirmed, it opens again");
    control(&mut pipeline, |controls| drop(controls.feedback.pop()));
    assert!(opened(&run(&mut pipeline, again)).is_empty(), "taken back");
}

/// A pipeline to which a surge of so many times the traffic is normal, after so many windows of it, and the shop in it.
fn surged(times: f64, length: usize) -> (Pipeline, Shop) {
    let (mut pipeline, mut shop) = (base(), SCENE.1.clone());
    shop.set_rate(150.0 * times);
    let first: Vec<Fingerprint> = (0..length).map(|_| shop.next(Fault::None)).collect();
    let incident = opened(&run(&mut pipeline, &first[..5])).remove(0).1;
    control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Normal, &incident)));
    let rest = run(&mut pipeline, &first[5..]);
    assert!(opened(&rest).is_empty(), "{:?}", opened(&rest));
    (pipeline, shop)
}

#[test]
fn the_end_of_what_was_called_normal_opens_nothing_and_a_real_drop_does() {
    let after = |mut shop: Shop, part: f64| -> Vec<Fingerprint> {
        shop.set_rate(150.0 * part);
        (0..30).map(|_| shop.next(Fault::None)).collect()
    };
    for length in [15, 60] {
        let (mut pipeline, shop) = surged(6.0, length);
        let rebound = opened(&run(&mut pipeline, &after(shop, 1.0)));
        assert!(rebound.is_empty(), "after {length} windows: {rebound:?}");
    }
    let (mut pipeline, shop) = surged(3.0, 15);
    assert!(!opened(&run(&mut pipeline, &after(shop, 0.3))).is_empty());
}

#[test]
fn what_else_breaks_while_something_normal_goes_on_opens() {
    for fault in [Fault::Errors("pay"), Fault::Slow("bank")] {
        let (mut pipeline, mut shop) = surged(3.0, 15);
        let both: Vec<Fingerprint> = (0..LENGTH).map(|_| shop.next(fault)).collect();
        let found = opened(&run(&mut pipeline, &both));
        assert!(!found.is_empty() && found[0].0 <= 3, "{fault:?} opens: {found:?}");
    }
}

#[test]
fn a_snoozed_incident_opens_again_when_the_time_is_over() {
    let faults = windows(&[(Fault::Slow("bank"), 80)]);
    let mut pipeline = base();
    let incident = opened(&run(&mut pipeline, &faults[..10])).remove(0).1;
    let until_ms = faults[40].end_ms;
    control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Snoozed { until_ms }, &incident)));
    let verdicts = run(&mut pipeline, &faults[10..]);
    assert!(matches!(verdicts[0].change, Some(Change::Resolved(_, Resolution::Snoozed { .. }))), "{:?}", verdicts[0]);
    let opened = opened(&verdicts);
    assert_eq!((opened.len(), opened[0].0), (1, 30), "the first window that ends then");
}

#[test]
fn what_was_confirmed_is_not_accepted_as_the_new_normal_while_it_lasts() {
    let faults = windows(&[(Fault::Slow("bank"), 120)]);
    let settings = Settings { accept_after: 60, ..base().settings().clone() };
    let run = |confirm| {
        let mut pipeline = base();
        pipeline.reconfigure(settings.clone()).unwrap();
        let incident = opened(&run(&mut pipeline, &faults[..10])).remove(0).1;
        if confirm {
            control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Anomaly, &incident)));
        }
        let verdicts = run(&mut pipeline, &faults[10..]);
        verdicts.iter().any(|verdict| matches!(verdict.change, Some(Change::Resolved(_, Resolution::Accepted))))
    };
    assert_eq!([run(false), run(true)], [true, false]);
}

fn number(pipeline: &mut Pipeline, window: u64, value: f32) -> Verdict {
    let window = Window { end_ms: window * 60_000, n: 1, values: &[value], gap_ms: 0, items: &[], slots: &[] };
    pipeline.push(&window).unwrap()
}

fn conversion(range: &str) -> Pipeline {
    let layout = Layout { blocks: vec![Block::Numeric { names: vec!["conversion".to_owned()] }] };
    let mut settings = Settings { accept_after: 60, ..Settings::new(60_000) };
    let range: Range = range.parse().unwrap();
    settings.controls.limit("*", |limits| limits.expect = Some(range)).unwrap();
    Pipeline::new(layout, settings).unwrap()
}

#[test]
fn a_number_out_of_its_range_opens_from_the_first_window_and_for_as_long_as_it_is() {
    let mut pipeline = conversion("0.7..0.95");
    let verdict = number(&mut pipeline, 1, 0.6);
    let Some(Change::Opened(incident)) = &verdict.change else { panic!("{verdict:?}") };
    assert!(matches!(verdict.state, State::Warming { .. }));
    assert_eq!((verdict.score, incident.causes[0].kind), (1.0, Kind::OutOfRange));
    assert_eq!(incident.summary, "conversion (allowed 0.7..0.95) is out of range: 0.6");
    assert_eq!(incident.rarity, "outside what is allowed");
    let lasting: Vec<_> = (2..300).filter_map(|window| number(&mut pipeline, window, 0.6).change).collect();
    assert!(lasting.iter().all(|change| matches!(change, Change::Updated(_))), "{lasting:?}");
    let back: Vec<_> = (300..330).filter_map(|window| number(&mut pipeline, window, 0.8).change).collect();
    assert!(back.iter().any(|change| matches!(change, Change::Resolved(..))), "{back:?}");
    let missing = number(&mut conversion("0.7..0.95"), 1, f32::NAN);
    assert!(missing.change.is_none(), "missing is not out of range");
    assert!(number(&mut conversion("..0.95"), 1, f32::INFINITY).change.is_some());
}

#[test]
fn a_broken_range_that_was_called_normal_opens_nothing_until_it_is_broken_further() {
    let mut pipeline = conversion("0.7..");
    let verdict = number(&mut pipeline, 1, 0.65);
    let Some(Change::Opened(incident)) = verdict.change else { panic!("{verdict:?}") };
    control(&mut pipeline, |controls| controls.feedback.push(said(Answer::Normal, &incident)));
    assert!(matches!(number(&mut pipeline, 2, 0.65).change, Some(Change::Resolved(..))));
    let alike = number(&mut pipeline, 3, 0.64);
    assert_eq!((alike.change, alike.held), (None, Some(Held::Feedback)));
    assert!(matches!(number(&mut pipeline, 4, 0.1).change, Some(Change::Opened(_))));
}

#[test]
fn limits_that_the_monitor_has_no_place_for_are_named() {
    let mut controls = Controls::default();
    let range = Some("..5".parse().unwrap());
    controls.limit("*", |limits| limits.expect = range).unwrap();
    controls.limit("count", |limits| limits.expect = range).unwrap();
    controls.limit("service", |limits| limits.direction = Some(Sides::Up)).unwrap();
    assert!(controls.misplaced(&Shop::layout()).is_empty());
    controls.limit("service", |limits| limits.expect = range).unwrap();
    controls.limit("servce", |limits| limits.direction = Some(Sides::Up)).unwrap();
    let wrong = controls.misplaced(&Shop::layout());
    assert_eq!(wrong[0], "the monitor has no feature 'servce'");
    assert_eq!(wrong[1], "expect:service: 'service' counts many items; a range needs one number, such as count");
    assert_eq!(wrong.len(), 2);
}

#[test]
fn a_monitor_has_at_most_256_limits() {
    let mut controls = Controls::default();
    let limit = |controls: &mut Controls, feature: usize| {
        controls.limit(&format!("f{feature}"), |limits| limits.min_absolute = Some(1.0))
    };
    assert!((0..256).all(|feature| limit(&mut controls, feature).is_ok()));
    let before = controls.clone();
    assert!(limit(&mut controls, 256).unwrap_err().to_string().contains("at most 256"));
    assert_eq!(controls, before);
    assert!(limit(&mut controls, 3).is_ok(), "one that is there may change");
    assert!(controls.limit("", |_| ()).is_err() && controls.limit(&"x".repeat(1025), |_| ()).is_err());
}

#[test]
fn a_pipeline_with_controls_is_its_own_checkpoint() {
    let incident = opened(&run(&mut base(), &windows(&[(Fault::Slow("bank"), LENGTH)]))).remove(0).1;
    let pipeline = controlled(|controls| {
        controls.schedule = "mon-fri 08:00-18:00".parse().unwrap();
        controls.excluded = "sun 02:00-04:00".parse().unwrap();
        controls.limit("count", |limits| limits.expect = Some("..800".parse().unwrap())).unwrap();
        controls.feedback.push(said(Answer::Snoozed { until_ms: 5 }, &incident));
    });
    let bytes = postcard::to_stdvec(&pipeline).unwrap();
    let read: Pipeline = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(read.settings(), pipeline.settings());
    assert_eq!(postcard::to_stdvec(&read).unwrap(), bytes);
    let mut settings = base().settings().clone();
    settings.controls.feedback = vec![said(Answer::Normal, &incident); 65];
    assert!(base().reconfigure(settings).is_err());
}

fn text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "mon",
        "fri",
        "-",
        " ",
        ",",
        "08:00",
        "24:00",
        "2026-12-24T00:00",
        "/",
        "..",
        "0.7",
        "-1",
        "1e308",
        "nan",
        "up",
        "é",
    ]);
    prop_oneof![".{0,40}", prop::collection::vec(words, 0..8).prop_map(|words| words.concat())]
}

proptest! {
    #[test]
    fn hostile_texts_and_values_do_no_harm(
        texts in prop::collection::vec(text(), 5),
        values in prop::collection::vec(any::<u32>(), 80),
        limit in any::<f64>(),
    ) {
        let mut settings = Settings { min_history: 20, ..Settings::new(60_000) };
        let controls = &mut settings.controls;
        controls.schedule = texts[0].parse().unwrap_or_default();
        controls.excluded = texts[1].parse().unwrap_or_default();
        let (expect, direction) = (texts[2].parse().ok(), texts[3].parse().ok());
        controls.limit("*", |limits| *limits = Limits { expect, direction, ..Limits::default() }).unwrap();
        controls.limit("b", |limits| limits.min_relative = Some(limit)).unwrap();
        if let Some(expect) = expect {
            prop_assert_eq!(expect.to_string().parse::<Range>().unwrap(), expect);
        }
        prop_assert_eq!(controls.excluded.to_string().parse(), Ok(controls.excluded.clone()));
        prop_assert_eq!(controls.schedule.to_string().parse(), Ok(controls.schedule.clone()));
        let layout = Layout { blocks: vec![Block::Numeric { names: vec!["a".into(), "b".into()] }] };
        let Ok(mut pipeline) = Pipeline::new(layout, settings) else {
            prop_assert!(!(limit.is_finite() && limit >= 0.0));
            return Ok(());
        };
        for (window, pair) in values.chunks(2).enumerate() {
            let values = [f32::from_bits(pair[0]), f32::from_bits(pair[1])];
            let end_ms = (window as u64 + 1) * 60_000;
            let window = Window { end_ms, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
            let verdict = pipeline.push(&window).unwrap();
            prop_assert!((0.0..=1.0).contains(&verdict.score) && verdict.p > 0.0 && verdict.p <= 1.0);
        }
        let bytes = postcard::to_stdvec(&pipeline).unwrap();
        prop_assert!(postcard::from_bytes::<Pipeline>(&bytes).is_ok());
    }
}
