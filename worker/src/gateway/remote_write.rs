//! `POST /api/v1/write`: Prometheus' remote write 1.0.

use super::body::{aside, media_type, receive_snappy};
use super::errors::{Code, Problem};
use super::keys::Caller;
use super::{Gateway, vectors};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing};
use eddyline_intake::samples::prometheus;

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/api/v1/write", routing::post(write))
}

async fn write(
    State(gateway): State<Gateway>,
    Extension(Caller(key)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let is_second = |text: &str| text.contains("proto=") && !text.contains("prometheus.WriteRequest");
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if media_type(&headers) != "application/x-protobuf" || is_second(said) {
        let why = "remote write 1.0 is taken: application/x-protobuf, prometheus.WriteRequest, content-encoding snappy";
        return Err(Problem::new(Code::UnsupportedMedia, why));
    }
    let received = receive_snappy(&gateway, &key, &headers, body).await?;
    let (bytes, now_ms) = (received.bytes.clone(), vectors::now_ms());
    let samples = aside(bytes.len(), move || prometheus::read(&bytes, now_ms))
        .await?
        .map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
    key.take(samples.points.saturating_sub(1))?;
    let (points, refused) = (samples.points, samples.refused);
    // What there is no room for is counted: sending it again would hold up the rest.
    vectors::gather(&gateway, samples).await?;
    gateway.count_items((points - refused, refused));
    Ok(StatusCode::NO_CONTENT)
}
