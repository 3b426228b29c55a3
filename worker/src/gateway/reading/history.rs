//! Incidents as they stand in the streams of many monitors.

use super::monitors::AT_ONCE;
use crate::feedback::find;
use crate::store::connect::{Connection, is_lost};
use crate::store::search::is_forbidden;
use crate::store::stream::{self, RawEntry};
use eddyline_wire::alert::{Alert, Event};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use redis::{RedisError, RedisResult};
use std::future::Future;
use tokio::task::JoinSet;

/// Entries of a stream read at once, and how often for one monitor.
const PAGE: usize = 100;
const PAGES: usize = 50;
/// Messages that are told of one incident.
const MESSAGES: usize = 1000;

/// An incident.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its monitor.
    pub keys: Companions,
    /// The last message about it.
    pub latest: Alert,
    /// End of its first window, ms since the epoch.
    pub opened_ms: u64,
}

impl Story {
    /// Of all messages about an incident; none where there is no message.
    #[must_use]
    pub fn of(keys: Companions, messages: &[Alert]) -> Option<Self> {
        messages.last().map(|latest| Self::told(keys, latest.clone()))
    }

    fn told(keys: Companions, latest: Alert) -> Self {
        let opened_ms = latest.since_ms.saturating_add(latest.window_ms);
        Self { keys, latest, opened_ms }
    }
}

/// Which incidents.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Only those that were opened before this time, ms since the epoch.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
    /// Whether open ones are wanted, and resolved ones.
    pub open: bool,
    /// As above.
    pub resolved: bool,
}

impl Wanted {
    fn has(&self, story: &Story) -> bool {
        let is_early = self.before.is_none_or(|before| story.opened_ms < before);
        is_early && if story.latest.is_open() { self.open } else { self.resolved }
    }

    /// Where reading begins, backwards.
    fn end(&self) -> String {
        self.before.map_or_else(|| "+".to_owned(), |before| before.saturating_sub(1).to_string())
    }
}

/// The incidents of these monitors that were opened last, the last one first.
///
/// # Errors
/// Trouble with Redis.
pub async fn newest(connection: &Connection, monitors: &[Companions], wanted: Wanted) -> RedisResult<Vec<Story>> {
    let mut candidates = candidates(connection, monitors, wanted).await?;
    candidates.sort_by_key(|(newest, _)| std::cmp::Reverse(*newest));
    let (mut connection, mut stories): (_, Vec<Story>) = (connection.clone(), Vec::new());
    for (newest, keys) in candidates {
        // An incident is opened before its last message is written.
        let least = (stories.len() >= wanted.limit).then(|| stories[wanted.limit - 1].opened_ms);
        if least.is_some_and(|least| newest.ms < least) {
            break;
        }
        stories.extend(of_monitor(&mut connection, &keys, wanted, least).await?);
        stories.sort_by(|a, b| b.opened_ms.cmp(&a.opened_ms).then_with(|| a.keys.monitor().cmp(b.keys.monitor())));
        stories.truncate(wanted.limit);
    }
    Ok(stories)
}

/// The monitors that have messages before that time, each with the id of the last one.
async fn candidates(
    connection: &Connection,
    monitors: &[Companions],
    wanted: Wanted,
) -> RedisResult<Vec<(EntryId, Companions)>> {
    let each = each(connection, monitors, move |mut connection, keys| async move {
        let page = back(&mut connection, &keys, &wanted.end(), 1).await?;
        let (id, fields) = match page.first() {
            Some((id, fields)) => (EntryId::parse(id.as_bytes()), fields),
            None => return Ok(None),
        };
        // Of one monitor no more than one incident is open, which its last message is about.
        let is_over = || wanted.before.is_none() && stream::alert(fields).is_some_and(|alert| !alert.is_open());
        let may_have = wanted.resolved || !is_over();
        Ok(id.filter(|_| may_have).map(|id| (id, keys)))
    });
    Ok(each.await?.into_iter().flatten().collect())
}

