//! Answers about single items and measures: the module's, or where there is none those of what a worker counted.

use super::asked::invalid;
use super::monitors::unknown;
use crate::count::state::State as Counted;
use crate::gateway::errors::{Code, Problem};
use crate::store::connect::{Connection, is_lost};
use eddyline_monitor::{Monitor, NoAnswer};
use eddyline_wire::keys::Companions;
use eddyline_wire::text::utf8;
use eddyline_wire::vector::PERIOD;
use redis::{Cmd, FromRedisValue, RedisError};

/// Largest state of a monitor that a worker counts: the most memory that one may have, and some more.
const LONGEST_STATE: u64 = 80 << 20;

/// How often an item was counted: in the open window, in the last one, in one in the long run.
pub(super) type Estimate = (u64, u64, f64);
/// Items with their counts, largest first.
pub(super) type Heavy = Vec<(Vec<u8>, u64)>;

/// The heaviest items of the open window and of the last one.
pub(super) async fn top(
    connection: &mut Connection,
    keys: &Companions,
    dimension: &str,
    k: usize,
) -> Result<(Heavy, Heavy), Problem> {
    let mut command = redis::cmd("EDDY.TOP");
    command.arg(keys.monitor()).arg(dimension).arg(k);
    if let Some(mut windows) = asked::<std::collections::HashMap<String, Heavy>>(connection, &command).await? {
        let mut window = |name: &str| windows.remove(name).unwrap_or_default();
        return Ok((window("open"), window("last")));
    }
    let counted = counted(connection, keys).await?.ok_or_else(|| unknown(keys))?;
    let owned = |heavy: Vec<(&[u8], u64)>| heavy.into_iter().map(|(item, count)| (item.to_vec(), count)).collect();
    let (open, last) = counted.top(dimension, k).map_err(unanswered)?;
    Ok((owned(open), owned(last)))
}

/// How often each of these items was counted.
pub(super) async fn estimates(
    connection: &mut Connection,
    keys: &Companions,
    dimension: &str,
    items: &[Vec<u8>],
) -> Result<Vec<Estimate>, Problem> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = redis::cmd("EDDY.COUNT");
    command.arg(keys.monitor()).arg(dimension).arg(items);
    if let Some(estimates) = asked(connection, &command).await? {
        return Ok(estimates);
    }
    let counted = counted(connection, keys).await?.ok_or_else(|| unknown(keys))?;
    let estimate = |item: &Vec<u8>| {
        let estimate = counted.estimate(dimension, item).map_err(unanswered)?;
        Ok((estimate.open.into(), estimate.last.into(), estimate.mean))
    };
    items.iter().map(estimate).collect()
}

/// Values of these ranks in the last window; none where it had no value.
pub(super) async fn quantiles(
    connection: &mut Connection,
    keys: &Companions,
    measure: &str,
    ranks: &[f64],
) -> Result<Vec<Option<f64>>, Problem> {
    let mut command = redis::cmd("EDDY.QUANTILE");
    command.arg(keys.monitor()).arg(measure).arg(ranks);
    if let Some(values) = asked(connection, &command).await? {
        return Ok(values);
    }
    let counted = counted(connection, keys).await?.ok_or_else(|| unknown(keys))?;
    ranks.iter().map(|&rank| counted.quantile(measure, rank).map_err(unanswered)).collect()
}

/// The streams that a worker reads for the monitor.
pub(super) async fn sources(connection: &mut Connection, keys: &Companions) -> Result<Vec<String>, Problem> {
    let counted = counted(connection, keys).await?;
    let sources = counted.iter().flat_map(|monitor| monitor.definition().sources.iter());
    Ok(sources.map(|source| utf8(source, eddyline_wire::keys::MAX_NAME)).collect())
}

/// What the module answers; none where it doesn't have the monitor.
async fn asked<T: FromRedisValue>(connection: &mut Connection, command: &Cmd) -> Result<Option<T>, Problem> {
    match command.query_async(connection).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => refused(error),
    }
}

fn refused<T>(error: RedisError) -> Result<Option<T>, Problem> {
    if is_lost(&error) || !matches!(error.code(), Some("ERR" | "WRONGTYPE")) {
        return Err(error.into());
    }
    let detail = error.detail().unwrap_or_default().to_owned();
    let has = |words: &str| detail.contains(words);
    match () {
        () if error.code() == Some("WRONGTYPE") || has("no such monitor") || has("unknown command") => Ok(None),
        () if has("the monitor has no") => Err(Problem::new(Code::NotFound, detail)),
        () if has("still learning") => Err(Problem::new(Code::Conflict, detail)),
        () => Err(invalid("the monitor refuses", &detail)),
    }
}

fn unanswered(why: NoAnswer) -> Problem {
    let code = match why {
        NoAnswer::Learning(..) => Code::Conflict,
        NoAnswer::Dimension(..) | NoAnswer::Measure(..) => Code::NotFound,
    };
    Problem::new(code, why.to_string())
}

/// What a worker counted for the monitor; none where there is no such one.
async fn counted(connection: &mut Connection, keys: &Companions) -> Result<Option<Monitor>, Problem> {
    let mut pipe = redis::pipe();
    pipe.cmd("STRLEN").arg(keys.counting());
    pipe.cmd("HEXISTS").arg(keys.settings()).arg(PERIOD);
    let (length, is_vectors): (u64, bool) = pipe.query_async(connection).await?;
    match length {
        0 if is_vectors => {
            let message =
                "this monitor takes vectors: nobody counts items or measures for it; .../fingerprints has them";
            Err(Problem::new(Code::NotFound, message))
        }
        0 => Ok(None),
        1..=LONGEST_STATE => {
            let bytes: Vec<u8> = redis::cmd("GET").arg(keys.counting()).query_async(connection).await?;
            let state = Counted::decode(&bytes).map_err(|why| Problem::new(Code::Conflict, why.to_string()))?;
            Ok(Some(state.monitor))
        }
        _ => Err(Problem::new(Code::Conflict, "{monitor}:counting is larger than any monitor")),
    }
}
