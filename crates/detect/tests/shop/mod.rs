//! A small shop's traffic as fingerprints: Poisson counts, a few services, endpoints, statuses, dependencies and users.
#![allow(dead_code, reason = "each test and example uses its own part")]

use eddyline_detect::{Block, Item, Layout, SlotName, Window};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const BUCKETS: usize = 32;
pub(crate) const SLOTS: usize = 32;
pub(crate) const EDGES_MS: [f64; 7] = [0.25, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0];
const COUNTS: [&str; 4] = ["service", "endpoint", "status", "service*status"];
const HISTOGRAM: &str = "peer*latency_ms";
const SERVICES: [(&str, f64); 5] = [("front", 0.4), ("cart", 0.2), ("pay", 0.12), ("search", 0.18), ("mail", 0.1)];
const ENDPOINTS: [(&str, f64); 8] = [
    ("/", 0.3),
    ("/search", 0.2),
    ("/item", 0.18),
    ("/cart", 0.08),
    ("/pay", 0.08),
    ("/login", 0.06),
    ("/help", 0.05),
    ("/about", 0.05),
];
/// Each dependency with its share of calls and its median latency in ms.
const PEERS: [(&str, f64, f64); 6] = [
    ("db", 0.35, 3.0),
    ("cache", 0.3, 0.6),
    ("bank", 0.1, 60.0),
    ("stock", 0.1, 12.0),
    ("mailer", 0.08, 30.0),
    ("rank", 0.07, 8.0),
];

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// 30 % of a service's answers are 500.
    Errors(&'static str),
    /// A dependency is 20 times slower.
    Slow(&'static str),
    /// An endpoint isn't called any more.
    Gone(&'static str),
    /// One user asks for many endpoints that don't exist.
    Scan,
    /// Traffic falls to this part.
    Drop(f64),
}

#[derive(Clone)]
pub(crate) struct Shop {
    rng: ChaCha8Rng,
    rate: f64,
    window: u64,
    window_ms: u64,
    seen: [BTreeSet<String>; 4],
    named: BTreeMap<String, usize>,
}

/// One fingerprint, owned.
pub(crate) struct Fingerprint {
    pub(crate) end_ms: u64,
    pub(crate) n: u64,
    pub(crate) values: Vec<f32>,
    pub(crate) items: Vec<Item>,
    pub(crate) slots: Vec<SlotName>,
}

impl Fingerprint {
    pub(crate) fn window(&self) -> Window<'_> {
        Window {
            end_ms: self.end_ms,
            n: self.n,
            values: &self.values,
            gap_ms: 0,
            items: &self.items,
            slots: &self.slots,
        }
    }
}

impl Shop {
    /// So many events a second on average, in windows of this length.
    pub(crate) fn new(seed: u64, rate: f64, window_ms: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            rate,
            window: 0,
            window_ms,
            seen: Default::default(),
            named: BTreeMap::new(),
        }
    }

    /// So many events a second from now on.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    pub(crate) fn layout() -> Layout {
        let mut names = vec!["count".to_owned()];
        for dimension in COUNTS {
            names.extend(["distinct", "new", "entropy", "burst"].map(|what| format!("{dimension}:{what}")));
        }
        names.extend(
            ["latency_ms:mean", "latency_ms:p50", "latency_ms:p95", "latency_ms:p99", "user:distinct"]
                .map(str::to_owned),
        );
        let mut blocks = vec![Block::Numeric { names }];
        blocks.extend(COUNTS.map(|name| Block::Counts { name: name.to_owned(), buckets: BUCKETS }));
        blocks.push(Block::Histogram {
            name: HISTOGRAM.to_owned(),
            group: "peer".to_owned(),
            measure: "latency_ms".to_owned(),
            slots: SLOTS,
            edges: EDGES_MS.to_vec(),
        });
        Layout { blocks }
    }

    /// The next window.
    pub(crate) fn next(&mut self, fault: Fault) -> Fingerprint {
        let mut counts: [BTreeMap<String, u64>; 4] = Default::default();
        let mut histogram = vec![0.0; SLOTS * (EDGES_MS.len() + 1)];
        let (mut latencies, mut users, mut slots) = (Vec::new(), BTreeSet::new(), Vec::new());
        let part = if let Fault::Drop(part) = fault { part } else { 1.0 };
        let n = self.poisson(self.rate * part * self.window_ms as f64 / 1000.0);
        let scans =
            if fault == Fault::Scan { self.poisson(self.rate * 0.2 * self.window_ms as f64 / 1000.0) } else { 0 };
        for event in 0..n + scans {
            let scan = event >= n;
            let service = if scan { "front" } else { self.pick(&SERVICES) };
            let endpoint = if scan {
                format!("/admin/{}", self.rng.random_range(0..100_000))
            } else {
                self.pick(&ENDPOINTS).to_owned()
            };
            if fault == Fault::Gone(ENDPOINTS.iter().find(|(name, _)| *name == endpoint).map_or("", |(name, _)| name)) {
                continue;
            }
            let failing = if fault == Fault::Errors(service) { 0.3 } else { 0.01 };
            let draw = self.rng.random::<f64>();
            let status = if scan {
                "404"
            } else if draw < failing {
                "500"
            } else if draw < failing + 0.02 {
                "404"
            } else {
                "200"
            };
            users.insert(if scan { 0 } else { self.rng.random_range(1..400_u32) });
            for (counts, item) in
                counts.iter_mut().zip([service.to_owned(), endpoint, status.to_owned(), format!("{service}*{status}")])
            {
                *counts.entry(item).or_default() += 1;
            }
            if scan {
                continue;
            }
            let shares: Vec<(&str, f64)> = PEERS.iter().map(|(name, share, _)| (*name, *share)).collect();
            let peer = self.pick(&shares);
            let median = PEERS.iter().find(|(name, ..)| *name == peer).expect("a known peer").2;
            let slow = if fault == Fault::Slow(peer) { 20.0 } else { 1.0 };
            let latency = median * slow * (0.6 * self.normal()).exp();
            latencies.push(latency);
            let fresh = self.named.len();
            let slot = *self.named.entry(peer.to_owned()).or_insert_with(|| {
                slots.push(SlotName { block: HISTOGRAM.to_owned(), slot: fresh, item: peer.to_owned() });
                fresh
            });
            histogram[slot * (EDGES_MS.len() + 1) + EDGES_MS.iter().take_while(|edge| latency >= **edge).count()] +=
                1.0;
        }
        self.window += 1;
        let (values, items) = self.fingerprint(&counts, &histogram, latencies, users.len());
        Fingerprint { end_ms: self.window * self.window_ms, n: counts[0].values().sum(), values, items, slots }
    }

    fn fingerprint(
        &mut self,
        counts: &[BTreeMap<String, u64>; 4],
        histogram: &[f32],
        mut latencies: Vec<f64>,
        users: usize,
    ) -> (Vec<f32>, Vec<Item>) {
        let n: u64 = counts[0].values().sum();
        let mut values = vec![n as f32];
        for (counts, seen) in counts.iter().zip(&mut self.seen) {
            let new = counts.keys().filter(|item| seen.insert((*item).clone())).count();
            let total: u64 = counts.values().sum();
            let entropy: f64 =
                counts.values().map(|count| *count as f64 / total as f64).map(|share| -share * share.log2()).sum();
            values.extend([counts.len() as f32, new as f32, entropy as f32, 0.0]);
        }
        latencies.sort_by(f64::total_cmp);
        let quantile = |q: f64| {
            latencies
                .get((q * (latencies.len() as f64 - 1.0)).max(0.0) as usize)
                .map_or(f32::NAN, |value| *value as f32)
        };
        let mean = if latencies.is_empty() {
            f32::NAN
        } else {
            (latencies.iter().sum::<f64>() / latencies.len() as f64) as f32
        };
        values.extend([mean, quantile(0.5), quantile(0.95), quantile(0.99), users as f32]);
        let mut items = Vec::new();
        for (name, counts) in COUNTS.iter().zip(counts) {
            let mut buckets = [0.0; BUCKETS];
            for (item, count) in counts {
                buckets[bucket(item)] += *count as f32;
            }
            values.extend(buckets);
            let mut heavy: Vec<(&String, &u64)> = counts.iter().collect();
            heavy.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            let item = |(item, count): &(&String, &u64)| Item {
                dimension: (*name).to_owned(),
                item: (*item).clone(),
                count: **count,
                bucket: bucket(item),
            };
            items.extend(heavy.iter().take(8).map(item));
        }
        values.extend(histogram);
        (values, items)
    }

    fn pick<'a>(&mut self, shares: &[(&'a str, f64)]) -> &'a str {
        let mut draw = self.rng.random::<f64>() * shares.iter().map(|(_, share)| share).sum::<f64>();
        for (name, share) in shares {
            if draw < *share {
                return name;
            }
            draw -= share;
        }
        shares[0].0
    }

    fn normal(&mut self) -> f64 {
        let (a, b): (f64, f64) = (self.rng.random(), self.rng.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        let mut n = 0;
        let mut left = mean;
        while left > 0.0 {
            // Sums of Poisson numbers are Poisson: small ones don't underflow.
            let part = left.min(30.0);
            let limit = (-part).exp();
            let mut product: f64 = self.rng.random();
            while product > limit {
                n += 1;
                product *= self.rng.random::<f64>();
            }
            left -= part;
        }
        n
    }
}

pub(crate) fn bucket(item: &str) -> usize {
    let hash = item
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % BUCKETS
}
