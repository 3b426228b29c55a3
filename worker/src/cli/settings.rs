//! Settings that a flag or an environment variable may give, beside the file.

use super::choices::ChoiceArgs;
use crate::config::keys;
use crate::config::origin::{Given, Origin};
use crate::config::secret::Secret;
use crate::judging::choices::Choices;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The settings, as clap is to know them. The keys of the file have the same names.
#[derive(Debug, Args)]
struct Grammar {
    /// Where Redis is: redis://[user:password@]host[:port][/db], rediss://… for TLS, redis+unix:///path[?db=n],
    /// redis+sentinel://host:port[,host:port…]/service or redis+cluster://host:port[,host:port…].
    #[arg(long, env = "EDDYLINE_REDIS", default_value = keys::REDIS, hide_env_values = true)]
    redis: String,
    /// Certificates (PEM) of the authorities that sign those of Redis, in place of the system's.
    #[arg(long, env = "EDDYLINE_REDIS_CA", value_name = "FILE")]
    redis_ca: Option<String>,
    /// Name of this deployment: part of every incident's id, so that staging and production differ.
    #[arg(long, env = "EDDYLINE_DEPLOYMENT", default_value = keys::DEPLOYMENT)]
    deployment: String,
    /// A monitor to work on though EDDY.LIST doesn't name it, such as a stream of own fingerprints (repeatable).
    #[arg(long = "monitor", value_name = "NAME")]
    monitors: Vec<String>,
    /// Where metrics and health are told over HTTP (/metrics, /livez, /readyz): an address and a port, or none.
    #[arg(long, env = "EDDYLINE_LISTEN", default_value = keys::LISTEN, value_name = "ADDRESS")]
    listen: String,
    /// Where the HTTP gateway listens: an address and a port, or none. Another address than this machine's own needs a key
    /// in the file's [http.keys].
    #[arg(long, env = "EDDYLINE_HTTP", value_name = "ADDRESS")]
    http: Option<String>,
    /// What is logged: off, error, warn, info, debug or trace, or levels by target, such as info,redis=debug.
    #[arg(long, env = "EDDYLINE_LOG", default_value = keys::LOG, value_name = "LEVELS")]
    log: String,
    #[command(flatten)]
    choices: ChoiceArgs,
}

/// Keys of the file that have a flag; the choices have one each as far as they can be a flag.
const KEYS: [&str; 7] = ["redis", "redis_ca", "deployment", "monitors", "listen", "http", "log"];

/// What flags and environment say, as text; what it means is checked with the file.
#[derive(Debug)]
pub struct SettingsArgs(pub Vec<Given>);

impl Args for SettingsArgs {
    fn augment_args(command: Command) -> Command {
        Grammar::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Grammar::augment_args_for_update(command)
    }
}

impl FromArgMatches for SettingsArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(KEYS.into_iter().chain(Choices::names()).filter_map(|key| given(matches, key)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What is said of `key`; none where nothing is, or it has no flag.
fn given(matches: &ArgMatches, key: &str) -> Option<Given> {
    let texts = matches.try_get_raw(key).ok()??;
    let values = texts.map(|text| Secret::new(text.to_string_lossy().into_owned())).collect();
    let origin = match matches.value_source(key)? {
        ValueSource::EnvVariable => Origin::Environment(format!("EDDYLINE_{}", key.to_uppercase())),
        ValueSource::CommandLine if key == "monitors" => Origin::Flag("--monitor".to_owned()),
        ValueSource::CommandLine => Origin::Flag(format!("--{}", key.replace('_', "-"))),
        _ => Origin::Default,
    };
    Some(Given { key: key.to_owned(), values, origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_the_flag_and_the_variable_that_are_told() {
        let command = SettingsArgs::augment_args(Command::new("eddyline"));
        let mut seen = 0;
        for arg in command.get_arguments() {
            let key = arg.get_id().as_str();
            assert!(KEYS.contains(&key) || Choices::names().any(|name| name == key), "{key} isn't collected");
            if key != "monitors" {
                assert_eq!(arg.get_long().unwrap(), key.replace('_', "-"));
                assert_eq!(arg.get_env().unwrap().to_str().unwrap(), format!("EDDYLINE_{}", key.to_uppercase()));
            }
            seen += 1;
        }
        assert!(seen >= KEYS.len() + 6, "{seen}");
    }

    #[test]
    fn flags_are_told_from_defaults() {
        let command = SettingsArgs::augment_args(Command::new("eddyline"));
        let matches = command.get_matches_from(["eddyline", "--budget", "2", "--monitor", "a", "--monitor", "b"]);
        let SettingsArgs(given) = SettingsArgs::from_arg_matches(&matches).unwrap();
        let of = |key: &str| given.iter().find(|given| given.key == key).unwrap();
        assert_eq!(of("budget").origin, Origin::Flag("--budget".to_owned()));
        assert_eq!(of("min_history").origin, Origin::Default);
        assert_eq!(of("monitors").values.iter().map(Secret::expose).collect::<Vec<_>>(), ["a", "b"]);
    }
}
