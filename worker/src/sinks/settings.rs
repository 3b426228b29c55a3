//! What the operator chose for a sink: a table `[sinks.NAME]` of the file.
//!
//! Every sink has the [`Shared`] settings, each `type` its own beside them. A setting that the type doesn't know is refused.

use crate::cli::values;
use crate::config::secret::Secret;
use eddyline_wire::alert::Severity;
use eddyline_wire::notification::{News, Notification};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const TYPES: [&str; 7] = ["slack", "webhook", "alertmanager", "pagerduty", "cloudevents", "email", "stdout"];
const SHARED: [&str; 5] = ["min_severity", "events", "allow_private", "timeout", "link"];
/// What machines are sent: all there is.
const FOR_MACHINES: [News; 5] = [News::Opened, News::Joined, News::Escalated, News::Changed, News::Resolved];
/// What people are sent: a new peak of the same severity is no reason to look at a phone.
const FOR_PEOPLE: [News; 4] = [News::Opened, News::Joined, News::Escalated, News::Resolved];

/// A sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkSettings {
    /// What it is, and where.
    #[serde(flatten)]
    pub receiver: Receiver,
    /// What every sink has.
    #[serde(flatten)]
    pub shared: Shared,
}

/// What every sink has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// Groups that never were as severe aren't sent.
    pub min_severity: Severity,
    /// Which news are sent. Default: all to machines, all but `changed` to people.
    pub events: BTreeSet<News>,
    /// Whether the receiver may have a private, loopback, link-local or otherwise special address.
    pub allow_private: bool,
    /// How long a delivery may take.
    pub timeout: Timeout,
    /// Address of a page about the incident. `{group}`, `{incident}`, `{monitor}`, `{deployment}` and `{since_ms}` are
    /// replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Where notifications go, by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Receiver {
    /// A channel of Slack.
    Slack(Slack),
    /// Any HTTP server, our JSON.
    Webhook(Webhook),
    /// Prometheus' Alertmanager.
    Alertmanager(Alertmanager),
    /// A service of PagerDuty.
    PagerDuty(PagerDuty),
    /// Any receiver of CloudEvents 1.0 over HTTP.
    CloudEvents(CloudEvents),
    /// Mailboxes.
    Email(Email),
    /// The worker's standard output.
    Stdout(Stdout),
}

/// An incoming webhook of Slack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Its address, which is all that one needs to post.
    pub url: Secret,
}

/// Any HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to POST.
    pub url: Secret,
    /// Key of the signature; without one nothing is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Further headers, such as `Authorization`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
}

/// Alertmanager, API version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Where it is, without `/api/v2/alerts`.
    pub url: Secret,
    /// Further headers, such as `Authorization`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
}

/// PagerDuty, Events API version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerDuty {
    /// Integration key of the service.
    pub routing_key: Secret,
    /// Where to POST.
    #[serde(default = "PagerDuty::usual_url")]
    pub url: Secret,
}

/// A receiver of CloudEvents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudEvents {
    /// Where to POST.
    pub url: Secret,
    /// Further headers, such as `Authorization`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
}

/// A mail server and who gets mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The mail server.
    pub host: String,
    /// Its port. Default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Who logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// With which password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Sender: `address` or `Name <address>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// After a `STARTTLS`, which the server must know.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

/// Standard output: a line of JSON a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stdout {}

/// How long a delivery may take: 100 ms to 60 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(pub Duration);

impl SinkSettings {
    /// Whether the sink is sent `notification`. A test always is.
    #[must_use]
    pub fn wants(&self, notification: &Notification) -> bool {
        let shared = &self.shared;
        notification.test
            || notification.severity as u8 >= shared.min_severity as u8 && shared.events.contains(&notification.news)
    }
}

