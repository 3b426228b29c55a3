//! `GET /v1/openapi.json`: what there is, for programs.

use super::{changeable, readable, writable};
use crate::gateway::Gateway;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::LazyLock;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

/// What stands above the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "eddyline",
        description = "What is unusual in streams of application events, over HTTP. Times are ms since the epoch, ids of \
                       windows are ids of stream entries such as 1795226643000-0.",
        version = env!("CARGO_PKG_VERSION"),
    ),
    tags(
        (name = "monitors", description = "What is watched"),
        (name = "windows", description = "What windows were worth, and what they had in them"),
        (name = "items", description = "Single items and measures"),
        (name = "incidents", description = "What went wrong"),
        (name = "stream", description = "What is new, as it comes"),
        (name = "status", description = "How the service as a whole fares"),
    ),
)]
struct Document;

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = Document::openapi();
    for routes in [readable(), writable(), changeable()] {
        document.merge(routes.into_openapi());
    }
    document
}

/// The document, for whoever asks.
pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/v1/openapi.json", get(told))
}

async fn told() -> impl IntoResponse {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| document().to_json().expect("a document of strings always serialises"));
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}
