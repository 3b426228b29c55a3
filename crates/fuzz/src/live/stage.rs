//! A server with the module, watched: it must live, log no caught bug and stay small.

use crate::resp::Case;
use crate::target::{Harm, Tried};
use anyhow::{Context, Result};
use eddyline_testkit::Server;
use redis::Value;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// What all cases of a batch together may take at most, in bytes.
const MOST_MEMORY: u64 = 2 << 30;
/// What may be left after a batch when every key is gone, in bytes.
const MOST_LEFT: u64 = 32 << 20;

/// What the guard around every entry point logs when it catches a panic.
const CAUGHT: &str = "a bug was caught";

pub(super) struct Stage {
    server: Server,
    connection: redis::Connection,
    memory_at_start: u64,
    log_read: u64,
}

impl Stage {
    pub(super) fn set() -> Result<Self> {
        // uncompressed, damage is where it was done; nothing else may refuse for reasons of its own
        let args = ["--rdbcompression", "no", "--maxmemory", "512mb", "--maxmemory-policy", "noeviction"];
        let server = Server::with_module().args(args).start()?;
        let connection = server.connection()?;
        let mut stage = Self { server, connection, memory_at_start: 0, log_read: 0 };
        stage.memory_at_start = stage.memory("used_memory")?;
        Ok(stage)
    }

    /// A reply.
    pub(super) fn call<T: redis::FromRedisValue>(&mut self, words: &[&[u8]]) -> Result<T> {
        let mut command = redis::cmd(std::str::from_utf8(words[0])?);
        command.arg(&words[1..]);
        Ok(command.query(&mut self.connection)?)
    }

    /// Sends commands, whatever the server thinks of them, and removes all keys. A dead server is replaced. Accepted is
    /// what got no error, `counts` saying which commands are asked for that.
    pub(super) fn stand(&mut self, commands: &[Case], counts: impl Fn(&Case) -> bool) -> Result<Tried> {
        let mut pipe = redis::pipe();
        for words in commands {
            let (name, arguments) = words.split_first().context("a case without words")?;
            let mut command = redis::Cmd::new();
            command.arg(name).arg(arguments);
            pipe.add_command(command);
        }
        pipe.cmd("FLUSHALL");
        let replied: Result<Vec<redis::RedisResult<Value>>, _> = pipe.ignore_errors().query(&mut self.connection);
        let mut accepted = 0;
        let harm = match replied {
            Err(error) => Some(format!("the server is gone: {error}\n{}", last_words(&self.news()?))),
            Ok(replies) => {
                let good = commands.iter().zip(replies).filter(|(command, reply)| counts(command) && reply.is_ok());
                accepted = good.count() as u64;
                self.look()?
            }
        };
        if harm.is_some() {
            *self = Self::set()?;
        }
        Ok(Tried { accepted, harm })
    }

    fn look(&mut self) -> Result<Option<Harm>> {
        let news = self.news()?;
        if let Some(line) = news.lines().find(|line| line.contains(CAUGHT)) {
            return Ok(Some(line.to_owned()));
        }
        let (most, left) = (self.memory("used_memory_peak")?, self.memory("used_memory")?);
        if most > MOST_MEMORY {
            return Ok(Some(format!("the server took {most} bytes")));
        }
        if left > self.memory_at_start + MOST_LEFT {
            return Ok(Some(format!("without any key the server keeps {left} bytes")));
        }
        Ok(None)
    }

    fn memory(&mut self, field: &str) -> Result<u64> {
        let info: String = self.call(&[b"INFO", b"memory"])?;
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(line.context("INFO memory lacks a field")?.trim().parse()?)
    }

    /// What was logged since the last look.
    fn news(&mut self) -> Result<String> {
        let mut log = File::open(self.server.log_path())?;
        log.seek(SeekFrom::Start(self.log_read))?;
        let mut bytes = Vec::new();
        self.log_read += log.read_to_end(&mut bytes)? as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What a server says first when it dies; all that it says after that is about the machine.
fn last_words(log: &str) -> String {
    const LINES: usize = 30;
    let report = log.find("=== REDIS BUG REPORT START").map_or(log, |at| &log[at..]);
    report.lines().filter(|line| !line.trim().is_empty()).take(LINES).collect::<Vec<_>>().join("\n")
}
