//! Logs on stderr: text where a person reads them, JSON where a machine does.

use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, filter::Targets, reload};

/// What is logged, while it is.
#[derive(Debug)]
pub struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// From now on this is logged: a level such as `debug`, or levels by target such as `info,redis=debug`.
    pub fn set(&self, levels: &str) {
        // It fails only when there is no logger any more.
        let _ = self.0.reload(targets(levels));
    }
}

/// What settings were checked to be.
fn targets(levels: &str) -> Targets {
    levels.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO))
}

/// Sets the process' logger.
pub fn init(levels: &str) -> Levels {
    let (filter, handle) = reload::Layer::new(targets(levels));
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        // It would complain on stderr, and panic when nobody reads that any more.
        .log_internal_errors(false);
    let logs = if std::io::stderr().is_terminal() { logs.boxed() } else { logs.json().flatten_event(true).boxed() };
    tracing_subscriber::registry().with(filter).with(logs).init();
    Levels(handle)
}

/// A trouble that lasts is said once, when it begins, and once more when it is over.
#[derive(Debug, Default)]
pub struct Notice(Option<String>);

impl Notice {
    /// Whether `trouble` is news: not what was said last.
    pub fn is_news(&mut self, trouble: &str) -> bool {
        let news = self.0.as_deref() != Some(trouble);
        if news {
            self.0 = Some(trouble.to_owned());
        }
        news
    }

    /// It is over: says whether there was anything.
    pub fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Notice;

    #[test]
    fn a_trouble_that_lasts_is_news_once() {
        let mut notice = Notice::default();
        assert!(!notice.is_over());
        assert!(notice.is_news("refused"));
        assert!(!notice.is_news("refused"));
        assert!(notice.is_news("timed out"));
        assert!(notice.is_over());
        assert!(notice.is_news("timed out"));
    }
}
