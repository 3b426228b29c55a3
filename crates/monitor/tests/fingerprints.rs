//! What a window's fingerprint says.

use eddyline_monitor::{Block, Clock, Closed, Definition, EntryId, Measure, Monitor, Phase};

fn part(field: &str) -> Measure {
    Measure { field: field.to_owned(), first_edge: None }
}

fn shop() -> Definition {
    Definition {
        window_ms: 1000,
        buckets: 8,
        clock: Clock::Stream,
        sources: vec![b"metrics".to_vec()],
        dimensions: vec!["service".to_owned()],
        crosses: vec![vec![part("service"), part("latency_ms")], vec![part("service"), part("status")]],
        measures: vec![part("latency_ms")],
        uniques: vec!["user".to_owned()],
        ..Definition::default()
    }
}

struct Feed {
    monitor: Monitor,
    seq: u64,
}

impl Feed {
    fn new(definition: Definition) -> Self {
        Self { monitor: Monitor::new(definition).unwrap(), seq: 0 }
    }

    fn entry(&mut self, ms: u64, fields: &[(&str, &str)]) {
        self.seq += 1;
        let fields = fields.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes()));
        self.monitor.read(0, EntryId { ms, seq: self.seq }, fields);
    }

    fn closed(&mut self) -> Closed {
        let closed = self.monitor.outbox().expect("a closed window").clone();
        self.monitor.sent(closed.end_ms);
        closed
    }

    fn value(&self, closed: &Closed, name: &str) -> f32 {
        let schema = self.monitor.schema().unwrap();
        let at = schema.features().position(|feature| feature == name);
        closed.values[at.unwrap_or_else(|| panic!("no feature {name}"))]
    }
}

#[test]
fn every_feature_has_its_name_and_value() {
    let mut feed = Feed::new(shop());
    for i in 0..100 {
        let (service, status) = if i % 4 == 0 { ("cart", "500") } else { ("pay", "200") };
        let (latency, user) = ((10 + i).to_string(), format!("u{}", i % 20));
        feed.entry(5000 + i, &[("service", service), ("status", status), ("latency_ms", &latency), ("user", &user)]);
    }
    feed.entry(6000, &[("service", "pay")]);
    let closed = feed.closed();
    assert_eq!((closed.end_ms, closed.n), (6000, 100));
    let schema = feed.monitor.schema().unwrap();
    assert_eq!(closed.values.len(), schema.len());
    let near = |name: &str, expected: f32| {
        let value = feed.value(&closed, name);
        assert!((value / expected - 1.0).abs() < 0.02, "{name}: {value}, expected {expected}");
    };
    near("count", 100.0);
    near("service:distinct", 2.0);
    near("service:new", 2.0);
    near("service:entropy", 0.8113);
    near("latency_ms:mean", 59.5);
    near("latency_ms:p50", 59.0);
    near("latency_ms:max", 109.0);
    near("user:distinct", 20.0);
    near("service*status:distinct", 2.0);
    near("service*latency_ms[0]<16", 2.0); // cart came first: 10, 14
    near("service*latency_ms[1]<64", 36.0); // pay from 17 to 63, without every fourth
    let row = |slot: usize| -> f32 {
        schema.features().zip(&closed.values).filter(|(n, _)| n.contains(&format!("ms[{slot}]"))).map(|(_, v)| v).sum()
    };
    assert_eq!((row(0), row(1), row(2)), (25.0, 75.0, 0.0), "a row's sum is its item's calls");
    let buckets: f32 =
        schema.features().zip(&closed.values).filter(|(n, _)| n.starts_with("service[")).map(|(_, v)| v).sum();
    assert_eq!(buckets, 100.0, "the buckets of a dimension add up to its observations");
}

