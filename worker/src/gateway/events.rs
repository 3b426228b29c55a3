//! `POST /v1/events`: observations as JSON.

use super::Gateway;
use super::body::{aside, media_type, receive};
use super::errors::{Code, Problem};
use super::keys::Caller;
use super::outcome::{Part, Tally};
use super::remembered::{self, RequestKey};
use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Router, routing};
use eddyline_intake::events::{Events, Form, read};
use eddyline_intake::group::Group;
use eddyline_wire::keys::Companions;
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/v1/events", routing::post(events))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    monitor: Option<String>,
}

async fn events(
    State(gateway): State<Gateway>,
    Extension(Caller(key)): Extension<Caller>,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Query(Parameters { monitor }) =
        parameters.map_err(|error| Problem::new(Code::InvalidParameter, error.body_text()))?;
    if let Some(name) = &monitor {
        Companions::of(name.as_bytes()).map_err(|error| Problem::new(Code::InvalidParameter, error.to_string()))?;
    }
    let form = form(&headers)?;
    let request = remembered::key(&headers, &key.name)?;
    let received = receive(&gateway, &key, &headers, body).await?;
    let bytes = received.bytes.clone();
    let of_one_monitor = monitor.is_some();
    let Events { groups, items, refused, told, is_single } =
        aside(bytes.len(), move || read(&bytes, form, monitor.as_deref()))
            .await?
            .map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
    // The request itself was one already.
    key.take(items.saturating_sub(1))?;

    let mut tally = Tally::default();
    tally.count_refused(refused);
    told.into_iter().for_each(|(at, why)| tally.refuse(at, why.to_string()));
    let groups = good_names(groups, &mut tally);
    let outcomes = match request {
        None if gateway.link.is_cluster() => {
            remembered_count(&gateway, &RequestKey::of_sending(), &received.bytes, &groups).await?
        }
        None => gateway.writer.count(Arc::clone(&groups)).await?,
        Some(request) => remembered_count(&gateway, &request, &received.bytes, &groups).await?,
    };
    for (group, parts) in groups.iter().zip(outcomes) {
        tally.add(&group.items, parts);
    }
    gateway.count_items(tally.counts());
    Ok(tally.answer(is_single, of_one_monitor))
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    match media_type(headers).as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Form::Lines),
        // What curl says of --data, whatever it is.
        "" | "application/json" | "application/x-www-form-urlencoded" | "text/plain" => Ok(Form::Json),
        _ => {
            let why = "the content-type may be application/json or application/x-ndjson";
            Err(Problem::new(Code::UnsupportedMedia, why))
        }
    }
}

/// Without the groups whose name is no monitor's.
fn good_names(groups: Vec<Group>, tally: &mut Tally) -> Arc<Vec<Group>> {
    let mut good = Vec::with_capacity(groups.len());
    for group in groups {
        match Companions::of(group.monitor.as_bytes()) {
            Ok(_) => good.push(group),
            Err(error) => {
                let problem = Problem::new(Code::InvalidItem, error.to_string());
                tally.add(&group.items, vec![Part { rows: group.items.len(), result: Err(problem) }]);
            }
        }
    }
    Arc::new(good)
}

/// Each monitor remembers by itself: a request that was counted for one of them and not for another may come again.
async fn remembered_count(
    gateway: &Gateway,
    request: &RequestKey,
    body: &[u8],
    groups: &[Group],
) -> Result<Vec<Vec<Part>>, Problem> {
    let mut by_monitor: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        by_monitor.entry(&group.monitor).or_default().push(at);
    }
    let (mut outcomes, digest) = (vec![Vec::new(); groups.len()], remembered::digest(body));
    for (monitor, places) in by_monitor {
        let all: Vec<&Group> = places.iter().map(|at| &groups[*at]).collect();
        let parts = remembered::count(&gateway.link, request, &digest, monitor, &all).await?;
        places.into_iter().zip(parts).for_each(|(at, parts)| outcomes[at] = parts);
    }
    Ok(outcomes)
}
