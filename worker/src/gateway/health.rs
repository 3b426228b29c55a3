//! `/livez` and `/readyz` of the gateway itself.

use super::Gateway;
use super::errors::Problem;
use axum::extract::State;
use axum::{Json, Router, routing};
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/livez", routing::get(live)).route("/readyz", routing::get(ready))
}

/// It answers.
async fn live() -> Json<Value> {
    Json(json!({ "alive": true }))
}

/// What it is asked can be had.
async fn ready(State(gateway): State<Gateway>) -> Result<Json<Value>, Problem> {
    gateway.link.connection()?;
    Ok(Json(json!({ "ready": true, "version": env!("CARGO_PKG_VERSION") })))
}
