//! The shapes of what crates without a notion of HTTP define, for the OpenAPI document.

use serde::Serialize;
use utoipa::ToSchema;

/// A message about an incident, as it is published and kept in `{monitor}:incidents`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub struct AlertShape {
    /// Version of the shape.
    v: u32,
    /// `opened`, `updated` or `resolved`.
    event: String,
    /// Id of the incident: the same on every retry.
    incident: String,
    /// Name of the monitor.
    monitor: String,
    /// Name of the deployment.
    deployment: String,
    /// Number of the database.
    db: u32,
    /// `warning` or `critical`, at the peak so far.
    severity: String,
    /// Highest score so far, 0.5 to 1.
    score: f64,
    /// The `p` of that window.
    p: f64,
    /// How rare that is, in words.
    rarity: String,
    /// One sentence for a person.
    summary: String,
    /// Start of the first anomalous window, RFC 3339 in UTC.
    since: String,
    /// The same in ms since the epoch.
    since_ms: u64,
    /// End of the window that this message is about, ms since the epoch.
    window_end_ms: u64,
    /// Length of a window in ms.
    window_ms: u64,
    /// Windows from the first to this one.
    windows: u64,
    /// Why: expected against observed, and the items behind it.
    causes: Vec<CauseShape>,
    /// What people did in the half hour before the first window, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    markers: Option<Vec<MarkerShape>>,
    /// Why it was resolved; only with `resolved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Id of the entry in `{monitor}:incidents`.
    entry: String,
}

/// One reason for a score, largest share first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cause)]
pub struct CauseShape {
    /// What kind of thing it is: `latency`, `error burst`, `vanished`, `new item`, …
    kind: String,
    /// The feature, as `EDDY.SCHEMA` names its block.
    feature: String,
    /// The feature in words, with the item's name where it is known.
    what: String,
    /// `up` or `down`.
    direction: String,
    /// What was expected.
    expected: f64,
    /// Lower end of what is ordinary.
    low: f64,
    /// Upper end of what is ordinary.
    high: f64,
    /// What was observed.
    observed: f64,
    /// Share of the score, 0 to 1.
    share: f64,
    /// Items behind it, largest first.
    items: Vec<CauseItemShape>,
}

/// An item behind a cause.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CauseItem)]
pub struct CauseItemShape {
    /// The item's text.
    item: String,
    /// Its observations in the window.
    count: u64,
}

/// What people did shortly before an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertMarker)]
pub struct MarkerShape {
    /// When, RFC 3339 in UTC.
    at: String,
    /// What, in their words.
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_wire::alert::Alert;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use utoipa::PartialSchema;

    fn properties(schema: impl Serialize) -> BTreeSet<String> {
        let schema = serde_json::to_value(schema).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_document_tells_the_fields_that_messages_have() {
        let golden = include_str!("../../../../crates/wire/fixtures/alert.json");
        let mut alert: Alert = serde_json::from_str(golden).unwrap();
        alert.reason = Some("quiet".to_owned());
        alert.markers = vec![eddyline_wire::alert::Marker { at: String::new(), text: String::new() }];
        let alert = serde_json::to_value(&alert).unwrap();
        assert_eq!(properties(AlertShape::schema()), keys(&alert));
        assert_eq!(properties(CauseShape::schema()), keys(&alert["causes"][0]));
        assert_eq!(properties(CauseItemShape::schema()), keys(&alert["causes"][0]["items"][0]));
        assert_eq!(properties(MarkerShape::schema()), keys(&alert["markers"][0]));
    }
}
