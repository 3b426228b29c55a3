//! Prometheus' Alertmanager, API version 2: an alert for each incident.
//!
//! Labels are an alert's identity there: what changes stands in annotations. It forgets what isn't repeated within its
//! `resolve_timeout` (5 minutes), so an open incident is sent again each minute, without an end.

use super::http::Endpoint;
use super::link::Link;
use super::settings::{Alertmanager as Settings, Shared};
use super::story::{self, amount};
use super::{Delivery, Sink};
use crate::config::secret::Secret;
use eddyline_wire::alert::{Alert, Event, Severity, rfc3339};
use eddyline_wire::notification::{News, Notification};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::Duration;

const REPEAT: Duration = Duration::from_secs(60);

/// Prometheus' Alertmanager.
#[derive(Debug)]
pub(super) struct Alertmanager {
    endpoint: Endpoint,
    link: Option<Link>,
}

impl Alertmanager {
    pub(super) fn new(settings: &Settings, shared: &Shared, link: Option<Link>) -> Result<Self, String> {
        let base = settings.url.expose();
        if base.contains(['?', '#']) {
            return Err(
                "`url` is Alertmanager's own address, without a query, such as http://alertmanager:9093".to_owned()
            );
        }
        let url = Secret::new(format!("{}/api/v2/alerts", base.trim_end_matches('/')));
        Ok(Self { endpoint: Endpoint::new(&url, &settings.headers, shared)?, link })
    }
}

impl Sink for Alertmanager {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        let page = self.link.as_ref().and_then(|link| link.of(notification));
        let body = Value::from(alerts(notification, page.as_deref())).to_string().into_bytes();
        Box::pin(self.endpoint.post("application/json", HeaderMap::new(), body))
    }

    fn repeats_every(&self) -> Option<Duration> {
        Some(REPEAT)
    }
}

fn alerts(notification: &Notification, page: Option<&str>) -> Vec<Value> {
    let mut alerts = Vec::new();
    for alert in &notification.alerts {
        let is_over = !alert.is_open() || notification.event == Event::Resolved;
        let end = is_over.then(|| alert.window_end_ms.max(alert.since_ms.saturating_add(1)));
        alerts.push(with(of(notification, alert, alert.severity), page, end));
        // It was sent with the label `warning`, which is another alert to Alertmanager.
        if notification.news == News::Escalated && alert.severity == Severity::Critical && alert.event == Event::Updated
        {
            let end = alert.window_end_ms.max(alert.since_ms.saturating_add(1));
            alerts.push(with(of(notification, alert, Severity::Warning), page, Some(end)));
        }
    }
    if alerts.is_empty() {
        let end = (notification.event == Event::Resolved)
            .then_some(notification.at_ms.max(notification.since_ms.saturating_add(1)));
        alerts.push(with(whole(notification), page, end));
    }
    alerts
}

fn of(notification: &Notification, alert: &Alert, severity: Severity) -> Value {
    let chapter = story::chapter(alert);
    let points = [chapter.causes, chapter.markers].concat();
    json!({
        "labels": {
            "alertname": "EddylineIncident",
            "deployment": alert.deployment,
            "db": alert.db.to_string(),
            "monitor": alert.monitor,
            "incident": alert.incident,
            "group": notification.group,
            "severity": severity.as_str(),
        },
        "annotations": {
            "summary": format!("{}: {}", chapter.monitor, chapter.summary),
            "description": points.join("\n"),
            "rarity": chapter.rarity,
            "score": amount(alert.score),
            "incidents": notification.incidents.to_string(),
        },
        "startsAt": rfc3339(alert.since_ms),
    })
}

/// A notification without incidents: a test.
fn whole(notification: &Notification) -> Value {
    json!({
        "labels": {
            "alertname": if notification.test { "EddylineTest" } else { "EddylineIncident" },
            "deployment": notification.deployment,
            "group": notification.group,
            "severity": notification.severity.as_str(),
        },
        "annotations": {"summary": story::title(notification)},
        "startsAt": rfc3339(notification.since_ms),
    })
}

fn with(mut alert: Value, page: Option<&str>, end_ms: Option<u64>) -> Value {
    if let Some(page) = page {
        alert["generatorURL"] = page.into();
    }
    if let Some(end_ms) = end_ms {
        alert["endsAt"] = rfc3339(end_ms).into();
    }
    alert
}
