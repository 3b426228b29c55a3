//! Arguments of `eddyline mark`.

use super::ServerArgs;
use super::values::companions;
use crate::markers::MAX_TEXT;
use clap::Args;
use eddyline_wire::keys::Companions;

const MARK_EXAMPLES: &str = "\
Examples:
  eddyline mark 'pay v1.2.3'
  eddyline mark 'database migrated' --monitor checkout

Incidents that begin within the next half hour show it, as 'markers' in their alerts.";

/// Arguments of `eddyline mark`.
#[derive(Debug, Args)]
#[command(after_help = MARK_EXAMPLES)]
pub struct MarkArgs {
    /// What was done, in up to 256 bytes.
    #[arg(value_parser = text)]
    pub text: String,
    /// Only incidents of this monitor show it.
    #[arg(long, value_name = "NAME", value_parser = companions)]
    pub monitor: Option<Companions>,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

fn text(text: &str) -> Result<String, &'static str> {
    let fits = (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("a marker is 1 to 256 bytes, without control characters") }
}
