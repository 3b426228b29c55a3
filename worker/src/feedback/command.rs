//! `eddyline feedback`: from the command line to feedback, and what is said about it.

use super::give::{FeedbackError, Given, Request, Word, give, list};
use super::record::{Said, What};
use crate::store::connect::Address;
use eddyline_wire::alert::rfc3339;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;

/// What was asked for.
#[derive(Debug)]
pub enum Order {
    /// Feedback is given.
    Give(Request),
    /// What is in force is shown, of one monitor or of all.
    List(Option<Companions>),
}

/// Does it; the lines to print.
///
/// # Errors
/// See [`FeedbackError`].
pub async fn run(address: &Address, order: &Order) -> Result<Vec<String>, FeedbackError> {
    let mut connection = address.connect_for_command().await?;
    match order {
        Order::Give(request) => Ok(vec![sentence(&give(&mut connection, request).await?, request.word)]),
        Order::List(monitor) => {
            let all = list(&mut connection, monitor.as_ref()).await?;
            let line = |monitor: &Companions, said: &Said| {
                let (name, what) = (printable(monitor.monitor(), 128), words(said.what));
                let (by, at) = (printable(said.by.as_bytes(), 128), rfc3339(said.at_ms));
                let summary = printable(said.summary.as_bytes(), 256);
                format!("{name}  {}  {what}  by {by} at {at}  {summary}", said.incident)
            };
            let lines = all.iter().flat_map(|(monitor, said)| said.iter().map(|said| line(monitor, said)));
            let lines: Vec<String> = lines.collect();
            Ok(if lines.is_empty() { vec!["nothing is in force".to_owned()] } else { lines })
        }
    }
}

fn words(what: What) -> String {
    match what {
        What::Normal | What::Anomaly => what.word().to_owned(),
        What::Snooze { until_ms } => format!("snooze until {}", rfc3339(until_ms)),
    }
}

/// What comes of feedback, for whoever gave it.
#[must_use]
pub fn sentence(given: &Given, word: Word) -> String {
    let Given { monitor, said } = given;
    let what = words(said.what);
    let told = format!("incident {} of {}: {}", said.incident, monitor, printable(said.summary.as_bytes(), 256));
    let effect = match said.what {
        _ if word == Word::Undo => format!("'{what}' was taken back"),
        What::Normal => "normal: the like of it opens nothing any more".to_owned(),
        What::Anomaly => {
            "anomaly: the like of it opens, and isn't accepted as the new normal while it lasts".to_owned()
        }
        What::Snooze { until_ms } => format!("the like of it opens nothing until {}", rfc3339(until_ms)),
    };
    format!("{told}\n{effect}")
}
