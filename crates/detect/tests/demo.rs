//! The kinds of fault that the demo shows, each for 13 one-second windows, after an hour of ordinary traffic.

mod shop;

use eddyline_detect::{Cause, Change, Incident, Kind, Pipeline, Settings};
use shop::{Fault, Shop};

struct Demo {
    shop: Shop,
    pipeline: Pipeline,
}

impl Demo {
    fn after_an_hour(seed: u64) -> Self {
        let settings = Settings { quiet_after: 8, ..Settings::new(1_000) };
        let mut demo =
            Self { shop: Shop::new(seed, 150.0, 1_000), pipeline: Pipeline::new(Shop::layout(), settings).unwrap() };
        demo.run(3_600, Fault::None);
        demo
    }

    /// Incidents opened, each with the window it opened in (from 1).
    fn run(&mut self, windows: u32, fault: Fault) -> Vec<(u32, Incident)> {
        let mut opened = Vec::new();
        for window in 1..=windows {
            let verdict = self.pipeline.push(&self.shop.next(fault).window()).unwrap();
            if let Some(Change::Opened(incident)) = verdict.change {
                opened.push((window, incident));
            }
        }
        opened
    }

    /// Breaks something after a quiet stretch; the first incident, and false alarms before it.
    fn breaks(&mut self, fault: Fault) -> (u32, Incident, usize) {
        let before = self.run(18, Fault::None).len();
        let mut during = self.run(13, fault);
        assert!(!during.is_empty(), "{fault:?} was missed");
        let (window, incident) = during.remove(0);
        (window, incident, before)
    }
}

fn first_item(cause: &Cause) -> &str {
    cause.items.first().map_or("", |item| item.item.as_str())
}

#[test]
fn every_kind_of_fault_is_found_within_a_few_windows_and_named() {
    let mut false_alarms = 0;
    for seed in [11, 12] {
        let mut demo = Demo::after_an_hour(seed);

        let (window, incident, before) = demo.breaks(Fault::Errors("pay"));
        assert!(window <= 4, "errors after {window}");
        assert_eq!((incident.causes[0].kind, first_item(&incident.causes[0])), (Kind::Errors, "pay*500"));
        false_alarms += before;

        let (window, incident, before) = demo.breaks(Fault::Slow("bank"));
        assert!(window <= 2, "latency after {window}");
        assert_eq!((incident.causes[0].kind, first_item(&incident.causes[0])), (Kind::Latency, "bank"));
        assert!(incident.summary.starts_with("peer bank is slow: "), "{}", incident.summary);
        false_alarms += before;

        let (window, incident, before) = demo.breaks(Fault::Gone("/cart"));
        assert!(window <= 4, "vanished after {window}");
        assert_eq!((incident.causes[0].kind, first_item(&incident.causes[0])), (Kind::Vanished, "/cart"));
        assert!(incident.summary.starts_with("endpoint /cart has vanished: 0 observed in "), "{}", incident.summary);
        false_alarms += before;

        let (window, incident, before) = demo.breaks(Fault::Scan);
        assert!(window <= 2, "scan after {window}");
        let told = |cause: &Cause| {
            first_item(cause).ends_with("404")
                || cause.feature == "endpoint:new"
                || cause.feature == "endpoint:distinct"
        };
        assert!(told(&incident.causes[0]), "{:?}", incident.causes);
        false_alarms += before;

        let (window, incident, before) = demo.breaks(Fault::Drop(0.3));
        assert!(window <= 6, "drop after {window}");
        assert_eq!(incident.causes[0].kind, Kind::TrafficDown, "{:?}", incident.causes);
        false_alarms += before;
    }
    assert!(false_alarms <= 1, "{false_alarms} false alarms");
}

#[test]
fn ordinary_traffic_raises_hardly_an_alarm() {
    let mut demo = Demo::after_an_hour(13);
    let opened = demo.run(6_000, Fault::None);
    // 0.07 are asked for; three would be forty times the budget.
    assert!(opened.len() <= 2, "{opened:?}");
}

#[test]
fn slow_drift_is_followed_without_alarm() {
    let mut demo = Demo::after_an_hour(14);
    let mut opened = 0;
    for step in 0..60 {
        demo.shop.set_rate(150.0 * (1.0 + f64::from(step) / 60.0));
        opened += demo.run(60, Fault::None).len();
    }
    assert!(opened <= 3, "{opened} alarms while traffic doubled within an hour");
}
