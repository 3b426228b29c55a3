//! What people are told: the JSON of an entry in `{eddyline}:notifications`, which every sink gets in its own shape.
//!
//! Incidents that come about together are one group with one story: opened, updated, resolved. The entry has the fields
//! `group`, `event` and `notification` (this JSON).

use crate::alert::{Alert, Event, Severity};
use serde::{Deserialize, Serialize};

/// Version of the shape. New fields don't raise it; readers ignore what they don't know.
pub const VERSION: u32 = 1;
/// Most incidents that one notification lists.
pub const MAX_ALERTS: usize = 50;

/// Why there is a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// A group began.
    Opened,
    /// More incidents joined it.
    Joined,
    /// It became critical.
    Escalated,
    /// A new peak or a new cause, of no higher severity.
    Changed,
    /// All of its incidents are over.
    Resolved,
}

/// The notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// [`VERSION`].
    pub v: u32,
    /// The group and the number of this notification in it, such as `5b1f2c9a7e3d4860-0`: the same on every retry. Receivers
    /// drop what they have seen.
    pub id: String,
    /// Id of the group: that of its first incident.
    pub group: String,
    /// What happened to the group.
    pub event: Event,
    /// Why there is this notification.
    pub news: News,
    /// Name of the deployment.
    pub deployment: String,
    /// The highest severity in the group so far.
    pub severity: Severity,
    /// One line for a person.
    pub title: String,
    /// Start of the first anomalous window, ms since the epoch.
    pub since_ms: u64,
    /// When it was made, ms since the epoch.
    pub at_ms: u64,
    /// Incidents in the group so far.
    pub incidents: u64,
    /// Those of them that are still open.
    pub open: u64,
    /// The last message about each incident, worst first, at most [`MAX_ALERTS`]; all those that are news come before others.
    pub alerts: Vec<Alert>,
    /// Whether it only tries out a sink.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

impl Notification {
    /// The JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and finite numbers always serialise")
    }

    /// Incidents that `alerts` leaves out.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.incidents.saturating_sub(self.alerts.len() as u64)
    }
}
