//! What other parts of the gateway take, as the document tells it. Nothing here answers.

use crate::gateway::errors::ErrorBody;
use crate::gateway::outcome::{Accepted, SomeAccepted};
use utoipa::{IntoParams, ToSchema};

/// Whose observations.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its shape is told")]
pub(super) struct Of {
    /// The monitor of all items, which are bare fields then.
    #[param(example = "checkout")]
    monitor: Option<String>,
}

/// Counts observations: one object, an array of them, or lines of JSON, gzip allowed.
///
/// With `monitor` an item is an object of fields; without it `{"monitor": …, "fields": {…}}`. Accepted means counted.
#[utoipa::path(
    post, path = "/v1/events", tag = "writing",
    params(Of, ("idempotency-key" = Option<String>, Header, description = "A second request with the same key within ten \
           minutes isn't counted again", max_length = 128)),
    request_body(content(
        (Object = "application/json", example = json!({"endpoint": "/charge", "status": 500, "latency_ms": 34})),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 202, body = Accepted, description = "All were counted"),
        (status = 207, body = SomeAccepted, description = "Some were counted"),
        (status = 404, body = ErrorBody, description = "`unknown_monitor`"),
        (status = 409, body = ErrorBody, description = "`no_observations`: the key of this name is no monitor's"),
        (status = 422, body = ErrorBody, description = "`idempotency_mismatch`: the same key, another body"),
    ),
)]
#[expect(dead_code, reason = "`gateway::events` answers")]
pub(super) fn events() {}

/// What became of spans.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its shape is told")]
pub(super) struct TracesTaken {
    /// Absent where all were taken.
    partial_success: Option<SpansLeftOut>,
}

/// Spans that weren't taken, and needn't be sent again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its shape is told")]
pub(super) struct SpansLeftOut {
    /// A whole number, as the protocol's JSON writes it.
    #[schema(pattern = "^[0-9]+$", example = "1")]
    rejected_spans: String,
    /// Why.
    error_message: String,
}

/// OpenTelemetry's traces, `ExportTraceServiceRequest` as protobuf or JSON, gzip allowed: each span between processes is an
/// observation of the monitor `traces`.
///
/// 200 has the protocol's own answer, in the form of the request: empty where all were taken, `partialSuccess` where some
/// can't be. The same body again is counted once. What is refused is a `google.rpc.Status` where the request is protobuf.
#[utoipa::path(
    post, path = "/v1/traces", tag = "writing",
    request_body(content(
        ("application/x-protobuf"),
        (Object = "application/json", example = json!({"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]},
            "scopeSpans": [{"spans": [{
                "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /", "kind": 2,
                "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000030000000",
            }]}],
        }]})),
    )),
    responses(
        (status = 200, description = "They were taken", content((TracesTaken = "application/json"), ("application/x-protobuf"))),
        (status = 404, body = ErrorBody, description = "`unknown_monitor`: `traces` was dropped at this moment"),
        (status = 409, body = ErrorBody, description = "`no_observations`: the key `traces` is no monitor's"),
    ),
)]
#[expect(dead_code, reason = "`gateway::otlp` answers")]
pub(super) fn traces() {}

/// What became of points.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its shape is told")]
pub(super) struct MetricsTaken {
    /// Absent where all were taken.
    partial_success: Option<PointsLeftOut>,
}

/// Points that weren't taken, and needn't be sent again.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its shape is told")]
pub(super) struct PointsLeftOut {
    /// A whole number, as the protocol's JSON writes it.
    #[schema(pattern = "^[0-9]+$", example = "1")]
    rejected_data_points: String,
    /// Why.
    error_message: String,
}

/// OpenTelemetry's metrics, `ExportMetricsServiceRequest` as protobuf or JSON, gzip allowed: they become vectors of one
/// monitor for each instance.
///
/// 200 has the protocol's own answer, in the form of the request: empty where all were taken, `partialSuccess` where some
/// can't be. The same samples again change nothing. What is refused is a `google.rpc.Status` where the request is protobuf.
#[utoipa::path(
    post, path = "/v1/metrics", tag = "writing",
    request_body(content(
        ("application/x-protobuf"),
        (Object = "application/json", example = json!({"resourceMetrics": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]},
            "scopeMetrics": [{"metrics": [{"name": "queue", "gauge": {"dataPoints": [
                {"asDouble": 3.5, "timeUnixNano": "1700000000000000000"},
            ]}}]}],
        }]})),
    )),
    responses(
        (status = 200, description = "They were taken", content((MetricsTaken = "application/json"), ("application/x-protobuf"))),
        (status = 409, body = ErrorBody, description = "`no_observations`: a key of the instance's monitor is another's"),
    ),
)]
#[expect(dead_code, reason = "`gateway::otlp` answers")]
pub(super) fn metrics() {}

/// Prometheus' remote write 1.0, `prometheus.WriteRequest`: samples become vectors of one monitor for each job and instance.
///
/// The header `content-encoding` must be `snappy`. The same samples again change nothing; what can't be part of a vector is
/// left out and counted.
#[utoipa::path(
    post, path = "/api/v1/write", tag = "writing",
    request_body(content(("application/x-protobuf"))),
    responses(
        (status = 204, description = "They were taken"),
        (status = 409, body = ErrorBody, description = "`no_observations`: a key of the instance's monitor is another's"),
    ),
)]
#[expect(dead_code, reason = "`gateway::remote_write` answers")]
pub(super) fn write() {}
