//! What is sent over HTTP.

use crate::receivers::http::{Http, Post};
use crate::receivers::{NASTY, all, assert_golden, joined, opened, resolved, rules, sink};
use eddyline_wire::alert::{Event, Severity};
use eddyline_wire::notification::{News, Notification};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeSet;

const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a sink of such settings posts.
async fn posted(settings: &str, notification: &Notification) -> Post {
    let receiver = Http::start();
    let section = format!("{settings}\nurl = '{}'\nallow_private = true", receiver.url("/base"));
    sink(&section).send(notification).await.unwrap();
    assert_eq!(receiver.posts().len(), 1);
    receiver.last()
}

fn pretty(body: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(body).unwrap())
}

#[tokio::test]
async fn slack_gets_blocks_that_it_takes() {
    let settings = "type = 'slack'\nlink = 'https://grafana.internal/d/eddyline?from={since_ms}&var-monitor={monitor}'";
    for (kind, notification) in all() {
        let post = posted(settings, &notification).await;
        assert_eq!(post.header("content-type"), "application/json");
        let message = post.json();
        rules::slack(&message);
        match kind {
            "opened" => assert_golden("slack.json", &pretty(&message)),
            "joined" => assert!(post.body.contains("and 192 more") && post.body.contains("200, all open")),
            "resolved" => {
                assert!(post.body.contains(":white_check_mark:") && post.body.contains("quiet for 10 windows"));
            }
            "test" => assert!(post.body.contains("This is a test")),
            _ => assert!(!post.body.contains("<!channel>") && !post.body.contains("<https")),
        }
    }
}

#[tokio::test]
async fn pagerduty_gets_one_alert_a_group() {
    let settings =
        format!("type = 'pagerduty'\nrouting_key = '{ROUTING_KEY}'\nlink = 'https://grafana.internal/{{group}}'");
    let mut keys = BTreeSet::new();
    for (kind, notification) in all() {
        let event = posted(&settings, &notification).await.json();
        rules::pagerduty(&event);
        assert_eq!(event["event_action"], if kind == "resolved" { "resolve" } else { "trigger" });
        if kind != "test" {
            keys.insert(event["dedup_key"].to_string());
        }
        match kind {
            "opened" => assert_golden("pagerduty.json", &pretty(&event)),
            "joined" => assert_eq!(event["payload"]["custom_details"]["incidents"], 200),
            _ => {}
        }
    }
    assert_eq!(keys.len(), 1, "what happens to a group happens to one alert");
}

#[tokio::test]
async fn alertmanager_gets_an_alert_an_incident_under_labels_that_stay() {
    let settings = "type = 'alertmanager'\nlink = 'https://grafana.internal/{incident}'";
    let mut labels = BTreeSet::new();
    for (kind, notification) in all() {
        let post = posted(settings, &notification).await;
        assert_eq!(post.path, "/base/api/v2/alerts");
        let alerts = post.json();
        rules::alertmanager(&alerts);
        let open = alerts.as_array().unwrap().iter().filter(|alert| alert.get("endsAt").is_none()).count();
        match kind {
            "opened" => assert_golden("alertmanager.json", &pretty(&alerts)),
            "joined" => assert_eq!(open, 50),
            "resolved" => assert_eq!((open, &alerts[0]["endsAt"]), (0, &"2026-11-20T09:16:05Z".into())),
            _ => {}
        }
        if matches!(kind, "opened" | "resolved") {
            labels.insert(alerts[0]["labels"].to_string());
        }
    }
    assert_eq!(labels.len(), 1, "the end must be that of what began");
}

#[tokio::test]
async fn alertmanager_hears_of_the_end_of_the_warning_that_became_critical() {
    let mut escalated = opened();
    escalated.news = News::Escalated;
    escalated.event = Event::Updated;
    escalated.alerts[0].event = Event::Updated;
    let alerts = posted("type = 'alertmanager'", &escalated).await.json();
    rules::alertmanager(&alerts);
    let severities: Vec<_> = [&alerts[0], &alerts[1]]
        .map(|alert| (alert["labels"]["severity"].clone(), alert.get("endsAt").is_some()))
        .into();
    assert_eq!(severities, [("critical".into(), false), ("warning".into(), true)]);
    let repeats = sink("type = 'alertmanager'\nurl = 'https://example.com'").repeats_every();
    assert_eq!(repeats.map(|every| every.as_secs()), Some(60));
}

