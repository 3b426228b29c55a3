//! One mail: the same story as text and as HTML. A group's mails are one thread.

use super::super::story::{self, Chapter, Story};
use eddyline_wire::alert::rfc3339;
use eddyline_wire::notification::Notification;
use lettre::Message;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

/// Incidents of which a mail tells.
const INCIDENTS: usize = 20;

/// What a mail is made of.
pub(super) struct Letter<'a> {
    pub notification: &'a Notification,
    pub from: &'a Mailbox,
    pub to: &'a [Mailbox],
    /// Address of a page about the incident.
    pub page: Option<&'a str>,
}

impl Letter<'_> {
    /// The mail: the same bytes on every retry.
    pub(super) fn message(&self) -> Result<Message, lettre::error::Error> {
        let Self { notification, from, to, .. } = self;
        let story = story::tell(notification, INCIDENTS);
        let subject = format!("[eddyline {}] {}: {}", story.deployment, story.news, story.title);
        let thread = self.id(&notification.group);
        let mut message = Message::builder().from((*from).clone());
        for mailbox in *to {
            message = message.to(mailbox.clone());
        }
        let parts = MultiPart::alternative().boundary(format!("eddyline-{}", plain(&notification.id)));
        message
            .subject(subject)
            .date(UNIX_EPOCH + Duration::from_millis(notification.at_ms))
            .message_id(Some(self.id(&notification.id)))
            .in_reply_to(thread.clone())
            .references(thread)
            .header(AutoSubmitted)
            .multipart(
                parts
                    .singlepart(part(ContentType::TEXT_PLAIN, self.text(&story)))
                    .singlepart(part(ContentType::TEXT_HTML, self.html(&story))),
            )
    }

    fn facts(&self, story: &Story) -> Vec<(&'static str, String)> {
        let notification = self.notification;
        let mut facts = vec![("News", story.news.to_owned()), ("Deployment", story.deployment.clone())];
        if !notification.test {
            facts.push(("Severity", notification.severity.as_str().to_owned()));
            facts.push(("Since", format!("{} ({})", rfc3339(notification.since_ms), story.lasting)));
            facts.push(("Incidents", story.standing.clone()));
        }
        facts
    }

    fn text(&self, story: &Story) -> String {
        let mut text = format!("{}\n\n", story.title);
        for (name, value) in self.facts(story) {
            let _ = writeln!(text, "{name}: {value}");
        }
        for chapter in &story.chapters {
            let _ = writeln!(text, "\n{} ({})\n  {}", chapter.monitor, aside(chapter), chapter.summary);
            for point in chapter.causes.iter().chain(&chapter.markers) {
                let _ = writeln!(text, "  - {point}");
            }
        }
        for last in story.more.as_deref().into_iter().chain(self.page) {
            let _ = writeln!(text, "\n{last}");
        }
        let _ = writeln!(text, "\n-- \neddyline, group {}", story::line(&self.notification.group, 80));
        text
    }

    fn html(&self, story: &Story) -> String {
        let mut html = format!("<!doctype html>\n<html><body>\n<h2>{}</h2>\n<table>\n", escaped(&story.title));
        for (name, value) in self.facts(story) {
            let _ = writeln!(html, "<tr><td>{name}</td><td>{}</td></tr>", escaped(&value));
        }
        html.push_str("</table>\n");
        for chapter in &story.chapters {
            let (monitor, aside) = (escaped(&chapter.monitor), escaped(&aside(chapter)));
            let _ = writeln!(html, "<h3>{monitor} ({aside})</h3>\n<p>{}</p>\n<ul>", escaped(&chapter.summary));
            for point in chapter.causes.iter().chain(&chapter.markers) {
                let _ = writeln!(html, "<li>{}</li>", escaped(point));
            }
            html.push_str("</ul>\n");
        }
        if let Some(more) = &story.more {
            let _ = writeln!(html, "<p>{}</p>", escaped(more));
        }
        if let Some(page) = self.page {
            let _ = writeln!(html, "<p><a href=\"{}\">The incident</a></p>", escaped(page));
        }
        let group = story::line(&self.notification.group, 80);
        let _ = writeln!(html, "<p>eddyline, group {}</p>\n</body></html>", escaped(&group));
        html
    }

    fn id(&self, name: &str) -> String {
        format!("<{}@{}>", plain(name), self.from.email.domain())
    }
}

/// No absence note answers it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn part(kind: ContentType, body: String) -> SinglePart {
    SinglePart::builder().header(kind).body(body)
}

fn aside(chapter: &Chapter) -> String {
    match &chapter.reason {
        Some(reason) => format!("over: {reason}"),
        None => format!("{}, {}", chapter.severity.as_str(), chapter.rarity),
    }
}

/// `name` with what may stand in a message id.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).take(120).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
