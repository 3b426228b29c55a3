//! `/metrics`, `/livez` and `/readyz` over HTTP. Everything is read, nothing can be changed.

use super::exporter::{Exporter, UPKEEP};
use super::health::{self, Report};
use super::limits::Limited;
use super::listen::Listen;
use crate::service::status::Status;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

/// What is told.
#[derive(Clone)]
struct Told {
    exporter: Exporter,
    status: Arc<Status>,
    began: Instant,
}

/// Records metrics from here on, and tells them and health until it is aborted, where `listen` says so. An address that can't
/// be had is said; the worker works without.
pub fn tell(listen: Listen, status: Arc<Status>) -> JoinHandle<()> {
    let listening = match listen {
        Listen::At(address) => Exporter::install().map(|exporter| Some((address, exporter))),
        Listen::Nowhere => Ok(None),
    };
    tokio::spawn(async move {
        let (address, exporter) = match listening {
            Ok(Some(listening)) => listening,
            Ok(None) => return,
            Err(error) => return warn!("no metrics: {error}"),
        };
        let serving = async {
            match TcpListener::bind(address).await {
                Ok(listener) => serve(listener, app(exporter.clone(), status)).await,
                Err(error) => warn!(
                    %address,
                    "metrics and health can't be told there: {error}; choose another address with --listen, or 'none'"
                ),
            }
        };
        tokio::join!(serving, look_after(exporter.clone()));
    })
}

async fn look_after(exporter: Exporter) {
    let mut ticks = interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        exporter.upkeep();
    }
}

async fn serve(listener: TcpListener, app: Router) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "metrics and health at http://{address}/metrics, /livez and /readyz");
    }
    if let Err(error) = axum::serve(Limited::new(listener), app).await {
        warn!("metrics and health are told no more: {error}");
    }
}

fn app(exporter: Exporter, status: Arc<Status>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is /metrics, /livez and /readyz\n") })
        .layer(axum::middleware::map_response(closing))
        .with_state(Told { exporter, status, began: Instant::now() })
}

/// One answer a connection, and none that is kept.
async fn closing(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn metrics(State(told): State<Told>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], told.exporter.text())
}

async fn livez(State(told): State<Told>) -> Response {
    let still = told.status.last_beat().unwrap_or_else(|| told.began.elapsed());
    let body = Json(serde_json::json!({ "alive": health::is_alive(still), "last_turn_seconds": still.as_secs_f64() }));
    (code(health::is_alive(still)), body).into_response()
}

async fn readyz(State(told): State<Told>) -> Response {
    let report = Report::of(&told.status);
    (code(report.ready), Json(report)).into_response()
}

fn code(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
