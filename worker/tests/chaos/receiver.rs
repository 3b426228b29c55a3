//! Who is told: an HTTP server that keeps what it gets, and is at times too busy to.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use eddyline_wire::notification::Notification;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What was received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// By dedup key, and how often each came.
    pub(crate) notifications: BTreeMap<String, (Notification, u32)>,
    /// Requests that were turned away.
    pub(crate) turned_away: u32,
    /// What was wrong with requests.
    pub(crate) wrong: Vec<String>,
    random: u64,
}

/// A receiver at work, to the end of the process.
pub(crate) struct Receiver {
    port: u16,
    received: Arc<Mutex<Received>>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub(crate) fn start(seed: u64) -> Result<Self> {
        let received = Arc::new(Mutex::new(Received { random: seed | 1, ..Received::default() }));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no runtime")?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        let router = Router::new().route("/", post(take)).with_state(Arc::clone(&received));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { port, received, _runtime: runtime })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Looks at what was received.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&self.received.lock().expect("no panic"))
    }
}

async fn take(State(received): State<Arc<Mutex<Received>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut received = received.lock().expect("no panic");
    received.random = received.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    // Half of those turned away were taken in fact: the sender can't know, and must send them again.
    let mood = (received.random >> 33) % 10;
    if mood == 0 {
        received.turned_away += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let notification: Notification = match serde_json::from_slice(&body) {
        Ok(notification) => notification,
        Err(error) => {
            received.wrong.push(format!("not a notification: {error}"));
            return StatusCode::BAD_REQUEST;
        }
    };
    let delivery = headers.get("eddyline-delivery").and_then(|id| id.to_str().ok());
    if delivery != Some(&notification.id) {
        received.wrong.push(format!("delivery {delivery:?} carries {}", notification.id));
    }
    let id = notification.id.clone();
    let known = received.notifications.entry(id).or_insert_with(|| (notification.clone(), 0));
    known.1 += 1;
    let same = known.0 == notification;
    if !same {
        received.wrong.push(format!("{} came with another content", notification.id));
    }
    if mood == 1 {
        received.turned_away += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}
