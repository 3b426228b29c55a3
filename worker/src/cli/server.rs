//! Where Redis is: arguments of every command that looks at a server.

use super::values::address;
use crate::config::keys;
use crate::store::connect::Address;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// As clap is to know them.
#[derive(Debug, Args)]
struct Grammar {
    /// Where Redis is: redis://[user:password@]host[:port][/db], rediss://… for TLS, redis+unix:///path[?db=n] or
    /// redis+sentinel://host:port[,host:port…]/service.
    #[arg(long, env = "EDDYLINE_REDIS", default_value = keys::REDIS, hide_env_values = true, value_parser = address)]
    redis: Address,
    /// Certificates (PEM) of the authorities that sign those of Redis, in place of the system's.
    #[arg(long, env = "EDDYLINE_REDIS_CA", value_name = "FILE")]
    redis_ca: Option<String>,
}

/// Where Redis is.
#[derive(Debug)]
pub struct ServerArgs {
    /// The server; with TLS, with the authorities to trust.
    pub redis: Address,
}

impl Args for ServerArgs {
    fn augment_args(command: Command) -> Command {
        Grammar::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Grammar::augment_args_for_update(command)
    }
}

impl FromArgMatches for ServerArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let Grammar { redis, redis_ca } = Grammar::from_arg_matches(matches)?;
        let Some(path) = redis_ca else { return Ok(Self { redis }) };
        let refused = |why| Error::raw(ErrorKind::ValueValidation, format!("--redis-ca: {why}\n"));
        keys::trusting(redis, &path).map(|redis| Self { redis }).map_err(refused)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser;

    #[test]
    fn authorities_that_cannot_be_used_are_refused_by_name() {
        let refused = |redis: &str, file: &str| {
            Cli::try_parse_from(["eddyline", "doctor", "--redis", redis, "--redis-ca", file]).unwrap_err().to_string()
        };
        let error = refused("rediss://me:hunter2@h", "/no/such.pem");
        assert!(error.contains("--redis-ca: the file '/no/such.pem' can't be read"), "{error}");
        let error = refused("redis://me:hunter2@h", "fixtures/tls/ca.pem");
        assert!(error.contains("--redis-ca: must have certificates in PEM, for an address with TLS"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let good = ["eddyline", "doctor", "--redis", "rediss://h", "--redis-ca", "fixtures/tls/ca.pem"];
        assert!(Cli::try_parse_from(good).is_ok());
    }
}