impl Receiver {
    /// The word of `type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::PagerDuty(_) => "pagerduty",
            Self::CloudEvents(_) => "cloudevents",
            Self::Email(_) => "email",
            Self::Stdout(_) => "stdout",
        }
    }

    fn usual_events(&self) -> BTreeSet<News> {
        match self {
            Self::Slack(_) | Self::PagerDuty(_) | Self::Email(_) => FOR_PEOPLE.into(),
            Self::Webhook(_) | Self::Alertmanager(_) | Self::CloudEvents(_) | Self::Stdout(_) => FOR_MACHINES.into(),
        }
    }
}

impl PagerDuty {
    fn usual_url() -> Secret {
        Secret::new("https://events.pagerduty.com/v2/enqueue".to_owned())
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let allowed = |ms: &u64| (100..=60_000).contains(ms);
        let ms = values::duration(&text).ok().filter(allowed);
        ms.map(|ms| Self(Duration::from_millis(ms)))
            .ok_or_else(|| D::Error::custom("`timeout` is 100ms to 60s, as in 10s"))
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = self.0.as_millis();
        let text = if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") };
        serializer.serialize_str(&text)
    }
}

/// [`Shared`] as it is written.
#[derive(Deserialize)]
struct Written {
    #[serde(default = "lowest")]
    min_severity: Severity,
    events: Option<BTreeSet<News>>,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    timeout: Timeout,
    link: Option<String>,
}

fn lowest() -> Severity {
    Severity::Warning
}

