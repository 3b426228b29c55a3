//! `GET /v1/openapi.json`: what there is, for programs.

use super::{changeable, readable, taken, writable};
use crate::gateway::Gateway;
use crate::gateway::errors::ErrorBody;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

/// What stands above the paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "eddyline",
        description = "What is unusual in streams of application events, over HTTP. Times are ms since the epoch, ids of \
                       windows are ids of stream entries such as 1795226643000-0. Where keys are set, `security` names the \
                       scope that a key needs; a key of the scope `admin` may do all.",
        version = env!("CARGO_PKG_VERSION"),
    ),
    components(schemas(ErrorBody)),
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

/// What other parts of the gateway take.
#[derive(utoipa::OpenApi)]
#[openapi(paths(taken::events, taken::traces, taken::metrics, taken::write))]
struct Taken;

/// What any request may be answered with.
const ALWAYS: [(&str, &str); 4] = [
    ("401", "`unauthorized`: no key, or one that isn't known"),
    (
        "403",
        "`forbidden`: the key lacks the scope. Without keys `host_not_allowed`, `origin_not_allowed`: not from here",
    ),
    ("429", "`rate_limited` or `busy`: later, see `retry-after`"),
    ("500", "`internal`: Redis said what this program doesn't understand"),
];
/// What any that is read at once, within a limit of time, may be.
const IN_TIME: [(&str, &str); 1] = [("504", "`timeout`: it took longer than 30 s")];
/// The same with a body of JSON.
const WITH_BODY: [(&str, &str); 3] = [
    ("400", "`invalid_body` or `invalid_parameter`"),
    ("413", "`body_too_large`: more than 64 KiB"),
    ("415", "`unsupported_media`: the content-type must be application/json"),
];
/// What any that brings observations may be.
const TAKING: [(&str, &str); 5] = [
    ("400", "`invalid_body`, `invalid_item` or `invalid_parameter`: sending it again makes no sense"),
    ("408", "`body_timeout`: the body didn't come within 30 s"),
    ("413", "`body_too_large` or `too_many_items`: more than the key may send at once"),
    ("415", "`unsupported_media`: a content-type or content-encoding that isn't taken"),
    (
        "503",
        "`redis_unavailable`, `redis_refuses` or `no_module`: nothing was counted. `unknown_outcome`: perhaps it was",
    ),
];
/// What answers that operations have are about, where they don't say it themselves.
const USUALLY: [(&str, &str); 3] = [
    ("400", "`invalid_parameter`"),
    ("404", "There is nothing of that name"),
    ("503", "`redis_unavailable`, `redis_refuses` or `no_module`"),
];

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = Document::openapi();
    let taken = with(Taken::openapi(), "write", |operation| refuses(operation, &TAKING));
    document.merge(taken);
    for (routes, scope) in [(readable(), "read"), (writable(), "write"), (changeable(), "admin")] {
        document.merge(with(routes.into_openapi(), scope, |operation| {
            refuses(operation, &IN_TIME);
            if operation.request_body.is_some() {
                refuses(operation, &WITH_BODY);
            }
        }));
    }
    for path in ["/v1/traces", "/v1/metrics"] {
        document.paths.paths.get_mut(path).into_iter().flat_map(operations).for_each(also_protobuf);
    }
    let components = document.components.get_or_insert_with(Components::new);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key"))));
    document
}

/// These routes, for keys of this scope.
fn with(mut routes: OpenApi, scope: &str, also: impl Fn(&mut Operation)) -> OpenApi {
    for operation in routes.paths.paths.values_mut().flat_map(operations) {
        refuses(operation, &ALWAYS);
        also(operation);
        for (status, why) in USUALLY {
            operation.responses.responses.get_mut(status).into_iter().for_each(|response| describe(response, why));
        }
        let by = |scheme| SecurityRequirement::new(scheme, [scope]);
        // The first: nobody needs a key where none is set.
        operation.security = Some(vec![SecurityRequirement::default(), by("bearer"), by("header")]);
    }
    routes
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post].into_iter().flatten()
}

/// It may be refused with these. What the operation says itself counts more.
fn refuses(operation: &mut Operation, whys: &[(&str, &str)]) {
    let responses = &mut operation.responses.responses;
    for (status, why) in whys {
        let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
        let refusal = || ResponseBuilder::new().content("application/json", body).build();
        let response = responses.entry((*status).to_owned()).or_insert_with(|| refusal().into());
        describe(response, why);
    }
}

fn describe(response: &mut RefOr<Response>, why: &str) {
    if let RefOr::T(response) = response
        && response.description.is_empty()
    {
        response.description = why.to_owned();
    }
}

/// A request that came as protobuf is refused in its own form, but for its key.
fn also_protobuf(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && !matches!(status.as_str(), "401" | "403")
        {
            response.content.insert("application/x-protobuf".to_owned(), RefOr::T(Content::default()));
        }
    }
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