#[tokio::test]
async fn cloudevents_get_an_envelope() {
    for (kind, notification) in all() {
        let post = posted("type = 'cloudevents'\nheaders = { Authorization = 'Bearer x' }", &notification).await;
        assert_eq!(post.header("authorization"), "Bearer x");
        rules::cloudevents(&post, &notification);
        let event = post.json();
        let expected = match kind {
            "test" => "io.eddyline.test".to_owned(),
            _ => format!("io.eddyline.incident.{}", notification.event.as_str()),
        };
        assert_eq!(event["type"], expected);
        assert_eq!(event["id"], notification.id);
        if kind != "hostile" {
            assert_eq!(event["data"], serde_json::to_value(&notification).unwrap());
        }
        if kind == "opened" {
            assert_golden("cloudevents.json", &pretty(&event));
        }
    }
}

#[tokio::test]
async fn a_webhook_is_signed_over_time_and_body() {
    let secret = "0123456789abcdef";
    for (kind, notification) in all() {
        let post = posted(&format!("type = 'webhook'\nsecret = '{secret}'"), &notification).await;
        if kind == "hostile" {
            assert!(post.body.len() <= 256 * 1024 && notification.to_json().len() > 256 * 1024);
            assert_eq!(post.json()["incidents"], 200);
        } else {
            assert_eq!(post.body, notification.to_json());
        }
        assert_eq!(post.header("eddyline-delivery"), notification.id);
        assert_eq!(post.header("eddyline-event"), if kind == "test" { "test" } else { notification.event.as_str() });
        let time = post.header("eddyline-timestamp");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.{}", post.body).as_bytes());
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(post.header("eddyline-signature"), format!("sha256={expected}"));
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        assert!((now - 60..=now).contains(&time.parse().unwrap()));
        if kind == "opened" {
            assert_golden("notification.json", &format!("{}\n", post.body));
        }
    }
}

#[tokio::test]
async fn a_webhook_without_a_secret_has_no_signature_and_what_headers_one_asks_for() {
    let post = posted("type = 'webhook'\nheaders = { X-Team = 'ops', Authorization = 'Bearer x' }", &joined()).await;
    assert!(!post.headers.contains_key("eddyline-signature"));
    assert_eq!((post.header("x-team"), post.header("authorization")), ("ops", "Bearer x"));
    assert!(post.header("user-agent").starts_with("eddyline/"));
    assert_eq!(post.path, "/base");
}

#[tokio::test]
async fn the_same_notification_is_the_same_request_however_often_it_is_sent() {
    for settings in ["type = 'slack'", "type = 'alertmanager'", "type = 'cloudevents'", "type = 'webhook'"] {
        for notification in [opened(), joined(), resolved()] {
            let (first, again) = (posted(settings, &notification).await, posted(settings, &notification).await);
            assert_eq!(first.body, again.body, "{settings}");
        }
    }
}

#[tokio::test]
async fn a_login_in_the_address_becomes_a_header() {
    let receiver = Http::start();
    let url = receiver.url("").replace("http://", "http://user:p%40ss@");
    sink(&format!("type = 'alertmanager'\nurl = '{url}'\nallow_private = true")).send(&opened()).await.unwrap();
    assert_eq!(receiver.last().header("authorization"), "Basic dXNlcjpwQHNz");
}

#[test]
fn the_samples_in_the_documents_are_what_is_sent() {
    let page = include_str!("../../../docs/sinks.md");
    for sample in [
        include_str!("../../fixtures/sinks/alertmanager.json"),
        include_str!("../../fixtures/sinks/pagerduty.json"),
        include_str!("../../fixtures/sinks/notification.json"),
    ] {
        assert!(page.contains(sample.trim_end()), "docs/sinks.md shows something else than {sample}");
    }
}

#[tokio::test]
async fn names_reach_machines_whole_and_people_on_one_line() {
    let mut notification = opened();
    notification.alerts[0].monitor = NASTY.to_owned();
    notification.severity = Severity::Warning;
    let alerts = posted("type = 'alertmanager'", &notification).await.json();
    assert_eq!(alerts[0]["labels"]["monitor"], NASTY);
    let message = posted("type = 'slack'", &notification).await.json();
    let text = message["blocks"][2]["text"]["text"].as_str().unwrap();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with(":red_circle: *a\"b'c  Bcc: all@example.com  &lt;!channel&gt;"), "{first}");
    assert!(!text.contains(['\u{0}', '\u{1b}', '\u{202e}', '\r']));
}
