//! What the keys at the top of the file allow.

use super::reference;
use crate::observe::listen::Listen;
use crate::store::connect::{Address, FORMS};
use eddyline_wire::keys::Companions;
use tracing_subscriber::filter::Targets;

/// Every key at the top of the file.
pub(super) const ALL: [&str; 12] = [
    "redis",
    "redis_ca",
    "deployment",
    "monitors",
    "listen",
    "log",
    "defaults",
    "monitor",
    "count",
    "notify",
    "sinks",
    "http",
];

/// What counts where nobody said anything.
pub(crate) const REDIS: &str = "redis://127.0.0.1:6379";
pub(crate) const DEPLOYMENT: &str = "default";
pub(crate) const LISTEN: &str = "127.0.0.1:9187";
pub(crate) const LOG: &str = "info";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn redis(url: &str) -> Result<Address, String> {
    Address::parse(url).map_err(|error| format!("isn't the address of a Redis: {error}; allowed are {FORMS}"))
}

/// The server, whose certificate an authority of this file (PEM) signed.
pub(crate) fn trusting(redis: Address, path: &str) -> Result<Address, String> {
    let authorities = reference::contents(path).map_err(|why| format!("the file '{}' {why}", path.escape_debug()))?;
    redis.trusting(authorities.as_bytes()).map_err(|error| {
        format!("must have certificates in PEM, for an address with TLS such as rediss://host: {error}")
    })
}

pub(super) fn deployment(name: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err("a deployment's name is 1 to 128 bytes of text".to_owned()) }
}

pub(super) fn monitor(name: &str) -> Result<String, String> {
    Companions::of(name.as_bytes()).map(|_| name.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn listen(text: &str) -> Result<Listen, String> {
    text.parse().map_err(str::to_owned)
}

/// The filter takes any word for the name of a target; a word that is no level is a slip.
pub(super) fn log(text: &str) -> Result<String, String> {
    let allowed = || format!("a level ({}), or levels by target, such as info,redis=debug", LEVELS.join(", "));
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let directives_fit = text.split(',').all(|directive| directive.contains('=') || is_level(directive.trim()));
    if directives_fit && text.parse::<Targets>().is_ok() { Ok(text.to_owned()) } else { Err(allowed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_levels_or_have_a_target() {
        for text in ["info", "WARN", "warn,eddyline_worker=debug", "off"] {
            assert_eq!(log(text).as_deref(), Ok(text));
        }
        for text in ["inof", "", "info,", "eddyline=loud", "a=b=c"] {
            assert!(log(text).unwrap_err().starts_with("a level (off, error"), "{text}");
        }
    }
}
