//! `redis-benchmark`, and what the server spent on it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use eddyline_testkit::Server;
use redis::Connection;

use super::cost::{calls, main_thread_seconds};
use crate::stop;

/// Replaced by another random number, padded with zeros, wherever it stands.
pub(super) const RANDOM: &str = "__rand_int__";

/// Items are drawn out of so many.
const ITEMS: &str = "1000000";

/// One command, again and again.
pub(super) struct Load<'a> {
    /// The command line, split at spaces.
    pub(super) line: &'a str,
    /// Things done by one command.
    pub(super) per_call: u64,
}

impl Load<'_> {
    /// Sends `calls` commands, 32 at a time over each of 50 connections; microseconds of the server's main thread for each
    /// thing done.
    pub(super) fn run(&self, server: &Server, count: u64) -> Result<f64> {
        stop::check()?;
        let mut connection = server.connection()?;
        let name = self.line.split(' ').next().unwrap_or_default();
        let (calls_before, failed_before) = calls(&mut connection, name)?;
        let before = main_thread_seconds(&mut connection)?;
        self.send(server, count)?;
        let spent = main_thread_seconds(&mut connection)? - before;
        let (calls_after, failed_after) = calls(&mut connection, name)?;
        let done = calls_after - calls_before;
        if failed_after > failed_before || done < count {
            bail!("{done} of {count} calls of {name} arrived and {} failed", failed_after - failed_before);
        }
        Ok(spent * 1e6 / (done * self.per_call) as f64)
    }

    fn send(&self, server: &Server, count: u64) -> Result<()> {
        let url = server.url();
        let socket = url.strip_prefix("redis+unix://").context("the server has no socket")?;
        let ran = Command::new("redis-benchmark")
            .args(["-s", socket, "-P", "32", "-c", "50", "-r", ITEMS, "-n", &count.to_string(), "-q"])
            .args(self.line.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        match ran {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                stop::check()?;
                bail!("redis-benchmark failed: {status}")
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("redis-benchmark isn't there: apt-get install redis-tools")
            }
            Err(error) => Err(error).context("redis-benchmark can't be started"),
        }
    }
}

/// That the values of one command really differ, by the newest entry of `stream`.
pub(super) fn check_random(connection: &mut Connection, stream: &str) -> Result<()> {
    type Entry = (String, Vec<(String, String)>);
    let newest: Vec<Entry> = redis::cmd("XREVRANGE").arg(&[stream, "+", "-", "COUNT", "1"]).query(connection)?;
    let values: BTreeSet<&String> = newest.iter().flat_map(|(_, fields)| fields).map(|(_, value)| value).collect();
    if values.len() < 2 {
        bail!("this redis-benchmark puts the same number into every field of a command");
    }
    Ok(())
}
