//! `/v1/markers`: what people did, such as a release.

use super::Reading;
use super::asked::{Asked, Body, invalid, limit, monitor};
use crate::gateway::errors::{ErrorBody, Problem};
use crate::markers::{MAX_TEXT, add};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{Companions, MAX_NAME, service};
use eddyline_wire::text::utf8;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Markers of an answer, where the request doesn't say, and at most.
const USUAL: usize = 50;
const MOST: usize = 500;

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MarkersPage {
    /// Most markers of the answer.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
}

/// What people did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Marker {
    /// Id of its entry.
    id: String,
    /// When, ms since the epoch.
    at_ms: u64,
    /// What, in their words.
    text: String,
    /// The monitor that it concerns; null for all.
    monitor: Option<String>,
}

/// Markers, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Markers {
    markers: Vec<Marker>,
}

/// The last markers, the newest first.
#[utoipa::path(
    get, path = "/v1/markers", tag = "incidents", params(MarkersPage),
    responses((status = 200, body = Markers), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn markers(
    State(reading): State<Reading>,
    Asked(page): Asked<MarkersPage>,
) -> Result<Json<Markers>, Problem> {
    let limit = limit(page.limit, USUAL, MOST)?;
    let mut connection = reading.connection()?;
    let mut range = redis::cmd("XREVRANGE");
    range.arg(service::MARKERS).arg("+").arg("-").arg("COUNT").arg(limit);
    let entries: Vec<(String, BTreeMap<String, Vec<u8>>)> = range.query_async(&mut connection).await?;
    let marker = |(id, fields): (String, BTreeMap<String, Vec<u8>>)| {
        let at_ms = EntryId::parse(id.as_bytes())?.ms;
        let text = utf8(fields.get("text")?, MAX_TEXT);
        Some(Marker { id, at_ms, text, monitor: fields.get("monitor").map(|name| utf8(name, MAX_NAME)) })
    };
    Ok(Json(Markers { markers: entries.into_iter().filter_map(marker).collect() }))
}

/// What was done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMarker {
    /// In up to 256 bytes.
    #[schema(example = "pay v1.2.3")]
    text: String,
    /// Only incidents of this monitor show it.
    monitor: Option<String>,
}

/// A marker that stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Marked {
    /// Id of its entry.
    id: String,
}

/// Leaves a marker, such as a release: incidents that begin within the next half hour show it.
#[utoipa::path(
    post, path = "/v1/markers", tag = "incidents", request_body = NewMarker,
    responses((status = 201, body = Marked), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn mark(
    State(reading): State<Reading>,
    Body(marker): Body<NewMarker>,
) -> Result<(StatusCode, Json<Marked>), Problem> {
    let NewMarker { text, monitor: of } = marker;
    if !(1..=MAX_TEXT).contains(&text.len()) || text.chars().any(char::is_control) {
        return Err(invalid("text", "1 to 256 bytes, without control characters"));
    }
    let of = of.as_deref().map(monitor).transpose()?;
    let mut connection = reading.connection()?;
    let id = add(&mut connection, &text, of.as_ref().map(Companions::monitor)).await?;
    Ok((StatusCode::CREATED, Json(Marked { id })))
}
