//! Hearing alerts.

use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use anyhow::{Context, Result, bail};
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::ALERTS;
use redis::Connection;

use super::clock;

/// An alert and when it was heard, ms since the epoch.
pub(super) struct Heard {
    pub(super) alert: Alert,
    pub(super) at_ms: u64,
}

/// A subscription. Its thread ends with the connection, which ends with the server.
pub(super) struct Alerts(Receiver<Result<Heard>>);

impl Alerts {
    /// Hears everything that is published from now on.
    pub(super) fn subscribe(mut connection: Connection) -> Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let (ready, subscribed) = mpsc::channel();
        thread::spawn(move || {
            // quiet channels are no failure
            let mut channel = match connection.set_read_timeout(None).map(|()| connection.as_pubsub()) {
                Ok(channel) => channel,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let done = channel.subscribe(ALERTS);
            let failed = done.is_err();
            let _ = ready.send(done);
            while !failed {
                let heard = channel
                    .get_message()
                    .context("alerts can't be heard")
                    .and_then(|message| read(message.get_payload_bytes()));
                let is_last = heard.is_err();
                if sender.send(heard).is_err() || is_last {
                    return;
                }
            }
        });
        subscribed.recv().context("alerts can't be heard")??;
        Ok(Self(receiver))
    }

    /// The next alert, if one came.
    pub(super) fn next(&self) -> Result<Option<Heard>> {
        match self.0.try_recv() {
            Ok(heard) => heard.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => bail!("alerts can't be heard any more"),
        }
    }
}

fn read(payload: &[u8]) -> Result<Heard> {
    let alert = serde_json::from_slice(payload)
        .with_context(|| format!("not an alert: {}", String::from_utf8_lossy(payload)))?;
    Ok(Heard { alert, at_ms: clock::now_ms()? })
}