#[test]
fn the_items_behind_the_buckets_are_told() {
    let mut feed = Feed::new(shop());
    for i in 0..10 {
        let service = if i < 7 { "pay" } else { "cart" };
        feed.entry(5000, &[("service", service), ("latency_ms", "3"), ("status", "200")]);
    }
    feed.entry(6000, &[("service", "pay")]);
    let closed = feed.closed();
    let blocks = &feed.monitor.schema().unwrap().blocks;
    let told: Vec<(String, String, u64)> = closed
        .top
        .iter()
        .map(|item| {
            let name = match &blocks[usize::from(item.block)] {
                Block::Counts { name, .. } | Block::Histogram { name, .. } => name.clone(),
                Block::Numeric { .. } => panic!("a number has no items"),
            };
            (name, String::from_utf8(item.item.clone()).unwrap(), item.count)
        })
        .collect();
    let has = |name: &str, item: &str, n| told.contains(&(name.to_owned(), item.to_owned(), n));
    assert!(has("service", "pay", 7) && has("service", "cart", 3), "{told:?}");
    assert!(has("service*status", "pay*200", 7) && has("service*latency_ms", "pay", 7), "{told:?}");
    for item in closed.top.iter().filter(|item| item.block == 1) {
        let behind: u64 = closed.top.iter().filter(|i| (i.block, i.bucket) == (1, item.bucket)).map(|i| i.count).sum();
        assert_eq!(feed.value(&closed, &format!("service[{}]", item.bucket)), behind as f32);
    }
}

#[test]
fn an_item_is_new_once_and_a_burst_stands_out() {
    let mut feed = Feed::new(shop());
    let mut bursts = Vec::new();
    for window in 0..20_u64 {
        for i in 0..50 {
            let service = if window == 15 && i < 30 { "scan" } else { ["pay", "cart", "ship"][i % 3] };
            feed.entry(5000 + window * 1000, &[("service", service)]);
        }
        if window > 0 {
            let closed = feed.closed();
            bursts.push((feed.value(&closed, "service:burst"), feed.value(&closed, "service:new")));
        }
    }
    assert_eq!(bursts[0].1, 3.0);
    assert!(bursts[1..15].iter().all(|(burst, new)| *burst < 1.0 && *new == 0.0), "{bursts:?}");
    assert!(bursts[15].0 > 100.0 && bursts[15].1 == 1.0, "{bursts:?}");
}

#[test]
fn the_item_behind_a_burst_is_told_first_and_its_surprise_can_be_asked_for() {
    let mut feed = Feed::new(shop());
    let window = |feed: &mut Feed, number: u64, rare: usize| {
        for i in 0..100 {
            let service = if i < rare { "rare" } else { ["pay", "cart", "ship"][i % 3] };
            feed.entry(5000 + number * 1000, &[("service", service)]);
        }
    };
    for number in 0..20 {
        window(&mut feed, number, usize::from(number == 3));
        feed.monitor.outbox().map(|closed| closed.end_ms).into_iter().for_each(|end_ms| feed.monitor.sent(end_ms));
    }
    window(&mut feed, 20, 12);
    assert_eq!(feed.closed().top[0].item, b"pay");
    let surprise = |item: &str| feed.monitor.surprise("service", item.as_bytes()).unwrap();
    let (rare, pay) = (surprise("rare"), surprise("pay"));
    assert!(rare > 50.0 && pay < 1.0, "{rare} {pay}");
    feed.monitor.close(5000 + 21 * 1000);
    let closed = feed.closed();
    assert_eq!((closed.top[0].item.as_slice(), closed.top[0].count), (&b"rare"[..], 12));
    assert_eq!(feed.value(&closed, "service:burst"), rare as f32);
}

#[test]
fn an_observation_counts_for_what_it_has_and_the_rest_is_told() {
    let mut feed = Feed::new(shop());
    let long = "x".repeat(1025);
    feed.entry(5000, &[("service", "pay"), ("latency_ms", "fast")]);
    feed.entry(5000, &[("service", &long), ("latency_ms", "NaN"), ("unknown", "field")]);
    feed.entry(5000, &[("service", ""), ("latency_ms", "12")]);
    feed.entry(5000, &[("other", "1")]);
    let left_out: Vec<(String, &str, u64)> = feed
        .monitor
        .left_out_by_field()
        .filter(|(field, _, _)| ["service", "latency_ms"].contains(field))
        .map(|(field, reason, n)| (field.to_owned(), reason.as_str(), n))
        .collect();
    assert_eq!(
        left_out,
        [
            ("service".to_owned(), "absent", 1),
            ("service".to_owned(), "too-long", 1),
            ("latency_ms".to_owned(), "unreadable", 2)
        ]
    );
    assert_eq!((feed.monitor.left_out().skipped, feed.monitor.n()), (1, 3));
    feed.monitor.close(6000);
    let closed = feed.closed();
    assert_eq!(feed.value(&closed, "latency_ms:max"), 12.0);
}

