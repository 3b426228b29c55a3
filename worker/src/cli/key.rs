//! Arguments of `eddyline key`.

use crate::gateway::settings::Scope;
use clap::Args;

const KEY_EXAMPLES: &str = "\
Examples:
  eddyline key                          a key that may send
  eddyline key shop --scope write       under a name of its own
  eddyline key ops --scope admin

It prints the key, which is shown this once and kept nowhere, and the section for the settings file, which has only its hash.
SIGHUP makes a gateway that runs take it over.";

/// Arguments of `eddyline key`.
#[derive(Debug, Args)]
#[command(after_help = KEY_EXAMPLES)]
pub struct KeyArgs {
    /// What the settings call it.
    #[arg(default_value = "app", value_parser = name)]
    pub name: String,
    /// What it may do: write, read or admin, which is both and more (repeatable).
    #[arg(long = "scope", value_name = "SCOPE", default_value = "write", value_parser = scope)]
    pub scopes: Vec<Scope>,
}

fn name(text: &str) -> Result<String, &'static str> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("1 to 64 letters, digits, - or _") }
}

fn scope(text: &str) -> Result<Scope, &'static str> {
    match text {
        "write" => Ok(Scope::Write),
        "read" => Ok(Scope::Read),
        "admin" => Ok(Scope::Admin),
        _ => Err("write, read or admin"),
    }
}
