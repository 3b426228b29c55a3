//! One monitor's streams: where they end, and what is new in them.

use super::board::{Kind, News, Position};
use crate::gateway::reading::scored::{self, Order, ScoreBody, Scored};
use crate::store::connect::Connection;
use crate::store::search::is_forbidden;
use crate::store::stream::{self, RawEntry};
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::{Companions, MAX_NAME};
use eddyline_wire::text::utf8;
use redis::{FromRedisValue, RedisResult, Value};
use serde::Serialize;
use utoipa::ToSchema;

/// Entries read at once, and those of a monitor that is new which are told.
pub(super) const PAGE: usize = 100;

/// A score and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreNews {
    /// Name of the monitor.
    monitor: String,
    #[serde(flatten)]
    score: ScoreBody,
}

/// Where a monitor's streams end, or, of one that wasn't there before, begin where there is little in them.
pub(super) async fn end(connection: &mut Connection, keys: &Companions, is_new: bool) -> RedisResult<Position> {
    let count = if is_new { PAGE + 1 } else { 1 };
    let mut pipe = redis::pipe();
    for key in [keys.scores(), keys.incidents()] {
        pipe.cmd("XREVRANGE").arg(key).arg("+").arg("-").arg("COUNT").arg(count);
    }
    let replies = allowed(pipe.ignore_errors().query_async(connection).await?)?;
    let end = |reply: RedisResult<Value>| {
        let page: Vec<RawEntry> = reply.ok().and_then(|page| Vec::from_redis_value(page).ok()).unwrap_or_default();
        let is_read_whole = is_new && page.len() <= PAGE;
        let last = page.first().and_then(|(id, _)| EntryId::parse(id.as_bytes()));
        last.filter(|_| !is_read_whole).unwrap_or_default()
    };
    let [score, alert] = <[_; 2]>::try_from(replies).expect("as many replies as commands").map(end);
    Ok(Position { score, alert })
}

/// Others' keys may be called like ours, which is nobody's trouble; that we may not look is.
fn allowed(replies: Vec<RedisResult<Value>>) -> RedisResult<Vec<RedisResult<Value>>> {
    match replies.iter().find_map(|reply| reply.as_ref().err().filter(|error| is_forbidden(error))) {
        Some(error) => Err(error.clone()),
        None => Ok(replies),
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// In order.
    pub news: Vec<News>,
    /// Whether there may be more.
    pub more: bool,
    /// The streams end there, before what was read of them.
    pub cut: Option<Position>,
}

/// What is new of a monitor.
pub(super) async fn after(connection: &mut Connection, keys: &Companions, from: Position) -> RedisResult<Found> {
    let mut pipe = redis::pipe();
    pipe.add_command(scored::command(keys, Order::OldestFirst, &format!("({}", from.score), "+", PAGE));
    pipe.cmd("XRANGE").arg(keys.incidents()).arg(format!("({}", from.alert)).arg("+").arg("COUNT").arg(PAGE);
    let replies = allowed(pipe.ignore_errors().query_async(connection).await?)?;
    let [scores, alerts] = <[_; 2]>::try_from(replies).expect("as many replies as commands");
    let scores = scores.ok().and_then(|page| Vec::from_redis_value(page).ok()).unwrap_or_default();
    let alerts: Vec<RawEntry> = alerts.ok().and_then(|page| Vec::from_redis_value(page).ok()).unwrap_or_default();
    let scored = Scored::of(scores);
    let more = scored.entries == PAGE || alerts.len() == PAGE;
    let is_quiet = scored.entries == 0 && alerts.is_empty();
    let news = news(keys, scored, &alerts);
    let cut = if is_quiet { cut(connection, keys, from).await? } else { None };
    Ok(Found { news, more, cut })
}

/// In the order of their windows, of each window its score first.
pub(super) fn news(keys: &Companions, scored: Scored, alerts: &[RawEntry]) -> Vec<News> {
    let name = utf8(keys.monitor(), MAX_NAME);
    let of = |kind, entry, data| News { monitor: keys.monitor().to_vec(), kind, entry, data };
    let scores = scored.scores.into_iter().map(|(id, score)| {
        let data = ScoreNews { monitor: name.clone(), score };
        of(Kind::Score, id, serde_json::to_string(&data).expect("strings and finite numbers always serialise"))
    });
    let alerts = alerts.iter().filter_map(|(id, fields)| {
        let alert = stream::alert(fields)?;
        Some(of(Kind::Alert, EntryId::parse(id.as_bytes())?, alert.to_json()))
    });
    let mut news: Vec<News> = scores.chain(alerts).collect();
    news.sort_by_key(|news| (news.entry.ms, news.kind, news.entry.seq));
    news
}

/// Where the streams end if that is before what was read: Redis lost some of it, or the monitor was made anew.
async fn cut(connection: &mut Connection, keys: &Companions, from: Position) -> RedisResult<Option<Position>> {
    let now = end(connection, keys, false).await?;
    let cut = Position { score: from.score.min(now.score), alert: from.alert.min(now.alert) };
    Ok((cut != from).then_some(cut))
}
