//! What a listener missed that isn't kept any more, read from the streams.

use super::board::{Positions, Told};
use super::read::{PAGE, news};
use crate::gateway::errors::{Code, Problem};
use crate::gateway::reading::history::each;
use crate::gateway::reading::scored::{self, Order};
use crate::store::connect::Connection;
use crate::store::stream::RawEntry;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use redis::RedisResult;
use std::sync::Arc;

/// Events of that kind that are told; who missed more reads them page by page.
const MOST: usize = 10_000;
/// Windows of other monitors may have been told so much later than those of the same time.
const LATE_MS: u64 = 10_000;

/// What these monitors wrote from `after` on, and a little before, up to where they are followed from.
pub(super) async fn missed(
    connection: &Connection,
    positions: &Positions,
    after: u64,
) -> Result<Vec<Arc<Told>>, Problem> {
    let from = format!("{}-0", after.saturating_sub(LATE_MS));
    let mut told = Vec::new();
    let monitors: Vec<Companions> = positions.keys().filter_map(|name| Companions::of(name).ok()).collect();
    for some in monitors.chunks(64) {
        let found = each(connection, some, |mut connection, keys| {
            let (from, to) = (from.clone(), positions.get(keys.monitor()).copied().unwrap_or_default());
            async move {
                let scores = (&*from, &*to.score.to_string());
                let scored = scored::read(&mut connection, &keys, Order::OldestFirst, scores, MOST + 1).await?;
                let alerts = alerts(&mut connection, &keys, from.clone(), to.alert).await?;
                let is_whole = scored.entries + alerts.len() <= MOST;
                Ok(is_whole.then(|| news(&keys, scored, &alerts)))
            }
        });
        for news in found.await? {
            told.extend(news.ok_or_else(too_much)?);
            if told.len() > MOST {
                return Err(too_much());
            }
        }
    }
    told.sort_by(|a, b| {
        (a.entry.ms, &a.monitor, a.kind, a.entry.seq).cmp(&(b.entry.ms, &b.monitor, b.kind, b.entry.seq))
    });
    // In order of their ends, so each is the latest.
    Ok(told.into_iter().map(|news| Arc::new(Told { high_ms: news.entry.ms, news })).collect())
}

async fn alerts(
    connection: &mut Connection,
    keys: &Companions,
    mut from: String,
    to: EntryId,
) -> RedisResult<Vec<RawEntry>> {
    let mut alerts: Vec<RawEntry> = Vec::new();
    while alerts.len() <= MOST {
        let mut command = redis::cmd("XRANGE");
        command.arg(keys.incidents()).arg(&from).arg(to.to_string()).arg("COUNT").arg(PAGE);
        let page: Vec<RawEntry> = command.query_async(connection).await?;
        let is_last = page.len() < PAGE;
        alerts.extend(page);
        match alerts.last() {
            Some((id, _)) if !is_last => from = format!("({id}"),
            _ => break,
        }
    }
    Ok(alerts)
}

fn too_much() -> Problem {
    let message = format!(
        "more than {MOST} events came since then: read .../scores and /v1/incidents, then the stream without 'after'"
    );
    Problem::new(Code::TooFarBack, message)
}
