//! What a notification tells a person, in words and in order; each receiver lays them out and escapes them its own way.
//!
//! Every text here is one line without control characters, and of bounded length.

use eddyline_wire::alert::{Alert, Cause, Direction, Marker, Severity};
use eddyline_wire::notification::{News, Notification};

/// Longest title, in characters.
const TITLE: usize = 200;
const NAME: usize = 80;
const SENTENCE: usize = 300;
const ITEM: usize = 60;
const CAUSES: usize = 3;
const ITEMS: usize = 3;
/// Of many markers, those that stand closest to the incident.
const MARKERS: usize = 3;

/// A notification in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Story {
    /// What happened, on one line.
    pub title: String,
    /// Why it is told now.
    pub news: &'static str,
    /// Where.
    pub deployment: String,
    /// How many incidents, how many of them open.
    pub standing: String,
    /// From the first anomalous window to now.
    pub lasting: String,
    /// The worst incidents, worst first.
    pub chapters: Vec<Chapter>,
    /// How many more there are.
    pub more: Option<String>,
}

/// One incident in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chapter {
    pub monitor: String,
    pub severity: Severity,
    pub is_open: bool,
    pub summary: String,
    /// Expected against observed, and the items behind it.
    pub causes: Vec<String>,
    pub rarity: String,
    /// What people did shortly before it, oldest first.
    pub markers: Vec<String>,
    /// Why it is over.
    pub reason: Option<String>,
}

/// Tells `notification` with at most so many incidents.
pub(super) fn tell(notification: &Notification, most: usize) -> Story {
    let chapters: Vec<_> = notification.alerts.iter().take(most).map(chapter).collect();
    let left_out = notification.incidents.saturating_sub(chapters.len() as u64);
    Story {
        title: title(notification),
        news: news(notification),
        deployment: line(&notification.deployment, NAME),
        standing: standing(notification),
        lasting: span(notification.at_ms.saturating_sub(notification.since_ms)),
        more: (left_out > 0 && !chapters.is_empty()).then(|| format!("and {left_out} more")),
        chapters,
    }
}

/// What happened, on one line.
pub(super) fn title(notification: &Notification) -> String {
    line(&notification.title, TITLE)
}

/// One incident in words.
pub(super) fn chapter(alert: &Alert) -> Chapter {
    let markers = &alert.markers[alert.markers.len().saturating_sub(MARKERS)..];
    Chapter {
        monitor: line(&alert.monitor, NAME),
        severity: alert.severity,
        is_open: alert.is_open(),
        summary: line(&alert.summary, SENTENCE),
        causes: alert.causes.iter().take(CAUSES).map(cause).collect(),
        rarity: line(&alert.rarity, NAME),
        markers: markers.iter().map(marker).collect(),
        reason: alert.reason.as_ref().map(|reason| line(reason, SENTENCE)),
    }
}

/// `text` on one line, of at most so many characters: what a receiver could obey as layout becomes a space.
pub(super) fn line(text: &str, limit: usize) -> String {
    let mut chars = text.chars().map(|c| if is_layout(c) { ' ' } else { c });
    let mut line: String = chars.by_ref().take(limit).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// Controls, line and paragraph ends, and marks that turn the direction in which text is read.
fn is_layout(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn news(notification: &Notification) -> &'static str {
    match notification.news {
        _ if notification.test => "test",
        News::Opened => "opened",
        News::Joined => "more incidents",
        News::Escalated => "now critical",
        News::Changed => "new peak or cause",
        News::Resolved => "resolved",
    }
}

fn standing(notification: &Notification) -> String {
    match (notification.incidents, notification.open) {
        (1, 1) => "1, open".to_owned(),
        (1, _) => "1, over".to_owned(),
        (all, 0) => format!("{all}, all over"),
        (all, open) if all == open => format!("{all}, all open"),
        (all, open) => format!("{all}, {open} of them open"),
    }
}

fn cause(cause: &Cause) -> String {
    let way = match cause.direction {
        Direction::Up => "above",
        Direction::Down => "below",
    };
    let (observed, low, high) = (amount(cause.observed), amount(cause.low), amount(cause.high));
    let items: Vec<_> =
        cause.items.iter().take(ITEMS).map(|item| format!("{} ×{}", line(&item.item, ITEM), item.count)).collect();
    let behind = if items.is_empty() { String::new() } else { format!("; {}", items.join(", ")) };
    let (kind, what) = (line(&cause.kind, NAME), line(&cause.what, 2 * NAME));
    format!("{kind}: {what}, {observed} is {way} the usual {low} to {high}{behind}")
}

fn marker(marker: &Marker) -> String {
    format!("shortly before: {} ({})", line(&marker.text, NAME), line(&marker.at, ITEM))
}

/// A number with three digits that count.
pub(super) fn amount(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "unknown".to_owned(),
        size if size >= 1e15 => format!("{value:.2e}"),
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => trimmed(&format!("{value:.1}")),
        size if size >= 0.01 => trimmed(&format!("{value:.2}")),
        _ => format!("{value:.1e}"),
    }
}

fn trimmed(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn span(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    match () {
        () if seconds < 120 => format!("{seconds} s"),
        () if minutes < 120 => format!("{minutes} min"),
        () if hours < 48 => format!("{hours} h {} min", minutes % 60),
        () => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_the_text_is() {
        assert_eq!(line("a\nb\r\n\u{202e}c\u{2028}d\0", 64), "a b   c d ");
        assert_eq!(line("abcdef", 4), "abc…");
        assert_eq!(line("abcd", 4), "abcd");
        assert_eq!(line("éééé", 3), "éé…");
    }

    #[test]
    fn numbers_and_spans_are_short() {
        let shown = [0.0, 0.25, 0.004, 41.0, 41.27, 1234.5, -3.0, 2e20, f64::NAN, f64::INFINITY].map(amount);
        assert_eq!(shown, ["0", "0.25", "4.0e-3", "41", "41.3", "1234", "-3", "2.00e20", "unknown", "unknown"]);
        let spans = [0, 119_000, 120_000, 7_200_000, 10_000_000, 172_800_000].map(span);
        assert_eq!(spans, ["0 s", "119 s", "2 min", "2 h 0 min", "2 h 46 min", "2 days"]);
    }
}
