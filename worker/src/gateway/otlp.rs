//! `POST /v1/traces` and `/v1/metrics`: OpenTelemetry over HTTP, as protobuf and as JSON.

use super::body::{Received, aside, media_type, receive};
use super::errors::{Code, Problem};
use super::keys::{Caller, Key};
use super::outcome::Tally;
use super::{Gateway, traces, vectors};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use eddyline_intake::{json, samples, spans};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;

const PROTOBUF: &str = "application/x-protobuf";

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/v1/traces", routing::post(take_traces)).route("/v1/metrics", routing::post(take_metrics))
}

/// One JSON body at a time is read, whose parts take many times their size.
#[derive(Debug)]
pub(super) struct Reader(Arc<Semaphore>);

impl Default for Reader {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

async fn take_traces(
    State(gateway): State<Gateway>,
    Extension(Caller(key)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = Form::of(&headers);
    let shown = form.as_ref().copied().unwrap_or(Form::Protobuf);
    let taken = async {
        let received = message(&gateway, &key, &headers, body, form.clone()?, json::spans).await?;
        let bytes = received.bytes.clone();
        let read = aside(bytes.len(), move || spans::read(&bytes, traces::MONITOR)).await?;
        let spans::Spans { groups, spans, refused } =
            read.map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
        key.take(spans.saturating_sub(1))?;
        let mut tally = Tally::default();
        tally.count_refused(refused);
        traces::count(&gateway, &received.bytes, &groups, &mut tally).await?;
        gateway.count_items(tally.counts());
        // What Redis refuses is sent again, whole; of what may have been counted, nobody knows.
        if let Some(problem) = tally.into_worst() {
            return Err(problem);
        }
        Ok((refused, "spans end before they begin"))
    };
    answer(shown, "rejectedSpans", taken.await)
}

async fn take_metrics(
    State(gateway): State<Gateway>,
    Extension(Caller(key)): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = Form::of(&headers);
    let shown = form.as_ref().copied().unwrap_or(Form::Protobuf);
    let taken = async {
        let received = message(&gateway, &key, &headers, body, form.clone()?, json::samples).await?;
        let (bytes, now_ms) = (received.bytes.clone(), vectors::now_ms());
        let read = aside(bytes.len(), move || samples::otlp::read(&bytes, now_ms)).await?;
        let samples = read.map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
        key.take(samples.points.saturating_sub(1))?;
        let (points, refused) = (samples.points, samples.refused);
        let left_out = vectors::gather(&gateway, samples).await?;
        gateway.count_items((points - refused, refused));
        match left_out {
            0 => Ok((refused, "points have no finite number, or a time that can't be")),
            _ => Ok((refused + left_out, "points are of more instances than there may be")),
        }
    };
    answer(shown, "rejectedDataPoints", taken.await)
}

/// How the message stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match media_type(headers).as_str() {
            PROTOBUF | "application/protobuf" => Ok(Self::Protobuf),
            "application/json" => Ok(Self::Json),
            _ => {
                let why = "the content-type may be application/x-protobuf or application/json";
                Err(Problem::new(Code::UnsupportedMedia, why))
            }
        }
    }
}

/// The body, as protobuf whatever it came as.
async fn message<E: std::error::Error + Send + 'static>(
    gateway: &Gateway,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
    form: Form,
    encode: fn(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Received, Problem> {
    let received = receive(gateway, key, headers, body).await?;
    if form == Form::Protobuf {
        return Ok(received);
    }
    if received.bytes.len() > json::MOST_BYTES {
        let why = format!("as JSON it has at most {} bytes; application/x-protobuf takes less", json::MOST_BYTES);
        return Err(Problem::new(Code::BodyTooLarge, why));
    }
    let turn = Arc::clone(&gateway.json.0).acquire_owned().await;
    let bytes = received.bytes.clone();
    let encoded = aside(bytes.len() * 8, move || {
        let encoded = encode(&bytes);
        drop(turn);
        encoded
    });
    let encoded = encoded.await?.map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
    Ok(received.read_as(encoded.into()))
}

/// Success, also where some were left out, and trouble as the protocol has them.
fn answer(form: Form, rejected_name: &str, taken: Result<(usize, &str), Problem>) -> Response {
    let (status, head, message) = match taken {
        Ok((rejected, why)) => match form {
            Form::Json if rejected == 0 => return axum::Json(json!({})).into_response(),
            Form::Json => {
                let partial = json!({ rejected_name: rejected.to_string(), "errorMessage": why });
                return axum::Json(json!({ "partialSuccess": partial })).into_response();
            }
            Form::Protobuf if rejected == 0 => (axum::http::StatusCode::OK, HeaderMap::new(), Vec::new()),
            Form::Protobuf => {
                let partial = [number(1, rejected as u64), text(2, why)].concat();
                (axum::http::StatusCode::OK, HeaderMap::new(), bytes(1, &partial))
            }
        },
        Err(problem) if form == Form::Json => return problem.into_response(),
        // google.rpc.Status, whose code says less than ours.
        Err(problem) => {
            let message = [number(1, 2), text(2, &format!("{}: {}", problem.code.as_str(), problem.message))].concat();
            let response = problem.into_response();
            (response.status(), response.headers().clone(), message)
        }
    };
    let mut response = (status, message).into_response();
    for (name, value) in &head {
        if name != axum::http::header::CONTENT_LENGTH {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

fn number(field: u8, mut number: u64) -> Vec<u8> {
    let mut bytes = vec![field << 3];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn text(field: u8, text: &str) -> Vec<u8> {
    bytes(field, text.as_bytes())
}

fn bytes(field: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = number(field, message.len() as u64);
    bytes[0] |= 2;
    bytes.extend_from_slice(message);
    bytes
}
