//! A server that may not let the doctor look at everything.

use super::code::Code;
use super::finding::{Finding, SERVER};
use eddyline_wire::text::printable;
use redis::{Cmd, Connection, FromRedisValue, RedisError, RedisResult};
use std::collections::{BTreeMap, BTreeSet};

/// A connection, and which commands were refused for lack of rights.
pub struct Patient {
    connection: Connection,
    refused: BTreeSet<String>,
}

impl Patient {
    /// Looks through this connection.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection, refused: BTreeSet::new() }
    }

    /// A reply; none where the rights for it are missing, which is said in the end.
    ///
    /// # Errors
    /// Any other trouble with Redis.
    pub fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<Option<T>> {
        match command.query(&mut self.connection) {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if error.code() == Some("NOPERM") => {
                self.refused.insert(name(command));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The same; none too where the server has no answer.
    ///
    /// # Errors
    /// Trouble with the connection.
    pub fn try_ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<Option<T>> {
        self.ask(command).or_else(|error: RedisError| if error.code().is_some() { Ok(None) } else { Err(error) })
    }

    /// All that `INFO` tells, the modules' sections too.
    ///
    /// # Errors
    /// Trouble with Redis.
    pub fn info(&mut self) -> RedisResult<BTreeMap<String, String>> {
        Ok(fields(&self.ask::<String>(redis::cmd("INFO").arg("everything"))?.unwrap_or_default()))
    }

    /// What couldn't be looked at.
    #[must_use]
    pub fn refusals(&self) -> Option<Finding> {
        let refused: Vec<&str> = self.refused.iter().map(String::as_str).collect();
        (!refused.is_empty()).then(|| {
            let what = format!("this user may not call {}, so what they tell wasn't looked at", refused.join(", "));
            Finding::advice(Code::NotLookedAt, SERVER, what, "run the doctor as a user with all rights")
        })
    }
}

fn name(command: &Cmd) -> String {
    let mut words = command.args_iter().filter_map(|word| match word {
        redis::Arg::Simple(word) => Some(printable(word, 64).to_uppercase()),
        _ => None,
    });
    let first = words.next().unwrap_or_default();
    match words.next() {
        Some(second) if ["ACL", "CONFIG", "XINFO"].contains(&first.as_str()) => format!("{first} {second}"),
        _ => first,
    }
}

fn fields(info: &str) -> BTreeMap<String, String> {
    let pairs = info.lines().filter_map(|line| line.trim().split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
