//! Standard output: a line of JSON a notification, for a pipe or a collector of logs.

use super::{Delivery, Sink, SinkError};
use eddyline_wire::notification::Notification;
use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// The worker's standard output. A thread of its own writes: a pipe that nobody reads blocks, and must hold up neither the
/// tasks of a runtime nor the end of the process.
#[derive(Debug)]
pub(super) struct Stdout {
    lines: SyncSender<Line>,
    timeout: Duration,
}

#[derive(Debug)]
struct Line {
    text: String,
    written: oneshot::Sender<io::Result<()>>,
}

impl Stdout {
    pub(super) fn new(timeout: Duration) -> Result<Self, String> {
        let (lines, received) = sync_channel::<Line>(1);
        let write = move || {
            for Line { text, written } in received {
                let mut out = io::stdout().lock();
                // Whoever waited for it may have given up.
                let _ = written.send(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
            }
        };
        let thread = std::thread::Builder::new().name("stdout".to_owned()).spawn(write);
        thread.map_err(|error| format!("no thread for standard output: {error}"))?;
        Ok(Self { lines, timeout })
    }

    async fn write(&self, text: String) -> Result<(), SinkError> {
        let (written, answer) = oneshot::channel();
        let why = match self.lines.try_send(Line { text, written }) {
            Err(TrySendError::Full(_)) => "nobody reads it".to_owned(),
            Err(TrySendError::Disconnected(_)) => "its thread has ended".to_owned(),
            Ok(()) => match tokio::time::timeout(self.timeout, answer).await {
                Ok(Ok(Ok(()))) => return Ok(()),
                Ok(Ok(Err(error))) => error.to_string(),
                Ok(Err(_)) => "its thread has ended".to_owned(),
                Err(_) => format!("nobody read it within {:?}", self.timeout),
            },
        };
        Err(SinkError::Later { why: format!("standard output: {why}"), after: None })
    }
}

impl Sink for Stdout {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        Box::pin(self.write(format!("{}\n", notification.to_json())))
    }
}
