//! What holds for every request, before anybody looks at it: it gets an id, and where nobody needs a key it must come from
//! this machine, and from no page of another site.

use super::Gateway;
use super::errors::{Code, Problem};
use crate::observe::names;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, HeaderName, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 128;

pub(super) async fn admit(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let (id, began) = (id_of(request.headers()), Instant::now());
    let mut response = match refusal(&gateway, &request) {
        None => next.run(request).await,
        Some(problem) => problem.into_response(),
    };
    metrics::counter!(names::HTTP_REQUESTS, "status" => class(response.status())).increment(1);
    metrics::histogram!(names::HTTP_TIME).record(began.elapsed());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

/// The client's own id where it has a good one.
fn id_of(headers: &HeaderMap) -> HeaderValue {
    static PROCESS: LazyLock<u32> = LazyLock::new(|| RandomState::new().build_hasher().finish() as u32);
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let is_good =
        |id: &&HeaderValue| (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    if let Some(id) = headers.get(REQUEST_ID).filter(is_good) {
        return id.clone();
    }
    let id = format!("{:08x}-{:x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
}

/// Where no key is needed, any page that a browser on this machine shows could ask, under a name of its own that resolves
/// to this machine, or without caring for the answer.
fn refusal(gateway: &Gateway, request: &Request) -> Option<Problem> {
    if !gateway.keys().is_open() {
        return None;
    }
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    if !host.is_some_and(|host| Authority::try_from(host).is_ok_and(|host| is_loopback(host.host()))) {
        let message = "without keys only this machine is served, as localhost, 127.0.0.1 or [::1]; [http.keys] of the \
                       settings adds keys";
        return Some(Problem::new(Code::HostNotAllowed, message));
    }
    let origin = request.headers().get(ORIGIN)?;
    let own = origin.as_bytes().strip_prefix(b"http://").is_some_and(|origin| Some(origin) == host);
    let is_listed = || gateway.live.borrow().http.cors.iter().any(|listed| listed.as_bytes() == origin.as_bytes());
    if own || is_listed() {
        return None;
    }
    Some(Problem::new(
        Code::OriginNotAllowed,
        "pages of other sites may not ask; 'cors' in [http] lists those that may",
    ))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_clients_own_is_kept_if_it_is_good() {
        let with = |id: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
            id_of(&headers)
        };
        assert_eq!(with(b"abc-1"), "abc-1");
        assert_ne!(with(b"abc 1"), "abc 1");
        assert_ne!(with("x".repeat(129).as_bytes()).len(), 129);
        assert_ne!(id_of(&HeaderMap::new()), id_of(&HeaderMap::new()));
    }

    #[test]
    fn names_of_this_machine_are_told_from_others() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.0.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "10.0.0.1", "[::2]", "0.0.0.0", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
