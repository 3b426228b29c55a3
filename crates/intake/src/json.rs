//! OpenTelemetry's requests as JSON, made protobuf: one reader for both.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;

/// Largest body: its parts take many times their size while they are read.
pub const MOST_BYTES: usize = 2 << 20;

/// Bytes that aren't the message that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body isn't JSON of this message: {0}")]
pub struct NotJson(String);

/// An `ExportTraceServiceRequest`.
///
/// # Errors
/// It is none.
pub fn spans(body: &[u8]) -> Result<Vec<u8>, NotJson> {
    encoded::<ExportTraceServiceRequest>(body)
}

/// An `ExportMetricsServiceRequest`.
///
/// # Errors
/// It is none.
pub fn samples(body: &[u8]) -> Result<Vec<u8>, NotJson> {
    encoded::<ExportMetricsServiceRequest>(body)
}

fn encoded<M: Message + DeserializeOwned>(body: &[u8]) -> Result<Vec<u8>, NotJson> {
    serde_json::from_slice::<M>(body).map(|message| message.encode_to_vec()).map_err(|error| NotJson(error.to_string()))
}
