//! The task that follows the streams of all monitors while somebody listens.

use super::board::{Board, Positions};
use super::read::{self, Found};
use crate::gateway::Gateway;
use crate::gateway::errors::Problem;
use crate::gateway::reading::history::each;
use crate::gateway::reading::names::Names;
use crate::logs::Notice;
use crate::store::connect::{Backoff, Connection, told};
use eddyline_wire::keys::{ALERTS, CLOSED, Companions};
use redis::{PushInfo, PushKind, RedisError, RedisResult, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::warn;

/// Monitors that were heard of are looked at this often, for so long: their scores come a moment after their windows.
const LOOK: Duration = Duration::from_millis(100);
const DUE: Duration = Duration::from_secs(3);
/// Looks until all are looked at, and most monitors of each such sweep: of more, some wait for the next.
const SWEEP: u32 = 10;
const SWEPT: usize = 500;

/// Tells listeners when a panic ends it, so that they don't wait for nothing.
struct Watched(Arc<Board>);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fall();
        }
    }
}

/// Follows until nobody has listened for a while.
pub(super) async fn follow(board: Arc<Board>, gateway: Gateway, names: Arc<Names>) {
    let _watched = Watched(Arc::clone(&board));
    let (mut backoff, mut trouble) = (Backoff::default(), Notice::default());
    let mut is_first = true;
    while !board.is_over() {
        let error = match gateway.link.address().connect().await {
            Ok((connection, pushes)) => {
                let mut following = Following::new(&board, &names, connection);
                match following.run(pushes, &mut is_first).await {
                    Ok(()) => return,
                    Err(error) => {
                        backoff = Backoff::default();
                        error
                    }
                }
            }
            Err(error) => error,
        };
        if trouble.is_news(&told(&error)) {
            warn!("what is new can't be read at the moment: {}", told(&error));
        }
        if let Some(problem) = Problem::forbidden(&error) {
            // Who listens is told when it comes back, instead of hearing nothing.
            board.refuse(problem);
            return;
        }
        sleep(backoff.next_wait()).await;
    }
}

struct Following<'a> {
    board: &'a Board,
    names: &'a Names,
    connection: Connection,
    /// Monitors whose window closed, until when they are looked at.
    due: BTreeMap<Vec<u8>, Instant>,
    /// The last monitor that a sweep looked at.
    swept: Option<Vec<u8>>,
}

impl<'a> Following<'a> {
    fn new(board: &'a Board, names: &'a Names, connection: Connection) -> Self {
        Self { board, names, connection, due: BTreeMap::new(), swept: None }
    }

    /// Until nobody listens any more, or the connection is lost.
    async fn run(&mut self, mut pushes: mpsc::Receiver<PushInfo>, is_first: &mut bool) -> RedisResult<()> {
        self.connection.subscribe(&[CLOSED, ALERTS]).await?;
        if *is_first {
            let ends = self.ends().await?;
            self.board.begin(ends);
            *is_first = false;
        }
        let (mut looks, mut count) = (interval(LOOK), 0);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                push = pushes.recv() => match push {
                    Some(push) if push.kind == PushKind::Disconnection && !self.connection.is_cluster() => {
                        return Err(lost());
                    }
                    Some(push) => self.hear(push),
                    None => return Err(lost()),
                },
                _ = looks.tick() => {
                    if self.board.is_over() {
                        return Ok(());
                    }
                    if count % SWEEP == 0 {
                        self.sweep().await?;
                    }
                    count = count.wrapping_add(1);
                    let now = Instant::now();
                    self.due.retain(|_, until| *until > now);
                    let due: Vec<Vec<u8>> = self.due.keys().cloned().collect();
                    self.look(&due).await?;
                }
            }
        }
    }

    /// Where the streams of all monitors end.
    async fn ends(&mut self) -> RedisResult<Positions> {
        let (names, _) = self.names.now(&mut self.connection).await?;
        let monitors = companions(&names);
        let ends = each(&self.connection, &monitors, |mut connection, keys| async move {
            let end = read::end(&mut connection, &keys, false).await?;
            Ok((keys.monitor().to_vec(), end))
        });
        Ok(ends.await?.into_iter().collect())
    }

    fn hear(&mut self, push: PushInfo) {
        if push.kind != PushKind::Message {
            return;
        }
        let mut data = push.data.into_iter();
        let (Some(Value::BulkString(channel)), Some(Value::BulkString(message))) = (data.next(), data.next()) else {
            return;
        };
        let name = if channel == ALERTS.as_bytes() { monitor_of(&message) } else { Some(message) };
        if let Some(name) = name {
            self.due.insert(name, Instant::now() + DUE);
        }
    }

    /// Looks at all monitors, or the next of very many; new ones among them.
    async fn sweep(&mut self) -> RedisResult<()> {
        let (names, _) = self.names.now(&mut self.connection).await?;
        self.board.retain(&names);
        let known = self.board.positions();
        let strangers: Vec<Vec<u8>> = names.iter().filter(|name| !known.contains_key(*name)).cloned().collect();
        let strangers = companions(&strangers);
        let ends = each(&self.connection, &strangers, |mut connection, keys| async move {
            let end = read::end(&mut connection, &keys, true).await?;
            Ok((keys, end))
        });
        for (keys, end) in ends.await? {
            self.board.place(keys.monitor(), end);
        }
        let from = self.swept.take();
        let next = names.partition_point(|name| from.as_ref().is_some_and(|from| name <= from));
        let some: Vec<Vec<u8>> = names.iter().skip(next).take(SWEPT).cloned().collect();
        self.swept = some.last().filter(|_| next + some.len() < names.len()).cloned();
        self.look(&some).await
    }

    /// Looks at these monitors until there is no more to read of them.
    async fn look(&mut self, names: &[Vec<u8>]) -> RedisResult<()> {
        let mut monitors = companions(names);
        while !monitors.is_empty() {
            let positions = self.board.positions();
            // Who isn't known yet gets its place in the next sweep.
            monitors.retain(|keys| positions.contains_key(keys.monitor()));
            let found = each(&self.connection, &monitors, |mut connection, keys| {
                let from = positions.get(keys.monitor()).copied().unwrap_or_default();
                async move {
                    let found = read::after(&mut connection, &keys, from).await?;
                    Ok((keys, found))
                }
            });
            let found = found.await?;
            monitors.clear();
            for (keys, Found { news, more, cut }) in found {
                if let Some(cut) = cut {
                    self.board.place(keys.monitor(), cut);
                }
                if more && !news.is_empty() {
                    monitors.push(keys);
                }
                self.board.tell(news);
            }
        }
        Ok(())
    }
}

fn companions(names: &[Vec<u8>]) -> Vec<Companions> {
    names.iter().filter_map(|name| Companions::of(name).ok()).collect()
}

fn monitor_of(message: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Of {
        monitor: String,
    }
    serde_json::from_slice(message).ok().map(|of: Of| of.monitor.into_bytes())
}

fn lost() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "the connection was closed"))
}
