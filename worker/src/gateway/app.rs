//! The table of routes.

use super::errors::{Code, Problem};
use super::settings::Scope;
use super::{Gateway, admission, events, health, keys, page, reading};
use axum::{Router, middleware};

/// All that is answered.
pub fn app(gateway: Gateway) -> Router {
    let writing = guarded(events::routes(), &gateway, Scope::Write);
    Router::new()
        .merge(health::routes())
        .merge(writing)
        .merge(reading::routes(&gateway))
        .merge(page::routes())
        .fallback(|| async { Problem::new(Code::UnknownPath, "there is no such path; /v1/openapi.json has them all") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "this path takes other methods; the header 'allow' names them")
        })
        .layer(middleware::from_fn_with_state(gateway.clone(), admission::admit))
        .with_state(gateway)
}

/// These routes, for keys of this scope.
pub fn guarded(routes: Router<Gateway>, gateway: &Gateway, scope: Scope) -> Router<Gateway> {
    routes.route_layer(middleware::from_fn_with_state((gateway.clone(), scope), keys::check))
}
