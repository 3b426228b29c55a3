//! Slack: an incoming webhook, Block Kit, and a line of text for where blocks aren't shown.

use super::http::Endpoint;
use super::link::Link;
use super::settings::{Shared, Slack as Settings};
use super::story::{self, Chapter, Story};
use super::{Delivery, Sink};
use eddyline_wire::alert::{Severity, rfc3339};
use eddyline_wire::notification::Notification;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Incidents of which a message tells.
const INCIDENTS: usize = 8;
/// Slack's limits, in characters.
const HEADER: usize = 150;
const TEXT: usize = 3000;
const FIELD: usize = 2000;

/// A channel of Slack.
#[derive(Debug)]
pub(super) struct Slack {
    endpoint: Endpoint,
    link: Option<Link>,
}

impl Slack {
    pub(super) fn new(settings: &Settings, shared: &Shared, link: Option<Link>) -> Result<Self, String> {
        Ok(Self { endpoint: Endpoint::new(&settings.url, &BTreeMap::new(), shared)?, link })
    }
}

impl Sink for Slack {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        let page = self.link.as_ref().and_then(|link| link.of(notification));
        let body = message(notification, page.as_deref()).to_string().into_bytes();
        Box::pin(self.endpoint.post("application/json", HeaderMap::new(), body))
    }
}

fn message(notification: &Notification, page: Option<&str>) -> Value {
    let story = story::tell(notification, INCIDENTS);
    let sign = match notification.test {
        true => ":large_blue_circle:",
        false => sign(notification.open == 0, notification.severity),
    };
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": cut(&escaped(&format!("{sign} {}", story.title)), HEADER), "emoji": true}}),
        json!({"type": "section", "fields": facts(notification, &story)}),
    ];
    for chapter in &story.chapters {
        blocks.push(json!({"type": "section", "text": mrkdwn(&incident(chapter), TEXT)}));
        blocks.push(json!({"type": "context", "elements": [mrkdwn(&escaped(&aside(chapter)), FIELD)]}));
    }
    if let Some(page) = page {
        let button = json!({"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": page});
        blocks.push(json!({"type": "actions", "elements": [button]}));
    }
    let more = story.more.map(|more| format!("{more} · ")).unwrap_or_default();
    let foot = format!("{more}eddyline · {}", story::line(&notification.group, FIELD / 10));
    blocks.push(json!({"type": "context", "elements": [mrkdwn(&escaped(&foot), FIELD)]}));
    let fallback = format!("{sign} {}: {}", story.news, story.title);
    json!({"text": cut(&escaped(&fallback), TEXT), "blocks": blocks})
}

fn facts(notification: &Notification, story: &Story) -> Vec<Value> {
    let mut facts = vec![("News", story.news.to_owned()), ("Deployment", escaped(&story.deployment))];
    if !notification.test {
        let since = rfc3339(notification.since_ms);
        // Slack shows it in the reader's time zone.
        let since = format!("<!date^{}^{{date_short_pretty}} {{time_secs}}|{since}>", notification.since_ms / 1000);
        facts.push(("Severity", notification.severity.as_str().to_owned()));
        facts.push(("Since", format!("{since} ({})", story.lasting)));
        facts.push(("Incidents", story.standing.clone()));
    }
    facts.iter().map(|(name, value)| mrkdwn(&format!("*{name}*\n{value}"), FIELD)).collect()
}

fn incident(chapter: &Chapter) -> String {
    let sign = sign(!chapter.is_open, chapter.severity);
    let mut text = format!("{sign} *{}*\n{}", escaped(&chapter.monitor), escaped(&chapter.summary));
    for point in chapter.causes.iter().chain(&chapter.markers) {
        text.push_str("\n• ");
        text.push_str(&escaped(point));
    }
    text
}

fn aside(chapter: &Chapter) -> String {
    match &chapter.reason {
        Some(reason) => format!("over: {reason}"),
        None => format!("{} · {}", chapter.severity.as_str(), chapter.rarity),
    }
}

fn sign(is_over: bool, severity: Severity) -> &'static str {
    match severity {
        _ if is_over => ":white_check_mark:",
        Severity::Warning => ":large_orange_circle:",
        Severity::Critical => ":red_circle:",
    }
}

/// Text in which Slack finds marks, but neither mentions nor addresses of its own accord.
fn mrkdwn(text: &str, limit: usize) -> Value {
    json!({"type": "mrkdwn", "text": cut(text, limit), "verbatim": true})
}

/// `<!channel>`, `<@user>` and `<address|text>` are what Slack obeys.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most so many characters, counted as Slack's own clients do, without a torn `&lt;` or `<!date…>` at the end.
fn cut(text: &str, limit: usize) -> String {
    let mut length = 0;
    let mut kept = String::new();
    for c in text.chars() {
        length += c.len_utf16();
        if length >= limit {
            let whole = kept.rfind(['&', '<']).filter(|&at| !kept[at..].contains([';', '>']));
            kept.truncate(whole.unwrap_or(kept.len()));
            kept.push('…');
            return kept;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{cut, escaped};

    #[test]
    fn markup_from_outside_is_shown_and_not_obeyed() {
        assert_eq!(escaped("<!channel> & <@U1> &lt;"), "&lt;!channel&gt; &amp; &lt;@U1&gt; &amp;lt;");
    }

    #[test]
    fn a_cut_text_ends_in_no_torn_escape() {
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(cut("abcd", 4), "abc…");
        assert_eq!(cut("ab&amp;cd", 6), "ab…");
        assert_eq!(cut("&amp;bcdefg", 9), "&amp;bcd…");
        assert_eq!(cut("😀😀😀", 6), "😀😀…");
    }
}
