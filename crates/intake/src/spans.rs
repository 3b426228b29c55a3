//! `POST /v1/traces`: each span that is about something outside of its process is an observation.

use crate::attributes::{Resource, cut, pair};
use crate::group::{Group, Groups, Texts};
use crate::proto::{Broken, Fields, messages};
use std::borrow::Cow;

/// Dimensions of the monitor of spans.
pub const DIMENSIONS: [&str; 4] = ["service", "operation", "peer", "status"];
/// Its measure.
pub const MEASURE: &str = "duration_ms";
/// What is counted together, best first.
pub const CROSSES: [&str; 3] = ["service*duration_ms", "operation*duration_ms", "peer*duration_ms"];

/// What stands in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans {
    /// The observations.
    pub groups: Vec<Group>,
    /// Spans there were.
    pub spans: usize,
    /// Spans that are of use to nobody: they end before they begin.
    pub refused: usize,
}

/// Whom a span is about, by the first of these attributes that it has.
const PEERS: [&str; 7] = [
    "peer.service",
    "server.address",
    "net.peer.name",
    "db.system.name",
    "db.system",
    "messaging.system",
    "rpc.service",
];
/// What came of it.
const STATUSES: [&str; 3] = ["http.response.status_code", "http.status_code", "rpc.grpc.status_code"];

/// Reads `ExportTraceServiceRequest`; the observations are of this monitor.
///
/// # Errors
/// Bytes that aren't that message: nothing of it counts.
pub fn read(body: &[u8], monitor: &str) -> Result<Spans, Broken> {
    let (mut spans, mut groups) = (Spans::default(), Groups::default());
    let (mut fields, mut values) = (Texts::default(), Texts::default());
    for resource_spans in messages(body, 1) {
        let resource_spans = resource_spans?;
        let resource = Resource::of(resource_spans)?;
        for scope_spans in messages(resource_spans, 2) {
            for span in messages(scope_spans?, 2) {
                let span = Span::of(span?)?;
                let place = u32::try_from(spans.spans).unwrap_or(u32::MAX);
                spans.spans += 1;
                if span.is_internal() {
                    continue;
                }
                let Some(duration) = span.duration_ms() else {
                    spans.refused += 1;
                    continue;
                };
                fields.clear();
                values.clear();
                let mut say = |field: &str, value: &str| {
                    fields.push(field.as_bytes());
                    values.push(value.as_bytes());
                };
                say("service", &resource.service);
                say("operation", if span.name.is_empty() { "unknown" } else { span.name });
                if let Some(peer) = span.peer() {
                    say("peer", peer);
                }
                say("status", span.status());
                say(MEASURE, &duration);
                groups.push(monitor, &fields, &values, place);
            }
        }
    }
    spans.groups = groups.finish();
    Ok(spans)
}

#[derive(Debug, Default)]
struct Span<'a> {
    name: &'a str,
    kind: u64,
    from: u64,
    to: u64,
    failed: bool,
    peers: [Option<Cow<'a, str>>; PEERS.len()],
    statuses: [Option<Cow<'a, str>>; STATUSES.len()],
}

impl<'a> Span<'a> {
    fn of(message: &'a [u8]) -> Result<Self, Broken> {
        let mut span = Self::default();
        for field in Fields(message) {
            match field? {
                (5, name) => span.name = cut(name.text()?),
                (6, kind) => span.kind = kind.varint()?,
                (7, ns) => span.from = ns.fixed64()?,
                (8, ns) => span.to = ns.fixed64()?,
                (9, attribute) => {
                    let (name, value) = pair(attribute.bytes()?)?;
                    let place = |names: &[&str]| names.iter().position(|known| *known == name);
                    if let Some(at) = place(&PEERS) {
                        span.peers[at] = value;
                    } else if let Some(at) = place(&STATUSES) {
                        span.statuses[at] = value;
                    }
                }
                (15, status) => {
                    for field in Fields(status.bytes()?) {
                        if let (3, code) = field? {
                            span.failed = code.varint()? == 2;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(span)
    }

    /// Within its process: the span around it counts. Neither does one of no kind.
    fn is_internal(&self) -> bool {
        !(2..=5).contains(&self.kind)
    }

    /// Who asks is known by its own span; whom a client or producer asked is told here.
    fn peer(&self) -> Option<&str> {
        let asks = self.kind == 3 || self.kind == 4;
        self.peers.iter().flatten().next().map(AsRef::as_ref).filter(|_| asks)
    }

    fn status(&self) -> &str {
        let ordinary = if self.failed { "error" } else { "ok" };
        self.statuses.iter().flatten().next().map_or(ordinary, AsRef::as_ref)
    }

    /// To the microsecond.
    fn duration_ms(&self) -> Option<String> {
        let ns = self.to.checked_sub(self.from).filter(|_| self.from > 0)?;
        Some(format!("{}.{:03}", ns / 1_000_000, ns / 1000 % 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    /// As exporters send it.
    const REQUEST: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay"}}]},
        "scopeSpans":[{"scope":{"name":"x"},"spans":[
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /charge","kind":2,
         "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712660034500000",
         "attributes":[{"key":"http.response.status_code","value":{"intValue":"500"}},
                       {"key":"server.address","value":{"stringValue":"me"}}],"status":{"code":2}},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","name":"SELECT","kind":3,
         "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712660000000001",
         "attributes":[{"key":"db.system","value":{"stringValue":"postgresql"}}],"status":{"code":2}},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b176","name":"inner","kind":1,
         "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000"},
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b177","name":"odd","kind":2,
         "startTimeUnixNano":"1544712661000000000","endTimeUnixNano":"1544712660000000000"}]}]}]}"#;

    #[test]
    fn a_span_is_an_observation_of_what_is_outside() {
        let body = serde_json::from_str::<ExportTraceServiceRequest>(REQUEST).unwrap().encode_to_vec();
        let spans = read(&body, "traces").unwrap();
        assert_eq!((spans.spans, spans.refused, spans.groups.len()), (4, 1, 2));
        let words =
            |texts: &Texts| texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>();
        let [server, client] = &spans.groups[..] else { panic!("{spans:?}") };
        assert_eq!(words(&server.fields), ["service", "operation", "status", "duration_ms"]);
        assert_eq!(words(&server.values), ["pay", "GET /charge", "500", "34.500"]);
        assert_eq!(words(&client.values), ["pay", "SELECT", "postgresql", "error", "0.000"]);
        for end in 0..body.len() {
            let _ = read(&body[..end], "traces");
        }
    }
}
