//! Everything that can break in the demo's shop, after an hour of ordinary traffic.

use anyhow::Result;
use eddyline_detect::{Cause, Settings};
use eddyline_monitor::{Clock, Definition, Measure};

use super::super::watched::{Judged, Watched};
use super::Tally;
use crate::demo::faults::{Break, Fault, Kind};
use crate::demo::shop::{ENDPOINTS, Event, Shop};

/// Seeds of the traffic.
const SEEDS: std::ops::Range<u64> = 1..9;
const START_MS: u64 = 1_700_000_000_000;
const CALM_MS: u64 = 3_600_000;
/// How long something is broken: the demo's shortest.
const FAULT_MS: u64 = 12_000;
const WINDOW_MS: u64 = 1_000;
const SCANNERS: [&str; 3] = ["u017", "u203", "u388"];

/// By kind of fault.
pub(super) fn tallies() -> Result<Vec<(String, Tally)>> {
    let mut tallies: Vec<(String, Tally)> =
        Kind::ALL.iter().map(|kind| (format!("demo: {kind}"), Tally::default())).collect();
    for seed in SEEDS {
        let (mut shop, mut watched) = (Shop::new(seed, START_MS), watched()?);
        feed(&mut shop, &mut watched, START_MS + CALM_MS, None)?;
        for broken in breaks() {
            let start_ms = START_MS + CALM_MS;
            let fault = Fault { broken, start_ms, end_ms: start_ms + FAULT_MS };
            // the window in which it ends is closed by the next event
            let end_ms = fault.end_ms + WINDOW_MS / 10;
            let judged = feed(&mut shop.clone(), &mut watched.clone(), end_ms, Some(&fault))?;
            let best = judged.iter().max_by(|a, b| a.score.total_cmp(&b.score).then(b.end_ms.cmp(&a.end_ms)));
            let place = best.and_then(|best| place(&best.causes, &fault.broken));
            let told = judged.iter().filter_map(|judged| judged.told.as_ref());
            let told = told.map(|incident| self::place(&incident.causes, &fault.broken));
            let told = told.reduce(|a, b| [a, b].into_iter().flatten().min());
            let kind = Kind::ALL.iter().position(|kind| *kind == fault.broken.kind()).unwrap_or_default();
            if place.is_none_or(|place| place >= 3) {
                println!("seed {seed}, {}: {}", fault.broken, best.map_or(String::new(), shown));
            }
            tallies[kind].1.count(place, told);
        }
    }
    Ok(tallies)
}

fn shown(judged: &Judged) -> String {
    let causes: Vec<&str> = judged.causes.iter().map(|cause| cause.what.as_str()).collect();
    format!("score {:.2}, {}", judged.score, causes.join("; "))
}

/// Everything of every kind.
fn breaks() -> Vec<Break> {
    let each = |of: fn(&'static crate::demo::shop::Endpoint) -> &'static str| {
        let mut all: Vec<&'static str> = ENDPOINTS.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let errors = each(|endpoint| endpoint.service).into_iter().map(|service| Break::Errors { service });
    let slow = each(|endpoint| endpoint.peer).into_iter().map(|peer| Break::Slow { peer });
    let vanished = each(|endpoint| endpoint.path).into_iter().map(|endpoint| Break::Vanished { endpoint });
    let scans = SCANNERS.into_iter().map(|user| Break::Scan { user });
    errors.chain(slow).chain(vanished).chain(scans).collect()
}

/// Place of the cause that names the culprit.
fn place(causes: &[Cause], broken: &Break) -> Option<usize> {
    let names = |text: &str| text.split([' ', ',', ':', '*']).any(|word| word == broken.culprit());
    causes.iter().position(|cause| names(&cause.what) || cause.items.iter().any(|item| names(&item.item)))
}

/// What the demo watches.
fn watched() -> Result<Watched> {
    let part = |field: &str| Measure { field: field.to_owned(), first_edge: None };
    let definition = Definition {
        window_ms: WINDOW_MS,
        clock: Clock::Stream,
        sources: vec![b"calls".to_vec()],
        dimensions: ["service", "endpoint", "status", "user"].map(str::to_owned).to_vec(),
        crosses: vec![vec![part("service"), part("status")], vec![part("peer"), part("latency_ms")]],
        measures: vec![part("latency_ms")],
        ..Definition::default()
    };
    Watched::new(definition, Settings::new(WINDOW_MS))
}

fn feed(shop: &mut Shop, watched: &mut Watched, end_ms: u64, fault: Option<&Fault>) -> Result<Vec<Judged>> {
    let mut judged = Vec::new();
    while let Some(Event { at_ms, service, endpoint, peer, status, latency_ms, user }) = shop.before(end_ms, fault) {
        let (status, latency) = (status.to_string(), format!("{latency_ms:.2}"));
        let mut fields = vec![
            ("service", service),
            ("endpoint", &endpoint),
            ("status", &status),
            ("latency_ms", &latency),
            ("user", &user),
        ];
        fields.extend(peer.map(|peer| ("peer", peer)));
        judged.extend(watched.event(at_ms, &fields)?);
    }
    Ok(judged)
}