// By hand: serde can't refuse what is unknown to a type and to all types alike where the two share a table.
impl<'de> Deserialize<'de> for SinkSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(toml::Table::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl SinkSettings {
    fn of(mut own: toml::Table) -> Result<Self, String> {
        let kind = match own.remove("type") {
            Some(toml::Value::String(kind)) => kind,
            Some(_) => return Err(format!("`type`: expected one of {}", listed(&TYPES))),
            None => return Err("missing field `type`".to_owned()),
        };
        let shared: toml::Table =
            SHARED.iter().filter_map(|key| own.remove(*key).map(|value| ((*key).to_owned(), value))).collect();
        let receiver = match kind.as_str() {
            "slack" => Receiver::Slack(read(own)?),
            "webhook" => Receiver::Webhook(read(own)?),
            "alertmanager" => Receiver::Alertmanager(read(own)?),
            "pagerduty" => Receiver::PagerDuty(read(own)?),
            "cloudevents" => Receiver::CloudEvents(read(own)?),
            "email" => Receiver::Email(read(own)?),
            "stdout" => Receiver::Stdout(read(own)?),
            _ => return Err(format!("unknown variant `{}`, expected one of {}", kind.escape_debug(), listed(&TYPES))),
        };
        let Written { min_severity, events, allow_private, timeout, link } = read(shared)?;
        let events = events.unwrap_or_else(|| receiver.usual_events());
        if events.is_empty() {
            return Err(
                "`events` is empty: at least one of `opened`, `joined`, `escalated`, `changed`, `resolved`".into()
            );
        }
        Ok(Self { receiver, shared: Shared { min_severity, events, allow_private, timeout, link } })
    }
}

/// As serde writes it, so that whoever reads its messages reads these.
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error: toml::de::Error| {
        let why = error.message();
        if why.starts_with("unknown field") {
            let mut names = why.split('`').skip(1).step_by(2);
            let unknown = names.next().unwrap_or_default();
            let known: Vec<_> = names.chain(SHARED).collect();
            return format!("unknown field `{unknown}`, expected one of {}", listed(&known));
        }
        let key = error.to_string().lines().find_map(|line| line.strip_prefix("in ").map(|key| format!("{key}: ")));
        // A value of the wrong type may be a secret.
        let why = match why.split_once(", expected") {
            Some((_, expected)) if why.starts_with("invalid") => format!("expected{expected}"),
            _ => why.to_owned(),
        };
        format!("{}{why}", key.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<SinkSettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    fn news(severity: Severity, news: News) -> Notification {
        Notification { severity, news, ..crate::sinks::trial::notification("shop", "slack", 1_795_166_105_000) }
    }

    #[test]
    fn a_sink_needs_little() {
        let slack = settings("type = 'slack'\nurl = 'https://hooks.slack.com/services/T0/B0/x'").unwrap();
        assert_eq!(slack.receiver.name(), "slack");
        assert_eq!(slack.shared.timeout, Timeout(Duration::from_secs(10)));
        assert!(!slack.shared.allow_private);
        assert_eq!(settings("type = 'stdout'").unwrap().receiver, Receiver::Stdout(Stdout {}));
        let email =
            settings("type = 'email'\nhost = 'mail'\nfrom = 'a@b.c'\nto = ['d@e.f']\ntimeout = '1500ms'").unwrap();
        assert!(matches!(email.receiver, Receiver::Email(Email { tls: Tls::StartTls, .. })));
        assert_eq!(serde_json::to_value(&email).unwrap()["timeout"], "1500ms");
    }

    #[test]
    fn settings_read_back_as_they_were_written_but_for_secrets() {
        let text = "type = 'webhook'\nurl = 'https://h/'\nsecret = 'hunter2'\nheaders = { A = 'hunter2' }\n\
                    min_severity = 'critical'\nevents = ['opened', 'resolved']\nlink = 'https://g/{monitor}'";
        let webhook = settings(text).unwrap();
        let shown = serde_json::to_string(&webhook).unwrap();
        assert_eq!(
            shown,
            r#"{"type":"webhook","url":"***","secret":"***","headers":{"A":"***"},"min_severity":"critical","events":["opened","resolved"],"allow_private":false,"timeout":"10s","link":"https://g/{monitor}"}"#
        );
        assert!(!format!("{webhook:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        let refused = |text: &str| settings(text).unwrap_err();
        assert_eq!(refused("url = 'x'"), "missing field `type`");
        assert!(refused("type = 7").starts_with("`type`: expected one of `slack`, `webhook`"));
        assert!(refused("type = 'smoke'").contains("unknown variant `smoke`, expected one of `slack`, `webhook`"));
        assert_eq!(
            refused("type = 'slack'\nurl = 'x'\nchanel = '#ops'"),
            "unknown field `chanel`, expected one of `url`, `min_severity`, `events`, `allow_private`, `timeout`, `link`"
        );
        assert!(refused("type = 'slack'").contains("missing field `url`"));
        assert!(refused("type = 'stdout'\nevents = []").contains("`events` is empty"));
        assert!(refused("type = 'stdout'\nevents = ['closed']").contains("expected one of `opened`, `joined`"));
        assert!(refused("type = 'stdout'\nmin_severity = 'high'").contains("expected `warning` or `critical`"));
        for timeout in ["0s", "99ms", "61s", "10", "-1s"] {
            assert!(refused(&format!("type = 'stdout'\ntimeout = '{timeout}'")).contains("100ms to 60s"), "{timeout}");
        }
        let wrong = "type = 'email'\nhost = 'h'\nfrom = 'a@b'\nto = ['c@d']\npassword = 7777777";
        assert_eq!(refused(wrong), "`password`: expected a string");
    }

    #[test]
    fn people_are_spared_changes_and_machines_are_not() {
        let slack = settings("type = 'slack'\nurl = 'x'").unwrap();
        let webhook = settings("type = 'webhook'\nurl = 'x'").unwrap();
        for (kind, people, machines) in [
            (News::Opened, true, true),
            (News::Joined, true, true),
            (News::Changed, false, true),
            (News::Resolved, true, true),
        ] {
            let mut notification = news(Severity::Warning, kind);
            notification.test = false;
            assert_eq!((slack.wants(&notification), webhook.wants(&notification)), (people, machines), "{kind:?}");
        }
    }

    #[test]
    fn a_group_below_the_least_severity_is_not_sent_and_a_test_always_is() {
        let critical = settings("type = 'webhook'\nurl = 'x'\nmin_severity = 'critical'").unwrap();
        let mut warning = news(Severity::Warning, News::Opened);
        assert!(critical.wants(&warning));
        warning.test = false;
        assert!(!critical.wants(&warning));
        assert!(critical.wants(&Notification { test: false, ..news(Severity::Critical, News::Escalated) }));
    }
}
