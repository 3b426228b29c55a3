//! Pictures of a replay: scores over time with the alert line, incidents and labelled faults. A page that needs nothing but
//! itself, or a drawing alone.

mod axis;
mod html;
mod svg;

use super::ReplayError;
use super::incidents::{Incident, incidents};
use super::outcome::Outcome;
use eddyline_wire::score::State;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// A stretch that is labelled as faulty.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Its beginning, ms since the epoch.
    pub start_ms: u64,
    /// Its end.
    pub end_ms: u64,
    /// What is known of it.
    pub what: String,
}

impl From<&super::labels::Fault> for Fault {
    fn from(fault: &super::labels::Fault) -> Self {
        let ms = |seconds: f64| (seconds * 1000.0) as u64;
        Self { start_ms: ms(fault.start_s), end_ms: ms(fault.end_s), what: fault.what.clone() }
    }
}

/// What is drawn of one monitor.
#[derive(Debug)]
pub struct Chart<'a> {
    /// The monitor, or the file.
    pub name: String,
    /// Scores and incidents.
    pub outcome: &'a Outcome,
    /// Length of a window in ms.
    pub window_ms: u64,
    /// Whether times are those of a calendar; else windows are counted.
    pub has_times: bool,
    /// Labelled stretches, if labels were given.
    pub faults: Option<Vec<Fault>>,
}

impl Chart<'_> {
    fn incidents(&self) -> Vec<Incident<'_>> {
        incidents(&self.outcome.alerts)
    }

    /// First and last millisecond.
    fn span(&self) -> (u64, u64) {
        let windows = &self.outcome.windows;
        let first = windows.first().map_or(0, |window| window.end_ms.saturating_sub(self.window_ms));
        (first, windows.last().map_or(first + 1, |window| window.end_ms).max(first + 1))
    }

    /// End of the windows that only taught.
    fn learnt_ms(&self) -> Option<u64> {
        let warming = |window: &&super::outcome::Window| matches!(window.score.state, State::Warming { .. });
        self.outcome.windows.iter().take_while(warming).last().map(|window| window.end_ms)
    }

    /// A time for people.
    fn when(&self, ms: u64) -> String {
        if self.has_times { super::report::clock(ms) } else { format!("window {}", ms / self.window_ms) }
    }

    /// Whether something labelled was going on from `since_ms` to `end_ms`; none without labels.
    fn fault_during(&self, since_ms: u64, end_ms: u64) -> Option<Option<&Fault>> {
        let faults = self.faults.as_ref()?;
        Some(faults.iter().find(|fault| since_ms < fault.end_ms && end_ms > fault.start_ms))
    }
}

/// Draws the charts into the file at `path`: alone where its name ends in `.svg`, else as a page.
///
/// # Errors
/// What can't be written.
pub fn draw(path: &Path, charts: &[Chart<'_>]) -> Result<(), ReplayError> {
    let is_drawing = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    let text = if is_drawing { svg::drawing(charts) } else { html::page(charts) };
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        file.write_all(text.as_bytes()).and_then(|()| file.flush())
    });
    written.map_err(|error| ReplayError::File(path.to_owned(), error))
}

/// Text as it may stand between tags and in attributes; what XML can't hold at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_name_breaks_out_of_its_element() {
        assert_eq!(escaped("</title><script>\"x\"&\u{1}\n"), "&lt;/title&gt;&lt;script&gt;&quot;x&quot;&amp; ");
    }
}
