//! Bodies that come by HTTP: events, spans and samples of metrics, as JSON, protobuf and packed.

use crate::chance::Chance;
use crate::mutate::damage;
use crate::resp::Case;
use crate::target::{Harm, Target, Tried, each};
use anyhow::Result;
use eddyline_intake::events::{self, Events, Form};
use eddyline_intake::group::{Group, MAX_FIELDS};
use eddyline_intake::samples::{Samples, otlp, prometheus};
use eddyline_intake::{json, spans};

const EVENTS: &[u8] =
    br#"[{"endpoint":"/charge","status":500,"ms":34.5,"ok":true,"user":null},{"endpoint":"\u00e9","x":[{}]},
{"monitor":"checkout","fields":{"status":1e3}},7]"#;
const SPANS: &[u8] = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},
"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /","kind":2,
"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712660034500000","attributes":[
{"key":"http.response.status_code","value":{"intValue":"500"}}],"status":{"code":2}}]}]}]}"#;
const SAMPLES: &[u8] = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
{"name":"queue","gauge":{"dataPoints":[{"asInt":"7","timeUnixNano":"1700000000000000000"}]}},
{"name":"requests","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asDouble":10,"timeUnixNano":"1"}]}},
{"name":"latency","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"4","sum":2.5,"bucketCounts":["4"]}]}}]}]}]}"#;
/// One series `up` of job `a` at instance `b`, 1 at 1 s.
const WRITE: &[u8] =
    b"\x0a\x2e\x0a\x0e\x0a\x08__name__\x12\x02up\x0a\x08\x0a\x03job\x12\x01a\x0a\x0d\x0a\x08instance\x12\x01b\
\x12\x03\x10\xe8\x07";
const NOW_MS: u64 = 1_700_000_000_000;

pub(crate) struct Bodies {
    spans: Vec<u8>,
    samples: Vec<u8>,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        let encoded = |body: Result<Vec<u8>, json::NotJson>| body.unwrap_or_default();
        Self { spans: encoded(json::spans(SPANS)), samples: encoded(json::samples(SAMPLES)) }
    }
}

impl Target for Bodies {
    fn case(&mut self, chance: &mut Chance) -> Case {
        let (kind, body, other): (&str, &[u8], &[u8]) = match chance.below(7) {
            0 => ("events", EVENTS, SPANS),
            1 => ("lines", EVENTS, SAMPLES),
            2 => ("json-spans", SPANS, SAMPLES),
            3 => ("json-samples", SAMPLES, SPANS),
            4 => ("spans", &self.spans, &self.samples),
            5 => ("samples", &self.samples, &self.spans),
            _ => ("write", WRITE, &self.samples),
        };
        vec![kind.as_bytes().to_vec(), damage(body, other, chance)]
    }

    fn try_all(&mut self, cases: &[Case]) -> Result<Tried> {
        Ok(each(cases, try_one))
    }
}

fn try_one(case: &Case) -> Result<bool, Harm> {
    let [kind, body] = &case[..] else { return Ok(false) };
    match &kind[..] {
        b"events" | b"lines" => {
            let form = if kind == b"lines" { Form::Lines } else { Form::Json };
            for monitor in [None, Some("m")] {
                let Ok(events) = events::read(body, form, monitor) else { return Ok(false) };
                try_events(&events)?;
            }
            Ok(true)
        }
        b"json-spans" => Ok(json::spans(body).is_ok()),
        b"json-samples" => Ok(json::samples(body).is_ok()),
        b"spans" => match spans::read(body, "traces") {
            Ok(spans) => spans.groups.iter().try_for_each(try_group).map(|()| true),
            Err(_) => Ok(false),
        },
        b"samples" => otlp::read(body, NOW_MS).map_or(Ok(false), |samples| try_samples(&samples)),
        _ => {
            let unpacked = prometheus::unsnapped(body, 1 << 20).and_then(Result::ok);
            let read = prometheus::read(unpacked.as_deref().unwrap_or(body), NOW_MS);
            read.map_or(Ok(false), |samples| try_samples(&samples))
        }
    }
}

/// Every item is an observation or was refused, and no place is beyond them.
fn try_events(events: &Events) -> Result<(), Harm> {
    events.groups.iter().try_for_each(try_group)?;
    let rows: usize = events.groups.iter().map(|group| group.items.len()).sum();
    let places = events.groups.iter().flat_map(|group| &group.items).chain(events.told.iter().map(|(at, _)| at));
    let is_whole = rows + events.refused == events.items && places.into_iter().all(|at| (*at as usize) < events.items);
    if is_whole { Ok(()) } else { Err(format!("{events:?}")) }
}

fn try_group(group: &Group) -> Result<(), Harm> {
    let (n, rows) = (group.fields.len(), group.items.len());
    let is_whole = (1..=MAX_FIELDS).contains(&n)
        && group.values.len() == n * rows
        && group.values.iter().map(<[u8]>::len).sum::<usize>() == group.values.bytes();
    if is_whole { Ok(()) } else { Err(format!("{group:?}")) }
}

fn try_samples(samples: &Samples) -> Result<bool, Harm> {
    for (monitor, all) in &samples.by_monitor {
        let is_good = !monitor.contains(['{', '}'])
            && monitor.len() <= 1024
            && all.iter().all(|sample| sample.value.is_finite() && sample.time_ms > 0)
            && all.is_sorted_by_key(|sample| sample.time_ms);
        if !is_good {
            return Err(format!("{monitor}: {all:?}"));
        }
    }
    Ok(samples.points > 0)
}
