//! `GET /v1/openapi.json`: what there is, for programs.

use super::{changeable, readable, writable};
use crate::gateway::Gateway;
use crate::gateway::errors::ErrorBody;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, Ref, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

/// What stands above the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "eddyline",
        description = "What is unusual in streams of application events, over HTTP. Times are ms since the epoch, ids of \
                       windows are ids of stream entries such as 1795226643000-0.",
        version = env!("CARGO_PKG_VERSION"),
    ),
    paths(writing::events),
    components(schemas(ErrorBody)),
    security((), ("bearer" = []), ("header" = [])),
    tags(
        (name = "writing", description = "Observations as they come"),
        (name = "monitors", description = "What is watched"),
        (name = "windows", description = "What windows were worth, and what they had in them"),
        (name = "items", description = "Single items and measures"),
        (name = "incidents", description = "What went wrong"),
        (name = "stream", description = "What is new, as it comes"),
        (name = "status", description = "How the service as a whole fares"),
    ),
)]
struct Document;

/// What other parts of the gateway take, told here.
mod writing {
    use crate::gateway::errors::ErrorBody;
    use crate::gateway::outcome::SomeAccepted;
    use utoipa::IntoParams;

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
        params(Of, ("idempotency-key" = Option<String>, Header, description = "A second request with the same key \
               within ten minutes isn't counted again", max_length = 128)),
        request_body(content(
            (Object = "application/json", example = json!({"endpoint": "/charge", "status": 500, "latency_ms": 34})),
            (String = "application/x-ndjson"),
        )),
        responses(
            (status = 202, body = Object, description = "All were counted", example = json!({"accepted": 1})),
            (status = 207, body = SomeAccepted, description = "Some were counted"),
            (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        ),
    )]
    #[expect(dead_code, reason = "`gateway::events` answers")]
    pub(super) fn events() {}
}

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = Document::openapi();
    for routes in [readable(), writable(), changeable()] {
        document.merge(routes.into_openapi());
    }
    let components = document.components.get_or_insert_with(Components::new);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key"))));
    document.paths.paths.values_mut().flat_map(operations).for_each(refusing);
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post].into_iter().flatten()
}

/// Whatever is refused is so in the same shape.
fn refusing(operation: &mut Operation) {
    let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
    let refusal = ResponseBuilder::new().description("It is refused").content("application/json", body).build();
    operation.responses.responses.insert("default".to_owned(), refusal.into());
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
