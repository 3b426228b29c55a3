//! The address of a page about an incident, from the operator's pattern.

use eddyline_wire::notification::Notification;
use reqwest::Url;
use std::fmt::Write as _;

const MAX_PATTERN: usize = 1024;
/// A name longer than this leaves the page without it rather than making an address that nobody takes.
const MAX_LINK: usize = 2048;

/// A checked pattern.
#[derive(Debug, Clone)]
pub(super) struct Link(String);

impl Link {
    /// Checks a pattern.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let filled = fill(pattern, |name| {
            ["group", "incident", "monitor", "deployment", "since_ms"].contains(&name).then(|| "x".to_owned())
        });
        let is_page = |url: &str| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        match filled {
            Some(url) if pattern.len() <= MAX_PATTERN && is_page(&url) => Ok(Self(pattern.to_owned())),
            _ => Err(format!(
                "`link` is an http or https address of at most {MAX_PATTERN} bytes, in which {{group}}, {{incident}}, \
                 {{monitor}}, {{deployment}} and {{since_ms}} may stand"
            )),
        }
    }

    /// The page about the worst incident of `notification`.
    pub(super) fn of(&self, notification: &Notification) -> Option<String> {
        let worst = notification.alerts.first();
        let url = fill(&self.0, |name| match name {
            "group" => Some(encoded(&notification.group)),
            "incident" => Some(encoded(worst.map_or(&notification.group, |alert| &alert.incident))),
            "monitor" => Some(encoded(worst.map_or("", |alert| &alert.monitor))),
            "deployment" => Some(encoded(&notification.deployment)),
            "since_ms" => Some(notification.since_ms.to_string()),
            _ => None,
        });
        url.filter(|url| url.len() <= MAX_LINK)
    }
}

/// The pattern with `{name}`s replaced; nothing where one is unknown.
fn fill(pattern: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut parts = pattern.split('{');
    let mut filled = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        filled.push_str(&value(name)?);
        filled.push_str(rest);
    }
    Some(filled)
}

/// `text` so that it stays within its place in an address.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::trial;

    #[test]
    fn what_stands_in_a_link_stays_in_its_place() {
        let link = Link::new("https://grafana.internal/d/x?var-d={deployment}&from={since_ms}#{group}").unwrap();
        let test = trial::notification("a/b?c=d&e#f \"é", "s", 5);
        assert_eq!(
            link.of(&test).unwrap(),
            "https://grafana.internal/d/x?var-d=a%2Fb%3Fc%3Dd%26e%23f%20%22%C3%A9&from=5#test-5"
        );
    }

    #[test]
    fn patterns_that_make_no_address_are_refused() {
        for pattern in
            ["", "grafana", "javascript:alert(1)", "https://h/{window}", "https://h/{group", &"https://h/".repeat(200)]
        {
            assert!(Link::new(pattern).unwrap_err().contains("{since_ms}"), "{pattern}");
        }
    }
}
