//! What a request asks, or what is wrong with it.

use crate::gateway::errors::{Code, Problem};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;

use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use serde::de::DeserializeOwned;

/// The parameters after the question mark.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) =
            Query::from_request_parts(parts, state).await.map_err(|error| invalid("the query", &error.body_text()))?;
        Ok(Self(asked))
    }
}

/// The monitor in the path.
#[derive(Debug)]
pub struct Monitor(pub Companions);

impl<S: Send + Sync> FromRequestParts<S> for Monitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(name): Path<String> =
            Path::from_request_parts(parts, state).await.map_err(|error| invalid("the path", &error.body_text()))?;
        monitor(&name).map(Self)
    }
}

/// The id of an incident in the path.
#[derive(Debug)]
pub struct IncidentId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IncidentId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id): Path<String> =
            Path::from_request_parts(parts, state).await.map_err(|error| invalid("the path", &error.body_text()))?;
        let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id { Ok(Self(id.to_ascii_lowercase())) } else { Err(invalid("the incident", "its id is 16 hex digits")) }
    }
}

/// A body of JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// Longest body: settings and sentences.
pub const LONGEST_BODY: usize = 64 << 10;

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::UnsupportedMedia, "the body must be JSON, content-type: application/json"));
        }
        let body = Bytes::from_request(request, state).await.map_err(|error| unread(&error))?;
        let body = serde_json::from_slice(&body).map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
        Ok(Self(body))
    }
}

fn unread(error: &BytesRejection) -> Problem {
    let code = if error.status().as_u16() == 413 { Code::BodyTooLarge } else { Code::InvalidBody };
    Problem::new(code, format!("{}; at most {LONGEST_BODY} bytes are taken", error.body_text()))
}

/// A monitor by name.
///
/// # Errors
/// A name that can't be one's.
pub fn monitor(name: &str) -> Result<Companions, Problem> {
    Companions::of(name.as_bytes()).map_err(|error| invalid("the monitor", &error.to_string()))
}

/// What is wrong with a part of the request.
#[must_use]
pub fn invalid(what: &str, why: &str) -> Problem {
    Problem::new(Code::InvalidParameter, format!("{what}: {why}"))
}

/// A number within a range, or what stands in where none is given.
///
/// # Errors
/// One out of range.
pub fn limit(given: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match given {
        None => Ok(usual),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => Err(invalid("limit", &format!("a whole number from 1 to {most}"))),
    }
}

/// The id of a window.
///
/// # Errors
/// Anything else.
pub fn window_id(name: &str, text: &str) -> Result<EntryId, Problem> {
    EntryId::parse(text.as_bytes()).ok_or_else(|| invalid(name, "the id of a window, such as 1795226643000-0"))
}
