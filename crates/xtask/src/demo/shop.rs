//! A small shop: what its customers do all day, and what that looks like while something is broken.

use std::borrow::Cow;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::faults::{Break, Fault};

/// Events a second on an ordinary day.
pub(crate) const RATE: f64 = 100.0;
/// Share by which traffic rises and falls, and the time that takes.
const WAVE: f64 = 0.05;
const WAVE_MS: f64 = 20.0 * 60_000.0;

/// Customers with an account.
const USERS: u32 = 400;
/// Chances that an ordinary call fails, isn't found, is redirected.
const STATUSES: [(u16, f64); 3] = [(500, 0.01), (404, 0.01), (302, 0.03)];

/// An error burst: chance that a call of the service fails.
const BURST: f64 = 0.5;
/// A slow dependency: factor of its latency.
const SLOWER: f64 = 20.0;
/// A scan: unknown endpoints asked for a second.
const SCAN_RATE: f64 = 30.0;
/// Milliseconds in which an unknown endpoint is refused, in the middle.
const REFUSED_MS: f64 = 2.0;

/// One endpoint: its service, its share of the traffic in percent, the dependency it calls, and the median latency of
/// that call in ms with the spread of its logarithm.
pub(crate) struct Endpoint {
    pub(crate) service: &'static str,
    pub(crate) path: &'static str,
    pub(crate) percent: f64,
    pub(crate) peer: &'static str,
    median_ms: f64,
    spread: f64,
}

const fn endpoint(
    service: &'static str,
    path: &'static str,
    percent: f64,
    peer: &'static str,
    median_ms: f64,
    spread: f64,
) -> Endpoint {
    Endpoint { service, path, percent, peer, median_ms, spread }
}

/// The shop. The shares add up to 100.
pub(crate) const ENDPOINTS: [Endpoint; 12] = [
    endpoint("web", "/", 16.0, "cache", 2.0, 0.4),
    endpoint("web", "/search", 12.0, "search", 35.0, 0.5),
    endpoint("catalog", "/items", 14.0, "catalog-db", 9.0, 0.4),
    endpoint("catalog", "/item", 13.0, "catalog-db", 6.0, 0.4),
    endpoint("cart", "/cart", 9.0, "cache", 3.0, 0.4),
    endpoint("cart", "/cart/add", 8.0, "stock", 12.0, 0.5),
    endpoint("pay", "/charge", 7.0, "bank", 180.0, 0.3),
    endpoint("pay", "/refund", 1.0, "bank", 220.0, 0.3),
    endpoint("ship", "/quote", 8.0, "carrier", 90.0, 0.4),
    endpoint("account", "/login", 6.0, "users-db", 14.0, 0.4),
    endpoint("account", "/profile", 4.0, "users-db", 8.0, 0.4),
    endpoint("account", "/orders", 2.0, "orders-db", 18.0, 0.4),
];

/// One call, as the shop logs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// When, ms since the epoch.
    pub(crate) at_ms: u64,
    pub(crate) service: &'static str,
    pub(crate) endpoint: Cow<'static, str>,
    /// The dependency that was called; none where the call was refused at the door.
    pub(crate) peer: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) latency_ms: f64,
    pub(crate) user: String,
}

/// The traffic: one endless row of events, the same for the same seed and faults, however it is cut.
#[derive(Clone)]
pub(crate) struct Shop {
    chance: ChaCha8Rng,
    start_ms: u64,
    /// When the next event comes, ms since the epoch.
    next_ms: f64,
}

impl Shop {
    pub(crate) fn new(seed: u64, start_ms: u64) -> Self {
        Self { chance: ChaCha8Rng::seed_from_u64(seed), start_ms, next_ms: start_ms as f64 }
    }

    /// The next event, if it comes before `end_ms`.
    pub(crate) fn before(&mut self, end_ms: u64, fault: Option<&Fault>) -> Option<Event> {
        loop {
            if self.next_ms >= end_ms as f64 {
                return None;
            }
            let at_ms = self.next_ms as u64;
            let broken = fault.filter(|fault| fault.covers(at_ms)).map(|fault| &fault.broken);
            let scanned = if matches!(broken, Some(Break::Scan { .. })) { SCAN_RATE } else { 0.0 };
            let wave = 1.0 + WAVE * ((self.next_ms - self.start_ms as f64) / WAVE_MS * std::f64::consts::TAU).sin();
            let (ordinary, rest) = (RATE * wave, self.chance.random::<f64>());
            self.next_ms += -(1.0 - rest).ln() * 1000.0 / (ordinary + scanned);
            let event = match broken {
                Some(Break::Scan { user }) if self.chance.random_bool(scanned / (ordinary + scanned)) => {
                    self.scanned(at_ms, user)
                }
                _ => self.ordinary(at_ms, broken),
            };
            match broken {
                Some(Break::Vanished { endpoint }) if event.endpoint == *endpoint => {}
                _ => return Some(event),
            }
        }
    }

