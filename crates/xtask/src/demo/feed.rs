//! Events on their way into the source stream.

use anyhow::{Context, Result};
use redis::{Connection, Pipeline};

use super::shop::Event;

/// The source stream.
pub(super) const CALLS: &str = "calls";
/// Commands on the way at once.
const BATCH: usize = 1_000;
/// Entries that the stream keeps once it is live: far more than a monitor that keeps up needs.
const KEPT: usize = 100_000;

/// A pipeline of `XADD`s.
pub(super) struct Feed {
    connection: Connection,
    waiting: Pipeline,
    /// Commands sent that the server hasn't replied to.
    unanswered: usize,
    /// Id of the last event of the past.
    last: (u64, u64),
    /// Events sent.
    pub(super) sent: u64,
}

impl Feed {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, waiting: Pipeline::with_capacity(BATCH), unanswered: 0, last: (0, 0), sent: 0 }
    }

    /// An event of the past, under the id of its own time; events come in the order of time.
    pub(super) fn past(&mut self, event: &Event) -> Result<()> {
        self.last = if event.at_ms == self.last.0 { (event.at_ms, self.last.1 + 1) } else { (event.at_ms, 0) };
        self.waiting.cmd("XADD").arg(CALLS).arg(format!("{}-{}", self.last.0, self.last.1));
        self.fields(event)
    }

    /// An event of this moment.
    pub(super) fn now(&mut self, event: &Event) -> Result<()> {
        self.waiting.cmd("XADD").arg(CALLS).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
        self.fields(event)
    }

    fn fields(&mut self, event: &Event) -> Result<()> {
        let command = self.waiting.arg("service").arg(event.service).arg("endpoint").arg(event.endpoint.as_ref());
        if let Some(peer) = event.peer {
            command.arg("peer").arg(peer);
        }
        command.arg("status").arg(event.status).arg("latency_ms").arg(format!("{:.2}", event.latency_ms));
        command.arg("user").arg(&event.user);
        self.sent += 1;
        if self.waiting.len() >= BATCH { self.send() } else { Ok(()) }
    }

    /// Sends what waits, while the server still works on what was sent before.
    fn send(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let packed = self.waiting.get_packed_pipeline();
        self.connection.send_packed_command(&packed).context("the shop's events can't be sent")?;
        let unanswered = std::mem::replace(&mut self.unanswered, self.waiting.len());
        self.waiting.clear();
        self.hear(unanswered)
    }

    /// Sends what waits; all events are in the stream then.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.send()?;
        let unanswered = std::mem::take(&mut self.unanswered);
        self.hear(unanswered)
    }

    fn hear(&mut self, replies: usize) -> Result<()> {
        for _ in 0..replies {
            self.connection.recv_response().context("the shop's events can't be added")?;
        }
        Ok(())
    }
}
