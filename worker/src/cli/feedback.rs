//! Arguments of `eddyline feedback`.

use super::ServerArgs;
use super::values::{companions, duration};
use crate::feedback::command::Order;
use crate::feedback::give::{LONGEST_SNOOZE_MS, Request, Word};
use crate::feedback::record::MAX_BY;
use clap::{Args, ValueEnum};
use eddyline_wire::keys::Companions;

const FEEDBACK_EXAMPLES: &str = "\
Examples:
  eddyline feedback 5b1f2c9a7e3d4860 normal            the like of it opens nothing any more
  eddyline feedback 5b1f2c9a7e3d4860 snooze 2h         not for two hours
  eddyline feedback 5b1f2c9a7e3d4860 anomaly           it is one: 'normal' no longer holds for its like
  eddyline feedback 5b1f2c9a7e3d4860 undo              takes back what was said last of it
  eddyline feedback --list                             what is in force
  eddyline feedback 5b1f2c9a7e3d4860 normal --by ann --monitor checkout

The id stands in every alert as 'incident'. Workers act on it within two seconds: an open incident that is called normal is
resolved. Who said what and when is kept in the stream {eddyline}:audit. docs/controls.md says what is alike.";

/// Arguments of `eddyline feedback`.
#[derive(Debug, Args)]
#[command(after_help = FEEDBACK_EXAMPLES)]
pub struct FeedbackArgs {
    /// Id of the incident: 16 hex digits.
    #[arg(required_unless_present = "list", requires = "word", value_parser = incident)]
    pub incident: Option<String>,
    /// What to say of it.
    #[arg(required_unless_present = "list")]
    pub word: Option<WordArg>,
    /// How long it is snoozed: a number and its unit, as in 2h; up to 720h.
    #[arg(required_if_eq("word", "snooze"), value_parser = snooze)]
    pub duration: Option<u64>,
    /// Who says it.
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME", value_parser = by)]
    pub by: String,
    /// The monitor; without it, it is looked for.
    #[arg(long, value_name = "NAME", value_parser = companions)]
    pub monitor: Option<Companions>,
    /// Show what is in force.
    #[arg(long, conflicts_with_all = ["incident", "word", "duration"])]
    pub list: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WordArg {
    /// The like of it opens nothing any more.
    Normal,
    /// It is an anomaly.
    Anomaly,
    /// The like of it opens nothing for a while.
    Snooze,
    /// What was said last of it is taken back.
    Undo,
}

impl FeedbackArgs {
    /// What is asked for.
    ///
    /// # Errors
    /// A duration for what isn't snoozed.
    pub fn order(&self) -> Result<Order, &'static str> {
        let (Some(incident), Some(word)) = (&self.incident, self.word) else {
            return Ok(Order::List(self.monitor.clone()));
        };
        let word = match (word, self.duration) {
            (WordArg::Snooze, duration) => Word::Snooze(duration.unwrap_or_default()),
            (_, Some(_)) => return Err("only snooze takes a duration"),
            (WordArg::Normal, None) => Word::Normal,
            (WordArg::Anomaly, None) => Word::Anomaly,
            (WordArg::Undo, None) => Word::Undo,
        };
        let (incident, by, monitor) = (incident.clone(), self.by.clone(), self.monitor.clone());
        Ok(Order::Give(Request { incident, word, by, monitor }))
    }
}

fn incident(text: &str) -> Result<String, &'static str> {
    let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Ok(text.to_ascii_lowercase()) } else { Err("an incident's id is 16 hex digits, as in the alert") }
}

fn by(text: &str) -> Result<String, &'static str> {
    let fits = (1..=MAX_BY).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("a name is 1 to 128 bytes, without control characters") }
}

fn snooze(text: &str) -> Result<u64, &'static str> {
    duration(text)
        .ok()
        .filter(|ms| *ms <= LONGEST_SNOOZE_MS)
        .ok_or("a number and its unit: s, m or h, as in 2h; up to 720h")
}

#[cfg(test)]
mod tests {
    use crate::cli::{Cli, Command};
    use crate::feedback::command::Order;
    use crate::feedback::give::Word;
    use clap::Parser;

    fn order(args: &[&str]) -> Result<Order, String> {
        let all = ["eddyline", "feedback"].iter().chain(args);
        match Cli::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Feedback(args) => args.order().map_err(str::to_owned),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn feedback_is_a_word_on_an_incident() {
        let Ok(Order::Give(request)) = order(&["5B1F2C9A7E3D4860", "snooze", "2h", "--by", "ann"]) else { panic!() };
        assert_eq!((request.word, request.by.as_str()), (Word::Snooze(7_200_000), "ann"));
        assert_eq!(request.incident, "5b1f2c9a7e3d4860");
        assert!(matches!(order(&["--list"]), Ok(Order::List(None))));
        for (args, why) in [
            (&["5b1f", "normal"][..], "16 hex digits"),
            (&["5b1f2c9a7e3d4860"], "WORD"),
            (&["5b1f2c9a7e3d4860", "snooze"], "DURATION"),
            (&["5b1f2c9a7e3d4860", "snooze", "721h"], "up to 720h"),
            (&["5b1f2c9a7e3d4860", "normal", "2h"], "only snooze takes a duration"),
            (&["5b1f2c9a7e3d4860", "fine"], "normal, anomaly, snooze, undo"),
            (&["5b1f2c9a7e3d4860", "normal", "--by", ""], "1 to 128 bytes"),
            (&["5b1f2c9a7e3d4860", "normal", "--list"], "--list"),
        ] {
            let told = order(args).unwrap_err();
            assert!(told.contains(why), "{args:?}: {told}");
        }
    }
}
