//! From what stands in streams to what detection takes, and back: plain structs on both sides, no decisions here.

use crate::judging::identity::Identity;
use eddyline_detect as detect;
use eddyline_wire::alert::{self, Alert};
use eddyline_wire::fingerprint::Fingerprint;
use eddyline_wire::schema::{Block, Schema};

/// The schema as detection sees it.
#[must_use]
pub fn layout(schema: &Schema) -> detect::Layout {
    let blocks = schema.blocks.iter().map(|block| match block.clone() {
        Block::Numeric { features } => detect::Block::Numeric { names: features },
        Block::Counts { name, buckets } => detect::Block::Counts { name, buckets: buckets as usize },
        Block::Histogram { name, group, measure, slots, edges } => {
            detect::Block::Histogram { name, group, measure, slots: slots as usize, edges }
        }
    });
    detect::Layout { blocks: blocks.collect() }
}

/// The items behind a fingerprint's buckets, and the names of its histograms' rows.
#[must_use]
pub fn items(fingerprint: &Fingerprint, schema: &Schema) -> (Vec<detect::Item>, Vec<detect::SlotName>) {
    let (mut items, mut slots) = (Vec::new(), Vec::new());
    for (name, top) in &fingerprint.top.0 {
        let is_histogram = schema
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Histogram { name: histogram, .. } if histogram == name));
        for (item, count, bucket) in top {
            let bucket = *bucket as usize;
            if is_histogram {
                slots.push(detect::SlotName { block: name.clone(), slot: bucket, item: item.clone() });
            } else {
                items.push(detect::Item { dimension: name.clone(), item: item.clone(), count: *count, bucket });
            }
        }
    }
    (items, slots)
}

/// A window's end, length and the incident's message number among those of the window.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// End of the window the message is about, ms since the epoch.
    pub end_ms: u64,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// Messages about this window before this one.
    pub nth: usize,
}

impl Moment {
    /// Id of the message's entry in `{monitor}:incidents`.
    #[must_use]
    pub fn entry(&self) -> String {
        format!("{}-{}", self.end_ms, self.nth)
    }
}

/// The message about what a window did to an incident.
#[must_use]
pub fn alert(
    event: alert::Event,
    incident: &detect::Incident,
    reason: Option<String>,
    identity: &Identity,
    moment: Moment,
) -> Alert {
    let since_ms = incident.opened_end_ms.saturating_sub(moment.window_ms);
    Alert {
        v: alert::VERSION,
        event,
        incident: identity.incident(incident.opened_end_ms),
        monitor: identity.shown(),
        deployment: identity.deployment.clone(),
        db: identity.db,
        severity: severity(incident.severity),
        score: finite(incident.score),
        p: finite(incident.p),
        rarity: incident.rarity.clone(),
        summary: incident.summary.clone(),
        since: alert::rfc3339(since_ms),
        since_ms,
        window_end_ms: moment.end_ms,
        window_ms: moment.window_ms,
        windows: incident.windows.into(),
        causes: incident.causes.iter().map(cause).collect(),
        markers: Vec::new(),
        reason,
        entry: moment.entry(),
    }
}

/// A cause as a message has it.
#[must_use]
pub fn cause(cause: &detect::Cause) -> alert::Cause {
    alert::Cause {
        kind: cause.kind.to_string(),
        feature: cause.feature.clone(),
        what: cause.what.clone(),
        direction: match cause.direction {
            detect::Direction::Up => alert::Direction::Up,
            detect::Direction::Down => alert::Direction::Down,
        },
        expected: finite(cause.expected),
        low: finite(cause.low),
        high: finite(cause.high),
        observed: finite(cause.observed),
        share: finite(cause.share),
        items: cause.items.iter().map(|item| alert::CauseItem { item: item.item.clone(), count: item.count }).collect(),
    }
}

fn severity(severity: detect::Severity) -> alert::Severity {
    match severity {
        detect::Severity::Warning => alert::Severity::Warning,
        detect::Severity::Critical => alert::Severity::Critical,
    }
}

/// JSON has no NaN and no infinity.
fn finite(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { x.clamp(f64::MIN, f64::MAX) }
}

/// The `state` of a score.
#[must_use]
pub fn state(state: detect::State) -> eddyline_wire::score::State {
    match state {
        detect::State::Warming { seen, needed } => eddyline_wire::score::State::Warming { seen, needed },
        detect::State::Ready => eddyline_wire::score::State::Ready,
        detect::State::Excluded => eddyline_wire::score::State::Excluded,
    }
}
