//! The table of routes.

use super::errors::{Code, Problem};
use super::settings::Scope;
use super::{Gateway, admission, events, health, keys, otlp, page, reading, remote_write};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::{Router, middleware};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// All that is answered.
pub fn app(gateway: Gateway) -> Router {
    let writing = events::routes().merge(otlp::routes()).merge(remote_write::routes());
    let writing = guarded(writing, &gateway, Scope::Write);
    Router::new()
        .merge(health::routes())
        .merge(writing)
        .merge(reading::routes(&gateway))
        .merge(page::routes())
        .fallback(|| async { Problem::new(Code::UnknownPath, "there is no such path; /v1/openapi.json has them all") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "this path takes other methods; the header 'allow' names them")
        })
        .layer(cors(gateway.clone()))
        .layer(middleware::from_fn_with_state(gateway.clone(), admission::admit))
        .with_state(gateway)
}

/// These routes, for keys of this scope.
pub fn guarded(routes: Router<Gateway>, gateway: &Gateway, scope: Scope) -> Router<Gateway> {
    routes.route_layer(middleware::from_fn_with_state((gateway.clone(), scope), keys::check))
}

/// Closed to pages of other origins but those that are listed.
fn cors(gateway: Gateway) -> CorsLayer {
    let is_listed = move |origin: &HeaderValue, _: &Parts| {
        gateway.live.borrow().http.cors.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
    };
    let own = ["x-api-key", "idempotency-key", "last-event-id", "x-request-id"].map(HeaderName::from_static);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_listed))
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, CONTENT_ENCODING].into_iter().chain(own).collect::<Vec<_>>())
        .expose_headers([RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_secs(600))
}
