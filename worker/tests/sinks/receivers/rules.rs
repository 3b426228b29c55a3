//! What the receivers' own documents ask of a request.

use super::http::Post;
use eddyline_wire::notification::Notification;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Slack, Block Kit: <https://docs.slack.dev/reference/block-kit/blocks>.
pub(crate) fn slack(message: &Value) {
    let text = message["text"].as_str().expect("a text for where blocks aren't shown");
    assert!((1..=4000).contains(&length(text)));
    is_mrkdwn(text);
    let blocks = message["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()));
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => {
                assert_eq!(block["text"]["type"], "plain_text");
                let text = block["text"]["text"].as_str().unwrap();
                assert!((1..=150).contains(&length(text)));
                is_mrkdwn(text);
            }
            "section" => {
                let fields = block["fields"].as_array();
                assert!(block.get("text").is_some() || fields.is_some());
                block.get("text").into_iter().for_each(|text| is_text(text, 3000));
                fields.into_iter().for_each(|fields| assert!((1..=10).contains(&fields.len())));
                fields.into_iter().flatten().for_each(|text| is_text(text, 2000));
            }
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                elements.iter().for_each(|text| is_text(text, 2000));
            }
            "actions" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=25).contains(&elements.len()));
                for button in elements {
                    assert_eq!(button["type"], "button");
                    assert!((1..=75).contains(&length(button["text"]["text"].as_str().unwrap())));
                    assert!((1..=3000).contains(&length(button["url"].as_str().unwrap())));
                }
            }
            other => panic!("a block of type {other}"),
        }
    }
}

fn is_text(text: &Value, limit: usize) {
    assert_eq!(text["type"], "mrkdwn");
    let text = text["text"].as_str().unwrap();
    assert!((1..=limit).contains(&length(text)), "{}", length(text));
    is_mrkdwn(text);
}

/// Nothing from outside is obeyed: no mention, no link; and no escape is torn.
fn is_mrkdwn(text: &str) {
    for (at, _) in text.match_indices('<') {
        let date = text[at..].strip_prefix("<!date^").expect("only a date may be obeyed");
        assert!(date.split_once('>').is_some_and(|(date, _)| date.len() < 100), "{date}");
    }
    for (at, _) in text.match_indices('&') {
        assert!(["&amp;", "&lt;", "&gt;"].iter().any(|escape| text[at..].starts_with(escape)), "{}", &text[at..]);
    }
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// PagerDuty, Events API v2: <https://developer.pagerduty.com/docs/send-alert-event>.
pub(crate) fn pagerduty(event: &Value) {
    assert!(event.to_string().len() <= 512 * 1024);
    assert_eq!(event["routing_key"].as_str().unwrap().len(), 32);
    assert!((1..=255).contains(&event["dedup_key"].as_str().unwrap().chars().count()));
    match event["event_action"].as_str().unwrap() {
        "resolve" => {}
        "trigger" => {
            let payload = &event["payload"];
            assert!((1..=1024).contains(&payload["summary"].as_str().unwrap().chars().count()));
            assert!(!payload["source"].as_str().unwrap().is_empty());
            assert!(["critical", "warning", "error", "info"].contains(&payload["severity"].as_str().unwrap()));
            instant(&payload["timestamp"]);
            for key in ["component", "group", "class"] {
                assert!(payload.get(key).is_none_or(Value::is_string));
            }
            assert!(payload["custom_details"].is_object());
            for link in event["links"].as_array().into_iter().flatten() {
                assert!(link["href"].as_str().unwrap().starts_with("https://") && link["text"].is_string());
            }
        }
        other => panic!("an event_action {other}"),
    }
}

/// Alertmanager, API v2: `api/v2/openapi.yaml` of prometheus/alertmanager, and its validation of alerts.
pub(crate) fn alertmanager(alerts: &Value) {
    let alerts = alerts.as_array().unwrap();
    assert!(!alerts.is_empty());
    for alert in alerts {
        let alert = alert.as_object().unwrap();
        let known = ["labels", "annotations", "startsAt", "endsAt", "generatorURL"];
        assert!(alert.keys().all(|key| known.contains(&key.as_str())), "{alert:?}");
        let labels = alert["labels"].as_object().unwrap();
        assert!(labels.contains_key("alertname"));
        for (name, value) in labels.iter().chain(alert["annotations"].as_object().unwrap()) {
            let mut letters = name.chars();
            assert!(letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_'), "{name}");
            assert!(letters.all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
            assert!(value.is_string(), "{name}");
        }
        assert!(labels.values().all(|value| value != ""), "an empty label is no label");
        let start = instant(&alert["startsAt"]);
        assert!(alert.get("endsAt").is_none_or(|end| instant(end) > start));
        assert!(alert.get("generatorURL").is_none_or(|url| url.as_str().unwrap().starts_with("https://")));
    }
}

/// CloudEvents 1.0, structured mode over HTTP: <https://github.com/cloudevents/spec>.
pub(crate) fn cloudevents(post: &Post, notification: &Notification) {
    assert_eq!(post.header("content-type"), "application/cloudevents+json");
    let event = post.json();
    assert_eq!(event["specversion"], "1.0");
    for key in ["id", "source", "type", "subject"] {
        assert!(event[key].as_str().is_some_and(|value| !value.is_empty()), "{key}");
    }
    let source = event["source"].as_str().unwrap();
    assert!(source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte)), "{source}");
    instant(&event["time"]);
    assert_eq!(event["datacontenttype"], "application/json");
    let attributes = event.as_object().unwrap().keys();
    assert!(attributes.into_iter().all(|key| key.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())));
    let data: Notification = serde_json::from_value(event["data"].clone()).unwrap();
    assert_eq!((&data.id, data.incidents), (&notification.id, notification.incidents));
    assert!(post.body.len() <= 300_000, "{}", post.body.len());
}

fn instant(text: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(text.as_str().unwrap(), &Rfc3339).unwrap()
}
