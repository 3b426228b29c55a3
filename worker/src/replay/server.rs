//! The other way: `XADD` into a real server whose module counts, while the worker's own scorer scores; the outcome is
//! read back from the streams.

use super::ReplayError;
use super::outcome::{Outcome, Window, fingerprint_line};
use super::plan::{Plan, source};
use super::pump::Feed;
use crate::config::Live;
use crate::service::context::Context;
use crate::service::scorer::{Progress, Scorer};
use crate::store::connect::Address;
use crate::store::discovery;
use crate::store::lease;
use crate::store::stream::{self, ScoreEntry};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use redis::{Connection, Pipeline, RedisResult};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Events sent at once.
const BATCH: usize = 1000;
/// Events kept in the source; sending waits long before the oldest unread one would be trimmed.
const KEPT: u64 = 100_000;
/// Longest time without any progress.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// A monitor on a server, and the scorer that follows it.
pub struct ThroughServer {
    connection: Connection,
    keys: Companions,
    source: Vec<u8>,
    pipe: Pipeline,
    sent: u64,
    keep_fingerprints: bool,
    runtime: Runtime,
    target: watch::Sender<Option<EntryId>>,
    scoring: JoinHandle<Result<(), ReplayError>>,
}

/// What `EDDY.INFO` says of progress.
struct Seen {
    observations: u64,
    waiting: u64,
    last_ms: u64,
}

impl ThroughServer {
    /// Makes the monitor and starts to score it.
    ///
    /// # Errors
    /// A server that can't be reached, has no module, or has such a monitor.
    pub fn new(plan: &Plan, address: &Address) -> Result<Self, ReplayError> {
        let mut connection = address.connect_blocking_for_command()?;
        if redis::cmd("EDDY.LIST").exec(&mut connection).is_err_and(|error| discovery::is_unknown_command(&error)) {
            return Err(ReplayError::NoModule);
        }
        let keys = plan.create.keys.clone();
        refuse_leftovers(&mut connection, &keys)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| ReplayError::Stuck(error.to_string()))?;
        let identity = plan.identity();
        let live = Live { choices: plan.choices.clone().into(), ..Live::default() };
        let live = watch::channel(Arc::new(live)).1;
        let context = Context::new(identity.deployment, identity.db, live, lease::worker_name());
        let mut scorer = Scorer::new(&Arc::new(context), keys.monitor())
            .map_err(|error| ReplayError::Definition(error.to_string()))?;
        // The lease first: a worker on this server would take a monitor that it sees before us.
        let (mut scoring_connection, _pushes) = runtime.block_on(address.connect())?;
        if let Progress::Elsewhere(_) = runtime.block_on(scorer.step(&mut scoring_connection))? {
            return Err(ReplayError::Stuck("another worker has this monitor's lease".to_owned()));
        }
        let mut create = redis::cmd("EDDY.CREATE");
        create.arg(&plan.create.to_arguments()[1..]).exec(&mut connection)?;
        scorer.reconnected();
        let (target, reached) = watch::channel(None);
        let scoring = runtime.spawn(score(scorer, scoring_connection, reached));
        Ok(Self {
            connection,
            source: source(&keys),
            keys,
            pipe: Pipeline::with_capacity(BATCH),
            sent: 0,
            keep_fingerprints: plan.fingerprints.is_some(),
            runtime,
            target,
            scoring,
        })
    }

    fn flush(&mut self) -> Result<(), ReplayError> {
        if !self.pipe.is_empty() {
            self.pipe.exec(&mut self.connection)?;
            self.pipe.clear();
        }
        Ok(())
    }

    fn seen(&mut self) -> RedisResult<Seen> {
        let info = redis::cmd("EDDY.INFO").arg(self.keys.monitor()).query(&mut self.connection)?;
        let number = |field| -> RedisResult<u64> {
            let text = stream::string_in(&info, field)?.unwrap_or_default();
            text.parse().map_err(|_| (redis::ErrorKind::UnexpectedReturnType, "EDDY.INFO lacks a number", text).into())
        };
        Ok(Seen {
            observations: number("observations")?,
            waiting: number("waiting")?,
            last_ms: number("last_fingerprint_ms")?,
        })
    }

    /// Waits until `done`, as long as there is progress.
    fn wait(&mut self, what: &str, done: impl Fn(&Seen) -> bool) -> Result<Seen, ReplayError> {
        let (mut last, mut since) = ((0, 0), Instant::now());
        loop {
            let seen = self.seen()?;
            if done(&seen) {
                return Ok(seen);
            }
            if (seen.observations, seen.waiting) != last {
                (last, since) = ((seen.observations, seen.waiting), Instant::now());
            } else if since.elapsed() > PATIENCE {
                return Err(ReplayError::Stuck(what.to_owned()));
            }
            sleep(POLL);
        }
    }

    fn wait_until_all_is_read(&mut self) -> Result<Seen, ReplayError> {
        self.flush()?;
        let sent = self.sent;
        self.wait("the monitor doesn't read its source, or doesn't write its fingerprints", |seen| {
            seen.observations >= sent && seen.waiting == 0
        })
    }
}