/// Those of one monitor, none of which was opened before `least`.
async fn of_monitor(
    connection: &mut Connection,
    keys: &Companions,
    wanted: Wanted,
    least: Option<u64>,
) -> RedisResult<Vec<Story>> {
    let (mut stories, mut end): (Vec<Story>, _) = (Vec::new(), wanted.end());
    for _ in 0..PAGES {
        let page = back(connection, keys, &end, PAGE).await?;
        for alert in page.iter().filter_map(|(_, fields)| stream::alert(fields)) {
            if !stories.iter().any(|story| story.latest.incident == alert.incident) {
                stories.push(Story::told(keys.clone(), alert));
            }
        }
        if let Some(newest) = stories.first_mut()
            && end == wanted.end()
            && let Some(before) = wanted.before
        {
            catch_up(connection, newest, before).await?;
        }
        let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else { break };
        let is_early = |least| EntryId::parse(last.as_bytes()).is_none_or(|last| last.ms < least);
        let is_enough = stories.iter().filter(|story| wanted.has(story)).count() >= wanted.limit;
        if is_enough || least.is_some_and(is_early) || !wanted.resolved {
            break;
        }
        end = format!("({last}");
    }
    stories.retain(|story| wanted.has(story));
    Ok(stories)
}

/// What was said of an incident from this time on.
async fn catch_up(connection: &mut Connection, story: &mut Story, from_ms: u64) -> RedisResult<()> {
    let mut start = format!("{from_ms}-0");
    for _ in 0..PAGES {
        let mut command = redis::cmd("XRANGE");
        command.arg(story.keys.incidents()).arg(&start).arg("+").arg("COUNT").arg(PAGE);
        let page: Vec<RawEntry> = command.query_async(connection).await?;
        for alert in page.iter().filter_map(|(_, fields)| stream::alert(fields)) {
            if alert.incident == story.latest.incident {
                story.latest = alert;
            } else if alert.event == Event::Opened {
                return Ok(());
            }
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE && story.latest.is_open() => start = format!("({last}"),
            _ => break,
        }
    }
    Ok(())
}

/// Entries of a monitor's incidents, the newest first.
async fn back(connection: &mut Connection, keys: &Companions, end: &str, count: usize) -> RedisResult<Vec<RawEntry>> {
    let mut command = redis::cmd("XREVRANGE");
    command.arg(keys.incidents()).arg(end).arg("-").arg("COUNT").arg(count);
    match command.query_async(connection).await {
        Err(error) if is_none_of_ours(&error) => Ok(Vec::new()),
        page => page,
    }
}

/// Another's key is called like ours.
fn is_none_of_ours(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE") && !is_lost(error) && !is_forbidden(error)
}

/// All messages about an incident, oldest first; the last 1000 of very many.
///
/// # Errors
/// Trouble with Redis.
pub async fn messages(connection: &mut Connection, keys: &Companions, incident: &str) -> RedisResult<Vec<Alert>> {
    let (mut messages, mut end): (Vec<Alert>, _) = (Vec::new(), "+".to_owned());
    'pages: loop {
        let page = back(connection, keys, &end, PAGE).await?;
        for alert in page.iter().filter_map(|(_, fields)| stream::alert(fields)) {
            if alert.incident != incident {
                continue;
            }
            let is_first = alert.event == Event::Opened;
            messages.push(alert);
            if is_first || messages.len() == MESSAGES {
                break 'pages;
            }
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => end = format!("({last}"),
            _ => break,
        }
    }
    messages.reverse();
    Ok(messages)
}

/// Which of these monitors an incident is of.
///
/// # Errors
/// Trouble with Redis.
pub async fn locate(
    connection: &Connection,
    monitors: &[Companions],
    incident: &str,
) -> RedisResult<Option<Companions>> {
    for some in monitors.chunks(AT_ONCE) {
        let incident = incident.to_owned();
        let found = each(connection, some, move |mut connection, keys| {
            let incident = incident.clone();
            async move {
                match find::of_monitor(&mut connection, &keys, &incident).await {
                    Ok(found) => Ok(found.map(|_| keys)),
                    Err(error) if is_none_of_ours(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        });
        if let Some(keys) = found.await?.into_iter().flatten().next() {
            return Ok(Some(keys));
        }
    }
    Ok(None)
}

/// Does the same for each monitor, for some of them together, over one connection.
pub(super) async fn each<T: Send + 'static, F: Future<Output = RedisResult<T>> + Send + 'static>(
    connection: &Connection,
    monitors: &[Companions],
    work: impl Fn(Connection, Companions) -> F,
) -> RedisResult<Vec<T>> {
    let mut all = Vec::with_capacity(monitors.len());
    for some in monitors.chunks(AT_ONCE) {
        let mut tasks = JoinSet::new();
        for (at, keys) in some.iter().enumerate() {
            let work = work(connection.clone(), keys.clone());
            tasks.spawn(async move { (at, work.await) });
        }
        let mut done = tasks.join_all().await;
        done.sort_by_key(|(at, _)| *at);
        for (_, result) in done {
            all.push(result?);
        }
    }
    Ok(all)
}
