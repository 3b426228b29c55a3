//! The module's settings: what `loadmodule` takes as arguments and `CONFIG SET eddyline.<name>` changes.

use crate::text::printable;
use std::ops::RangeInclusive;

/// Name of the limit on one monitor's memory.
pub const MAX_MONITOR_BYTES: &str = "max-monitor-bytes";
/// Name of the choice whether `CMS.*` is ours.
pub const CMS_COMMANDS: &str = "cms-commands";
/// What the limit on one monitor's memory can be: from the least to the most that `MEMORY` takes.
pub const MONITOR_BYTES: RangeInclusive<u64> = 16_384..=1 << 26;

/// Whether the module provides the `CMS.*` commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CmsCommands {
    /// Where the server has none.
    #[default]
    Auto,
    /// It does, or it isn't loaded.
    Yes,
    /// It doesn't.
    No,
}

impl CmsCommands {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Yes, Self::No];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most bytes that a monitor may take.
    pub max_monitor_bytes: u64,
    /// Whether `CMS.*` is ours.
    pub cms_commands: CmsCommands,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_monitor_bytes: *MONITOR_BYTES.end(), cms_commands: CmsCommands::default() }
    }
}

/// Why the arguments of `loadmodule` were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No such setting.
    #[error("unknown argument '{0}'. Arguments are: max-monitor-bytes <16kb to 64mb>, cms-commands <auto, yes or no>")]
    Unknown(String),
    /// A setting without its value.
    #[error("argument {0} needs a value")]
    NeedsValue(&'static str),
    /// A value out of its range.
    #[error("argument {0} must be {1}, got '{2}'")]
    Value(&'static str, &'static str, String),
    /// A setting given twice.
    #[error("argument {0} is given twice")]
    Twice(&'static str),
}

impl Config {
    /// Reads `name value` pairs.
    ///
    /// # Errors
    /// The first argument that isn't allowed.
    pub fn from_arguments(arguments: &[&[u8]]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut seen = Vec::new();
        let mut rest = arguments.iter();
        while let Some(given) = rest.next() {
            let name = [MAX_MONITOR_BYTES, CMS_COMMANDS]
                .into_iter()
                .find(|name| given.eq_ignore_ascii_case(name.as_bytes()))
                .ok_or_else(|| ConfigError::Unknown(printable(given, 64)))?;
            if seen.contains(&name) {
                return Err(ConfigError::Twice(name));
            }
            seen.push(name);
            let value = rest.next().ok_or(ConfigError::NeedsValue(name))?;
            if name == MAX_MONITOR_BYTES {
                config.max_monitor_bytes = bytes(value)
                    .filter(|bytes| MONITOR_BYTES.contains(bytes))
                    .ok_or_else(|| ConfigError::Value(name, "16kb to 64mb", printable(value, 64)))?;
            } else {
                config.cms_commands = CmsCommands::ALL
                    .into_iter()
                    .find(|choice| value.eq_ignore_ascii_case(choice.as_str().as_bytes()))
                    .ok_or_else(|| ConfigError::Value(name, "auto, yes or no", printable(value, 64)))?;
            }
        }
        Ok(config)
    }
}

/// Bytes with a unit as the server reads them: `k` is 1000, `kb` 1024, and so on.
fn bytes(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::create::Create;

    fn parse(words: &str) -> Result<Config, String> {
        let words: Vec<&[u8]> = words.split_whitespace().map(str::as_bytes).collect();
        Config::from_arguments(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_come_in_pairs_in_any_order() {
        assert_eq!(parse(""), Ok(Config::default()));
        let config = parse("CMS-commands No max-monitor-bytes 2mb").unwrap();
        assert_eq!(config, Config { max_monitor_bytes: 2 << 20, cms_commands: CmsCommands::No });
    }

    #[test]
    fn what_is_not_allowed_is_named_with_what_is() {
        for (words, error) in [
            (
                "speed 9",
                "unknown argument 'speed'. Arguments are: max-monitor-bytes <16kb to 64mb>, cms-commands <auto, yes or no>",
            ),
            ("cms-commands", "argument cms-commands needs a value"),
            ("cms-commands maybe", "argument cms-commands must be auto, yes or no, got 'maybe'"),
            ("max-monitor-bytes 1gb", "argument max-monitor-bytes must be 16kb to 64mb, got '1gb'"),
            ("max-monitor-bytes 5 max-monitor-bytes 5", "argument max-monitor-bytes must be 16kb to 64mb, got '5'"),
            ("cms-commands no cms-commands no", "argument cms-commands is given twice"),
        ] {
            assert_eq!(parse(words).unwrap_err(), error);
        }
    }

    #[test]
    fn units_are_the_servers() {
        assert_eq!(bytes(b"20000"), Some(20_000));
        assert_eq!(bytes(b"1m"), Some(1_000_000));
        assert_eq!(bytes(b"1Mb"), Some(1 << 20));
        for bad in ["", "mb", "-1", "1 mb", "1tb", "18446744073709551615gb"] {
            assert_eq!(bytes(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_limit_reaches_as_far_as_the_option_memory() {
        let create = |memory: u64| {
            let memory = memory.to_string();
            Create::parse(&[b"m", b"MEMORY", memory.as_bytes()]).is_ok()
        };
        assert!(create(*MONITOR_BYTES.start()) && create(*MONITOR_BYTES.end()));
        assert!(!create(*MONITOR_BYTES.start() - 1) && !create(*MONITOR_BYTES.end() + 1));
    }
}
