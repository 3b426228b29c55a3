//! `GET /v1/notifications`: what people were told.

use super::Reading;
use super::asked::{Asked, limit};
use crate::gateway::errors::{ErrorBody, Problem};
use axum::Json;
use axum::extract::State;
use eddyline_wire::keys::service::NOTIFICATIONS;
use eddyline_wire::notification::Notification;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Notifications of an answer, where the request doesn't say, and at most.
const USUAL: usize = 20;
const MOST: usize = 100;

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NotificationsPage {
    /// Most notifications of the answer.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
}

/// Notifications, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// As webhooks get them: docs/notifications.md.
    #[schema(value_type = Vec<Object>)]
    notifications: Vec<Notification>,
}

/// The last notifications, the newest first.
#[utoipa::path(
    get, path = "/v1/notifications", tag = "incidents", params(NotificationsPage),
    responses((status = 200, body = Notifications), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn notifications(
    State(reading): State<Reading>,
    Asked(page): Asked<NotificationsPage>,
) -> Result<Json<Notifications>, Problem> {
    let limit = limit(page.limit, USUAL, MOST)?;
    let mut connection = reading.connection()?;
    let mut range = redis::cmd("XREVRANGE");
    range.arg(NOTIFICATIONS).arg("+").arg("-").arg("COUNT").arg(limit);
    let entries: Vec<(String, BTreeMap<String, Vec<u8>>)> = range.query_async(&mut connection).await?;
    let read =
        |(_, fields): &(String, BTreeMap<String, Vec<u8>>)| serde_json::from_slice(fields.get("notification")?).ok();
    Ok(Json(Notifications { notifications: entries.iter().filter_map(read).collect() }))
}
