//! Samples of metrics: OpenTelemetry's `POST /v1/metrics` ([`otlp`]) and Prometheus' remote write ([`prometheus`]) alike become,
//! for each instance of a service, changes of features.

pub mod otlp;
pub mod prometheus;

use std::collections::BTreeMap;

/// Samples of a request. More are refused: whoever sends splits them.
pub const MOST_SAMPLES: usize = 200_000;
/// Samples may lie so far ahead of the gateway's clock.
const AHEAD_MS: u64 = 10 * 60_000;
/// Longest name of a feature, and of a part of a monitor's name, in bytes.
const MAX_NAME: usize = 200;

/// What a sample does to its feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The feature is the mean of such values.
    Gauge,
    /// The feature is how much such values grow.
    Counter,
    /// The feature is the sum of such values.
    Delta,
    /// The feature is how much such values grow, for each by which [`Counter`](Self::Count) grows.
    Sum,
    /// See [`Sum`](Self::Sum).
    Count,
    /// As [`Sum`](Self::Sum), of values that are differences already.
    DeltaSum,
    /// As [`Count`](Self::Count), of values that are differences already.
    DeltaCount,
}

impl Kind {
    /// In one letter, as the script has it.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Gauge => 'g',
            Self::Counter => 'c',
            Self::Delta => 'd',
            Self::Sum => 's',
            Self::Count => 'n',
            Self::DeltaSum => 'S',
            Self::DeltaCount => 'N',
        }
    }
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The feature's name.
    pub feature: String,
    /// By which samples of the same series are known: a hash of what tells it from others.
    pub series: u64,
    /// What it does.
    pub kind: Kind,
    /// When, in milliseconds since the epoch.
    pub time_ms: u64,
    /// A finite number.
    pub value: f64,
}

/// What stands in a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// By monitor, each monitor's by time.
    pub by_monitor: BTreeMap<String, Vec<Sample>>,
    /// Points there were.
    pub points: usize,
    /// Points without a number or a time that can be.
    pub refused: usize,
}

/// Why nothing of a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Other bytes.
    #[error(transparent)]
    Broken(#[from] crate::proto::Broken),
    /// Too many of them.
    #[error("more than {MOST_SAMPLES} samples in one request")]
    TooMany,
}

impl Samples {
    /// One more point, as one or more samples of a series that has these parts.
    fn point(
        &mut self,
        monitor: &str,
        series: u64,
        time_ms: u64,
        now_ms: u64,
        changes: &[(&str, &str, Kind, f64)],
    ) -> Result<(), Unreadable> {
        self.points += 1;
        if self.points > MOST_SAMPLES {
            return Err(Unreadable::TooMany);
        }
        let is_good = changes.iter().all(|(.., value)| value.is_finite());
        if !is_good || time_ms == 0 || time_ms > now_ms.saturating_add(AHEAD_MS) {
            self.refused += 1;
            return Ok(());
        }
        let all = match self.by_monitor.get_mut(monitor) {
            Some(all) => all,
            None => self.by_monitor.entry(monitor.to_owned()).or_default(),
        };
        for (metric, ending, kind, value) in changes {
            let feature = format!("{}{ending}", &metric[..metric.floor_char_boundary(MAX_NAME)]);
            let series = hash(series, [feature.as_bytes(), &[kind.letter() as u8]]);
            all.push(Sample { feature, series, kind: *kind, time_ms, value: *value });
        }
        Ok(())
    }

    /// In the order of time; what is equal stays as it came.
    fn sorted(mut self) -> Self {
        self.by_monitor.values_mut().for_each(|samples| samples.sort_by_key(|sample| sample.time_ms));
        self
    }
}

/// The monitor of an instance of a service: braces would be a slot's.
fn monitor(service: &str, instance: Option<&str>) -> String {
    let part = |text: &str| text[..text.floor_char_boundary(MAX_NAME)].replace(['{', '}'], "_");
    match instance.filter(|instance| !instance.is_empty()) {
        Some(instance) => format!("{}/{}", part(service), part(instance)),
        None => part(service),
    }
}

/// FNV-1a over parts that don't run into each other: of series, of which a monitor has a few thousand at most.
fn hash<'a>(seed: u64, parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for part in parts {
        part.iter().for_each(|byte| add(*byte));
        (part.len() as u32).to_le_bytes().into_iter().for_each(&mut add);
    }
    hash
}