    fn ordinary(&mut self, at_ms: u64, broken: Option<&Break>) -> Event {
        let mut share = self.chance.random_range(0.0..100.0);
        let last = &ENDPOINTS[ENDPOINTS.len() - 1];
        let endpoint = ENDPOINTS
            .iter()
            .find(|endpoint| {
                share -= endpoint.percent;
                share < 0.0
            })
            .unwrap_or(last);
        let mut status = self.status();
        let mut latency_ms = self.latency(endpoint.median_ms, endpoint.spread);
        let user = format!("u{:03}", self.chance.random_range(0..USERS));
        match broken {
            Some(Break::Errors { service }) if *service == endpoint.service && self.chance.random_bool(BURST) => {
                status = 500;
            }
            Some(Break::Slow { peer }) if *peer == endpoint.peer => latency_ms *= SLOWER,
            _ => {}
        }
        Event {
            at_ms,
            service: endpoint.service,
            endpoint: Cow::Borrowed(endpoint.path),
            peer: Some(endpoint.peer),
            status,
            latency_ms,
            user,
        }
    }

    /// A call of an endpoint that doesn't exist.
    fn scanned(&mut self, at_ms: u64, user: &str) -> Event {
        const GUESSES: [&str; 6] = [".env", "admin", "backup", "phpinfo", "wp-login", "config"];
        let guess = GUESSES[self.chance.random_range(0..GUESSES.len())];
        let endpoint = format!("/{guess}/{:04x}", self.chance.random::<u16>());
        Event {
            at_ms,
            service: "web",
            endpoint: Cow::Owned(endpoint),
            peer: None,
            status: 404,
            latency_ms: self.latency(REFUSED_MS, 0.3),
            user: user.to_owned(),
        }
    }

    fn status(&mut self) -> u16 {
        let mut rest = self.chance.random::<f64>();
        for (status, share) in STATUSES {
            rest -= share;
            if rest < 0.0 {
                return status;
            }
        }
        200
    }

    /// Log-normal: most calls near the median, a few much slower (Box and Muller 1958 for the normal deviate).
    fn latency(&mut self, median_ms: f64, spread: f64) -> f64 {
        let (radius, angle) = (1.0 - self.chance.random::<f64>(), self.chance.random::<f64>());
        let deviate = (-2.0 * radius.ln()).sqrt() * (angle * std::f64::consts::TAU).cos();
        median_ms * (spread * deviate).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST, ENDPOINTS, Event, RATE, SCAN_RATE, SLOWER, Shop};
    use crate::demo::faults::{Break, Fault};

    const START_MS: u64 = 1_700_000_000_000;
    const MINUTES: u64 = 60_000;

    /// The shop's first 20 minutes, a whole wave of its traffic, with something broken from the 5th to the 15th.
    fn events(seed: u64, broken: Option<Break>) -> Vec<Event> {
        let fault =
            broken.map(|broken| Fault { broken, start_ms: START_MS + 5 * MINUTES, end_ms: START_MS + 15 * MINUTES });
        let mut shop = Shop::new(seed, START_MS);
        std::iter::from_fn(|| shop.before(START_MS + 20 * MINUTES, fault.as_ref())).collect()
    }

    /// The events of the minutes in which something may be broken, and the others.
    fn split(events: Vec<Event>) -> (Vec<Event>, Vec<Event>) {
        events.into_iter().partition(|event| (5..15).contains(&((event.at_ms - START_MS) / MINUTES)))
    }

    fn share(events: &[Event], of: impl Fn(&Event) -> bool) -> f64 {
        events.iter().filter(|event| of(event)).count() as f64 / events.len() as f64
    }

    fn median(events: &[Event], of: impl Fn(&Event) -> bool) -> f64 {
        let mut latencies: Vec<f64> = events.iter().filter(|event| of(event)).map(|event| event.latency_ms).collect();
        latencies.sort_by(f64::total_cmp);
        latencies[latencies.len() / 2]
    }

    fn assert_near(value: f64, expected: f64, within: f64) {
        assert!((value - expected).abs() <= within * expected, "{value}, not {expected}");
    }

