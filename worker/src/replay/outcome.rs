//! What a replay leaves, whichever way it went.

use eddyline_measures::rows::ALERT;
use eddyline_wire::alert::Alert;
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::score::{Score, State};
use std::fmt::Write as _;
use std::io::{self, Write};

/// A scored window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// End of the window, ms since the epoch.
    pub end_ms: u64,
    /// Its score.
    pub score: Score,
}

/// Columns of a table of scores.
pub const COLUMNS: [&str; 5] = ["window_end_ms", "score", "alert", "p", "state"];

impl Window {
    /// Whether its score is an alert.
    #[must_use]
    pub fn alerts(&self) -> bool {
        self.score.score >= ALERT
    }

    /// Its row in a table of scores: [`COLUMNS`].
    #[must_use]
    pub fn row(&self) -> [String; 5] {
        let Score { score, p, state, .. } = &self.score;
        let alert = u8::from(self.alerts()).to_string();
        [self.end_ms.to_string(), score.to_string(), alert, format!("{p:e}"), state.to_string()]
    }
}

/// Everything a replay leaves.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Scored windows in order of time.
    pub windows: Vec<Window>,
    /// Messages about incidents, in order.
    pub alerts: Vec<Alert>,
    /// Fingerprints as text, one a line, in order.
    pub fingerprints: Vec<String>,
}

/// A fingerprint as a line of text that is equal exactly when its bytes are.
#[must_use]
pub fn fingerprint_line(fingerprint: &Fingerprint) -> String {
    let mut line = format!("{} n={} schema={} v=", fingerprint.id(), fingerprint.n, schema_id(fingerprint.schema));
    for byte in fingerprint.values.iter().flat_map(|value| value.to_le_bytes()) {
        let _ = write!(line, "{byte:02x}");
    }
    let _ =
        write!(line, " top={} gap={} partial={}", fingerprint.top.to_json(), fingerprint.gap_ms, fingerprint.partial);
    line
}

impl Outcome {
    /// Windows with a score, warming ones left out.
    #[must_use]
    pub fn ready(&self) -> Vec<Window> {
        self.windows.iter().filter(|window| window.score.state == State::Ready).cloned().collect()
    }

    /// Writes the scores as CSV: `window_end_ms,score,alert,p,state`.
    ///
    /// # Errors
    /// Whatever the writer says.
    pub fn write_scores(&self, mut out: impl Write) -> io::Result<()> {
        writeln!(out, "{}", COLUMNS.join(","))?;
        for window in self.ready() {
            writeln!(out, "{}", window.row().join(","))?;
        }
        out.flush()
    }

    /// Writes the fingerprints, one a line.
    ///
    /// # Errors
    /// Whatever the writer says.
    pub fn write_fingerprints(&self, mut out: impl Write) -> io::Result<()> {
        for line in &self.fingerprints {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }
}
