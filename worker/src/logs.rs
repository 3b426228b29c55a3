//! Logs on stderr: text where a person reads them, JSON where a machine does.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Sets the process' logger. `EDDYLINE_LOG` chooses levels, such as `debug` or `eddyline=debug`; the default is `info`.
pub fn init() {
    let filter = EnvFilter::try_from_env("EDDYLINE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        // It would complain on stderr, and panic when nobody reads that any more.
        .log_internal_errors(false);
    if std::io::stderr().is_terminal() {
        logs.init();
    } else {
        logs.json().flatten_event(true).init();
    }
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
