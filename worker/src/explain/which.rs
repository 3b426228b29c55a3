//! Which window is meant, and its entry in the stream of fingerprints.

use super::ExplainError;
use crate::store::connect::Connection;
use crate::store::stream::RawEntry;
use eddyline_wire::alert::rfc3339;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use redis::RedisResult;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Which window is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The newest.
    Last,
    /// That of the fingerprint with this id.
    Id(EntryId),
    /// That in which this moment lies, ms since the epoch.
    At(u64),
}

impl FromStr for Which {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ALLOWED: &str = "the id of a fingerprint (1795166105000-0), a time (2026-11-20T09:30:02Z) or 'last'";
        if text == "last" {
            return Ok(Self::Last);
        }
        if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
            return u64::try_from(time.unix_timestamp_nanos() / 1_000_000).map(Self::At).map_err(|_| ALLOWED);
        }
        let id = if text.contains('-') { text.to_owned() } else { format!("{text}-0") };
        EntryId::parse(id.as_bytes()).map(Self::Id).ok_or(ALLOWED)
    }
}

/// The entry that is meant. For a moment it is the next window that ends after it, which may begin after it too.
pub(super) async fn entry(
    connection: &mut Connection,
    keys: &Companions,
    which: Which,
) -> Result<RawEntry, ExplainError> {
    let stream = keys.fingerprints();
    let found = match which {
        Which::Last => next(connection, "XREVRANGE", &stream, "+", "-").await?,
        Which::Id(id) => next(connection, "XRANGE", &stream, &id.to_string(), &id.to_string()).await?,
        Which::At(ms) => next(connection, "XRANGE", &stream, &format!("{}-0", ms.saturating_add(1)), "+").await?,
    };
    match found {
        Some(found) => Ok(found),
        None => Err(missing(connection, keys, which).await?),
    }
}

async fn next(
    connection: &mut Connection,
    command: &str,
    stream: &[u8],
    from: &str,
    to: &str,
) -> RedisResult<Option<RawEntry>> {
    let page: Vec<RawEntry> =
        redis::cmd(command).arg(stream).arg(from).arg(to).arg("COUNT").arg(1).query_async(connection).await?;
    Ok(page.into_iter().next())
}

/// Says which windows there are instead.
async fn missing(connection: &mut Connection, keys: &Companions, which: Which) -> RedisResult<ExplainError> {
    let (name, stream) = (printable(keys.monitor(), 128), keys.fingerprints());
    let first = next(connection, "XRANGE", &stream, "-", "+").await?;
    let last = next(connection, "XREVRANGE", &stream, "+", "-").await?;
    let (Some((first, _)), Some((last, _))) = (first, last) else {
        let what = format!("'{name}' has no fingerprints: 'eddyline doctor' says why nothing comes");
        return Ok(ExplainError::NoWindow(what));
    };
    let ends = format!("the stream has windows from {} to {}", shown(&first), shown(&last));
    let beside = match which {
        Which::Id(id) => {
            let before = next(connection, "XREVRANGE", &stream, &id.to_string(), "-").await?;
            let after = next(connection, "XRANGE", &stream, &id.to_string(), "+").await?;
            let neighbours: Vec<String> = [before, after].into_iter().flatten().map(|(id, _)| shown(&id)).collect();
            format!("no fingerprint {id}: nearest is {}; {ends}", neighbours.join(" and "))
        }
        Which::At(ms) => format!("no window ends after {}; {ends}", rfc3339(ms)),
        Which::Last => ends,
    };
    Ok(ExplainError::NoWindow(format!("'{name}': {beside}")))
}

fn shown(id: &str) -> String {
    let end = EntryId::parse(id.as_bytes()).map(|id| rfc3339(id.ms)).unwrap_or_default();
    format!("{id} ({end})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_named_by_its_id_a_time_in_it_or_as_the_last() {
        let id = Which::Id(EntryId { ms: 1_795_166_105_000, seq: 0 });
        assert_eq!("1795166105000-0".parse(), Ok(id));
        assert_eq!("1795166105000".parse(), Ok(id));
        assert_eq!("1970-01-01T01:00:02.5+01:00".parse(), Ok(Which::At(2500)));
        assert_eq!("last".parse(), Ok(Which::Last));
        for text in ["", "yesterday", "1960-01-01T00:00:00Z", "12-x", "-5", "2026-11-20"] {
            assert!(text.parse::<Which>().is_err(), "{text}");
        }
    }
}