    #[test]
    fn same_seed_is_the_same_traffic_however_it_is_cut() {
        let broken = Some(Break::Scan { user: "u017" });
        let whole = events(1, broken.clone());
        assert_eq!(whole, events(1, broken.clone()));
        assert_ne!(whole, events(2, broken.clone()));
        let fault =
            broken.map(|broken| Fault { broken, start_ms: START_MS + 5 * MINUTES, end_ms: START_MS + 15 * MINUTES });
        let mut shop = Shop::new(1, START_MS);
        let mut pieces = Vec::new();
        for end_ms in (START_MS..=START_MS + 20 * MINUTES).step_by(17) {
            // what is broken isn't known before it breaks
            let known = fault.as_ref().filter(|fault| fault.start_ms <= end_ms);
            pieces.extend(std::iter::from_fn(|| shop.before(end_ms, known)));
        }
        assert_eq!(pieces[..], whole[..pieces.len()]);
        assert!(whole.len() - pieces.len() < 20);
    }

    #[test]
    fn ordinary_traffic_is_as_described() {
        let all = events(3, None);
        assert_near(all.len() as f64, RATE * 1_200.0, 0.01);
        assert!(all.is_sorted_by_key(|event| event.at_ms));
        for endpoint in &ENDPOINTS {
            let own = |event: &Event| event.endpoint == endpoint.path;
            assert_near(share(&all, own), endpoint.percent / 100.0, 0.1);
            assert_near(median(&all, own), endpoint.median_ms, 0.1);
            let fits =
                |event: &Event| !own(event) || (event.service, event.peer) == (endpoint.service, Some(endpoint.peer));
            assert!(all.iter().all(fits));
        }
        assert_near(share(&all, |event| event.status == 500), 0.01, 0.1);
        assert_near(ENDPOINTS.iter().map(|endpoint| endpoint.percent).sum(), 100.0, 1e-9);
        assert!(share(&all, |event| event.user == "u017") < 0.005);
    }

    #[test]
    fn error_burst_is_of_one_service_while_it_lasts() {
        let (broken, rest) = split(events(4, Some(Break::Errors { service: "pay" })));
        let fails = |event: &Event| event.status == 500;
        let of = |events: &[Event], pay: bool| -> Vec<Event> {
            events.iter().filter(|event| (event.service == "pay") == pay).cloned().collect()
        };
        assert_near(share(&of(&broken, true), fails), BURST, 0.1);
        assert!(share(&of(&broken, false), fails) < 0.013);
        assert!(share(&rest, fails) < 0.013);
    }

    #[test]
    fn slow_dependency_is_slow_for_all_who_call_it() {
        let (broken, rest) = split(events(5, Some(Break::Slow { peer: "users-db" })));
        let calls = |event: &Event| event.peer == Some("users-db");
        assert_near(median(&broken, calls) / median(&rest, calls), SLOWER, 0.1);
        let others = |event: &Event| event.peer == Some("cache");
        assert_near(median(&broken, others) / median(&rest, others), 1.0, 0.1);
    }

    #[test]
    fn vanished_endpoint_takes_its_traffic_with_it() {
        let (broken, rest) = split(events(6, Some(Break::Vanished { endpoint: "/cart/add" })));
        let own = |event: &Event| event.endpoint == "/cart/add";
        assert_eq!(share(&broken, own), 0.0);
        assert_near(share(&rest, own), 0.08, 0.1);
        let (unbroken, _) = split(events(6, None));
        assert!(unbroken.iter().filter(|event| !own(event)).eq(&broken), "nothing else changes");
    }

    #[test]
    fn scan_is_one_users_calls_of_many_endpoints_that_do_not_exist() {
        let (broken, rest) = split(events(7, Some(Break::Scan { user: "u203" })));
        let unknown = |event: &Event| ENDPOINTS.iter().all(|endpoint| endpoint.path != event.endpoint);
        let scanned: Vec<&Event> = broken.iter().filter(|event| unknown(event)).collect();
        assert_near(scanned.len() as f64, SCAN_RATE * 600.0, 0.05);
        assert!(scanned.iter().all(|event| event.user == "u203" && event.status == 404 && event.peer.is_none()));
        let paths: std::collections::BTreeSet<_> = scanned.iter().map(|event| &event.endpoint).collect();
        assert!(paths.len() * 10 > scanned.len() * 9);
        assert_eq!(share(&rest, unknown), 0.0);
    }
}
