//! CloudEvents 1.0 over HTTP, structured: the notification in an envelope that any bus knows.

use super::http::Endpoint;
use super::link::encoded;
use super::settings::{CloudEvents as Settings, Shared};
use super::{Delivery, Sink, slim};
use eddyline_wire::alert::rfc3339;
use eddyline_wire::notification::Notification;
use reqwest::header::HeaderMap;
use serde::Serialize;

/// A receiver of CloudEvents.
#[derive(Debug)]
pub(super) struct CloudEvents {
    endpoint: Endpoint,
}

impl CloudEvents {
    pub(super) fn new(settings: &Settings, shared: &Shared) -> Result<Self, String> {
        Ok(Self { endpoint: Endpoint::new(&settings.url, &settings.headers, shared)? })
    }
}

impl Sink for CloudEvents {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        let body = envelope(notification).into_bytes();
        Box::pin(self.endpoint.post("application/cloudevents+json", HeaderMap::new(), body))
    }
}

#[derive(Serialize)]
struct Context<'a> {
    specversion: &'static str,
    /// With `source` it is the same on every retry, and on no other event.
    id: &'a str,
    source: String,
    r#type: String,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
}

fn envelope(notification: &Notification) -> String {
    let kind = match notification.test {
        true => "io.eddyline.test".to_owned(),
        false => format!("io.eddyline.incident.{}", notification.event.as_str()),
    };
    let context = Context {
        specversion: "1.0",
        id: &notification.id,
        source: format!("/eddyline/{}", encoded(&notification.deployment)),
        r#type: kind,
        subject: &notification.group,
        time: rfc3339(notification.at_ms),
        datacontenttype: "application/json",
    };
    let mut text = serde_json::to_string(&context).expect("strings always serialise");
    // The notification is JSON already: it becomes the last key.
    text.truncate(text.len() - 1);
    format!("{text},\"data\":{}}}", slim::json(notification))
}