impl Feed for ThroughServer {
    fn event<'a>(
        &mut self,
        id: EntryId,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> Result<(), ReplayError> {
        let add = self.pipe.cmd("XADD").arg(&self.source).arg("MAXLEN").arg("~").arg(KEPT).arg(id.to_string());
        let mut empty = true;
        for (field, value) in fields {
            add.arg(field).arg(value);
            empty = false;
        }
        if empty {
            // An entry has at least one field; one that nobody named counts nothing, like the event.
            add.arg("").arg("");
        }
        self.sent += 1;
        if self.pipe.len() >= BATCH {
            self.flush()?;
            let sent = self.sent;
            self.wait("the monitor doesn't read its source", |seen| sent - seen.observations < KEPT / 2)?;
        }
        Ok(())
    }

    fn close(&mut self, ms: u64) -> Result<(), ReplayError> {
        self.wait_until_all_is_read()?;
        Ok(redis::cmd("EDDY.CLOSE").arg(self.keys.monitor()).arg(ms).exec(&mut self.connection)?)
    }

    fn finish(mut self) -> Result<Outcome, ReplayError> {
        let seen = self.wait_until_all_is_read()?;
        self.target.send_replace(Some(EntryId { ms: seen.last_ms, seq: 0 }));
        self.runtime
            .block_on(&mut self.scoring)
            .map_err(|error| ReplayError::Stuck(format!("scoring ended unexpectedly: {error}")))??;
        let mut outcome = Outcome::default();
        for ScoreEntry { id, score } in stream::all_scores(&mut self.connection, &self.keys.scores())? {
            outcome.windows.push(Window { end_ms: id.ms, score });
        }
        outcome.alerts = stream::all_alerts(&mut self.connection, &self.keys.incidents())?;
        if self.keep_fingerprints {
            for entry in stream::all_fingerprints(&mut self.connection, &self.keys.fingerprints())? {
                let line = entry.fingerprint.map(|fingerprint| fingerprint_line(&fingerprint));
                outcome.fingerprints.push(line.unwrap_or_else(|error| error));
            }
        }
        Ok(outcome)
    }
}

/// Scores until all up to the target is done.
async fn score(
    mut scorer: Scorer,
    mut connection: crate::store::connect::Connection,
    target: watch::Receiver<Option<EntryId>>,
) -> Result<(), ReplayError> {
    loop {
        let progress = scorer.step(&mut connection).await?;
        let target = *target.borrow();
        if target.is_some_and(|target| scorer.scored() >= target) {
            return Ok(scorer.leave(&mut connection).await?);
        }
        if progress != Progress::More {
            tokio::time::sleep(POLL).await;
        }
    }
}

fn refuse_leftovers(connection: &mut Connection, keys: &Companions) -> Result<(), ReplayError> {
    let all = [
        keys.monitor().to_vec(),
        source(keys),
        keys.fingerprints(),
        keys.schemas(),
        keys.scores(),
        keys.incidents(),
        keys.model(),
    ];
    let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    for key in &all {
        if redis::cmd("EXISTS").arg(key).query(connection)? {
            let all = all.iter().map(|key| format!("'{}'", name(key))).collect::<Vec<_>>().join(" ");
            return Err(ReplayError::Exists { key: name(key), all });
        }
    }
    Ok(())
}
