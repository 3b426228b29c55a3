//! Hearing alerts.

use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;

use anyhow::{Context, Result, bail};
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::ALERTS;
use redis::{Connection, RedisResult};

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
        // quiet channels are no failure
        connection.set_read_timeout(None)?;
        let (subscribing, subscribed) = mpsc::channel();
        let (hearing, heard) = mpsc::channel();
        thread::spawn(move || listen(&mut connection, &subscribing, &hearing));
        subscribed.recv().context("alerts can't be heard")??;
        Ok(Self(heard))
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

/// Subscribes, says how that went, then passes on what is published until the connection or the receiver is gone.
fn listen(connection: &mut Connection, subscribed: &Sender<RedisResult<()>>, heard: &Sender<Result<Heard>>) {
    let mut channel = connection.as_pubsub();
    let outcome = channel.subscribe(ALERTS);
    let is_subscribed = outcome.is_ok();
    if subscribed.send(outcome).is_err() || !is_subscribed {
        return;
    }
    loop {
        let message = channel.get_message().context("alerts can't be heard any more");
        let alert = message.and_then(|message| read(message.get_payload_bytes()));
        let is_last = alert.is_err();
        if heard.send(alert).is_err() || is_last {
            return;
        }
    }
}

fn read(payload: &[u8]) -> Result<Heard> {
    let alert = serde_json::from_slice(payload)
        .with_context(|| format!("not an alert: {}", String::from_utf8_lossy(payload)))?;
    Ok(Heard { alert, at_ms: clock::now_ms()? })
}