#[test]
fn a_measure_nobody_sent_is_missing_not_zero() {
    let mut feed = Feed::new(shop());
    feed.entry(5000, &[("service", "pay")]);
    feed.monitor.close(6000);
    let closed = feed.closed();
    assert!(feed.value(&closed, "latency_ms:p95").is_nan());
}

#[test]
fn the_schema_id_is_golden_and_follows_the_fields() {
    let id = |definition: Definition| Monitor::new(definition).unwrap().schema().unwrap().id;
    assert_eq!(id(shop()), 0x8c37_668a_2947_285f, "{:#x}", id(shop()));
    assert_ne!(id(shop()), id(Definition { buckets: 16, ..shop() }));
    assert_eq!(id(shop()), id(Definition { retention: 100, sources: Vec::new(), ..shop() }));
}

#[test]
fn memory_decides_the_width_and_too_little_is_refused() {
    let wide = Monitor::new(shop()).unwrap().bytes_at_most();
    let narrow = Monitor::new(Definition { memory: wide - 1, ..shop() }).unwrap().bytes_at_most();
    assert!(narrow < wide);
    let names = |prefix: &str| (0..16).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let wide = Definition { buckets: 1024, memory: 1 << 26, dimensions: names("a"), ..Definition::default() };
    let error = Monitor::new(wide).unwrap_err().to_string();
    assert_eq!(error, "more than 16384 features: fewer BUCKETS or DIMENSIONS are needed");
    let error = Monitor::new(Definition { memory: 20_000, ..shop() }).unwrap_err().to_string();
    assert!(error.starts_with("MEMORY 20000 is too small: these fields take at least "), "{error}");
}

#[test]
fn fields_are_inferred_from_the_first_observations() {
    let mut feed = Feed::new(Definition {
        window_ms: 1000,
        clock: Clock::Stream,
        sources: vec![b"metrics".to_vec()],
        ..Definition::default()
    });
    assert!(matches!(feed.monitor.phase(), Phase::Learning(_)));
    for i in 0..400_u64 {
        let (latency, user) = (format!("{}.5", i * 7 % 311), format!("user-{i}"));
        let fields = [
            ("service", ["pay", "cart"][i as usize % 2]),
            ("status", ["200", "404", "500"][i as usize % 3]),
            ("latency_ms", latency.as_str()),
            ("user", user.as_str()),
        ];
        feed.entry(5000 + i * 10, &fields);
    }
    assert_eq!(feed.monitor.phase(), Phase::Counting);
    let blocks = &feed.monitor.schema().unwrap().blocks;
    let names: Vec<&str> = blocks
        .iter()
        .map(|block| match block {
            Block::Numeric { features } => features.last().unwrap().as_str(),
            Block::Counts { name, .. } | Block::Histogram { name, .. } => name.as_str(),
        })
        .collect();
    assert_eq!(names, ["user:distinct", "service", "status", "service*latency_ms", "status*latency_ms"]);
    feed.monitor.close(9000);
    assert_eq!(feed.closed().end_ms, 9000, "the windows of learning leave no fingerprint");
}

#[test]
fn the_range_of_a_measure_without_a_unit_is_learned() {
    let definition = Definition {
        window_ms: 1000,
        clock: Clock::Stream,
        sources: vec![b"metrics".to_vec()],
        dimensions: vec!["service".to_owned()],
        crosses: vec![vec![part("service"), part("size")]],
        measures: vec![part("size")],
        ..Definition::default()
    };
    let mut feed = Feed::new(definition);
    for i in 0..300_u64 {
        feed.entry(5000 + i * 20, &[("service", "pay"), ("size", &(1000 + i * 100).to_string())]);
    }
    let schema = feed.monitor.schema().unwrap();
    let Some(Block::Histogram { edges, .. }) = schema.blocks.last() else { panic!("no histogram") };
    let top = edges.last().unwrap();
    assert!(
        (4.0 * 15_000.0..64.0 * 31_000.0).contains(top),
        "the last bucket opens well above what was seen: {edges:?}"
    );
}
