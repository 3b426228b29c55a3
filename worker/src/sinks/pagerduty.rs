//! PagerDuty, Events API version 2: one of its alerts for each group.

use super::http::Endpoint;
use super::link::Link;
use super::settings::{PagerDuty as Settings, Shared};
use super::story;
use super::{Delivery, Sink};
use crate::config::secret::Secret;
use eddyline_wire::alert::{Event, rfc3339};
use eddyline_wire::notification::Notification;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Incidents of which an event tells.
const INCIDENTS: usize = 20;
/// PagerDuty's limits, in characters.
const SUMMARY: usize = 1024;
const DEDUP_KEY: usize = 255;
const LONGEST_KEY: usize = 128;

/// A service of PagerDuty.
#[derive(Debug)]
pub(super) struct PagerDuty {
    endpoint: Endpoint,
    routing_key: Secret,
    link: Option<Link>,
}

impl PagerDuty {
    pub(super) fn new(settings: &Settings, shared: &Shared, link: Option<Link>) -> Result<Self, String> {
        let key = settings.routing_key.expose();
        if !(8..=LONGEST_KEY).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("`routing_key` is the integration key of a service, as PagerDuty shows it".to_owned());
        }
        let endpoint = Endpoint::new(&settings.url, &BTreeMap::new(), shared)?.hiding(&settings.routing_key);
        Ok(Self { endpoint, routing_key: settings.routing_key.clone(), link })
    }
}

impl Sink for PagerDuty {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        let page = self.link.as_ref().and_then(|link| link.of(notification));
        let body = event(notification, self.routing_key.expose(), page.as_deref()).to_string().into_bytes();
        Box::pin(self.endpoint.post("application/json", HeaderMap::new(), body))
    }
}

fn event(notification: &Notification, routing_key: &str, page: Option<&str>) -> Value {
    let dedup_key = story::line(&notification.group, DEDUP_KEY);
    if notification.event == Event::Resolved {
        return json!({"routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key});
    }
    let story = story::tell(notification, INCIDENTS);
    let worst = notification.alerts.first();
    let incidents: Vec<_> = story
        .chapters
        .iter()
        .map(|chapter| {
            json!({
                "monitor": chapter.monitor,
                "severity": chapter.severity.as_str(),
                "summary": chapter.summary,
                "causes": chapter.causes,
                "markers": chapter.markers,
                "rarity": chapter.rarity,
            })
        })
        .collect();
    let mut payload = json!({
        "summary": story::line(&story.title, SUMMARY),
        "source": story.deployment,
        "severity": notification.severity.as_str(),
        "timestamp": rfc3339(notification.since_ms),
        "group": story.deployment,
        "custom_details": {
            "news": story.news,
            "incidents": notification.incidents,
            "open": notification.open,
            "worst": incidents,
        },
    });
    if let Some(more) = story.more {
        payload["custom_details"]["more"] = more.into();
    }
    if let (Some(alert), Some(chapter)) = (worst, story.chapters.first()) {
        payload["component"] = chapter.monitor.as_str().into();
        if let Some(cause) = alert.causes.first() {
            payload["class"] = story::line(&cause.kind, DEDUP_KEY).into();
        }
    }
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "eddyline",
        "payload": payload,
    });
    if let Some(page) = page {
        event["client_url"] = page.into();
        event["links"] = json!([{"href": page, "text": "The incident"}]);
    }
    event
}
