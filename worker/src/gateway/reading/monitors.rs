//! `GET /v1/monitors` and `GET /v1/monitors/{name}`.

use super::Reading;
use super::asked::{Asked, Monitor, limit};
use super::counts;
use super::glance::{self, Glance, Kind, Seen};
use super::reply::{self, json};
use crate::feedback::record::FIELD;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::store::connect::Connection;
use axum::Json;
use axum::extract::State;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::utf8;
use eddyline_wire::vector::{FEATURES, named_features};
use redis::{FromRedisValue, RedisResult, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use std::collections::{BTreeMap, HashMap};
use tokio::task::JoinSet;
use utoipa::{IntoParams, ToSchema};

/// Monitors of an answer, where the request doesn't say, and at most.
const USUAL: usize = 200;
const MOST: usize = 1000;
/// Monitors looked at together.
pub(super) const AT_ONCE: usize = 64;
/// Fields of the settings that are told, and the longest value.
const MOST_SETTINGS: u64 = 1000;
const LONGEST_SETTING: usize = 4096;

/// Which monitors.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MonitorsPage {
    /// Only monitors after this name.
    after: Option<String>,
    /// Most monitors of the answer.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    limit: Option<usize>,
}

/// Monitors in the order of their names.
#[derive(Debug, Serialize, ToSchema)]
pub struct Monitors {
    monitors: Vec<Glance>,
    /// What to ask for with `after` for the next ones; null where there are no more.
    next: Option<String>,
}

/// All monitors at a glance.
#[utoipa::path(
    get, path = "/v1/monitors", tag = "monitors", params(MonitorsPage),
    responses((status = 200, body = Monitors), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn monitors(
    State(reading): State<Reading>,
    Asked(page): Asked<MonitorsPage>,
) -> Result<Json<Monitors>, Problem> {
    let limit = limit(page.limit, USUAL, MOST)?;
    let mut connection = reading.connection()?;
    let (names, _) = reading.names.now(&mut connection).await?;
    let after = page.after.unwrap_or_default();
    let mut names = names.iter().filter(|name| name.as_slice() > after.as_bytes());
    let mut monitors = Vec::new();
    let mut next = None;
    while monitors.len() < limit {
        let some: Vec<&Vec<u8>> = names.by_ref().take(AT_ONCE.min(limit - monitors.len())).collect();
        let Some(last) = some.last() else { break };
        next = Some(utf8(last, eddyline_wire::keys::MAX_NAME));
        monitors.extend(glances(&connection, &some).await?);
    }
    let next = next.filter(|_| names.next().is_some());
    Ok(Json(Monitors { monitors, next }))
}

/// Those of the names that are monitors, in the same order.
async fn glances(connection: &Connection, names: &[&Vec<u8>]) -> RedisResult<Vec<Glance>> {
    let mut looks = JoinSet::new();
    for (at, name) in names.iter().enumerate() {
        let Ok(keys) = Companions::of(name) else { continue };
        let mut connection = connection.clone();
        looks.spawn(async move { (at, glance::look(&mut connection, &keys).await) });
    }
    let mut looks = looks.join_all().await;
    looks.sort_by_key(|(at, _)| *at);
    let mut glances = Vec::new();
    for (_, seen) in looks {
        glances.extend(seen?.map(|seen| seen.glance));
    }
    Ok(glances)
}

/// What a monitor counts.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fields {
    /// Fields whose items are counted.
    pub dimensions: Vec<String>,
    /// Joint items, with or without a measure.
    pub crosses: Vec<String>,
    /// Numeric fields.
    pub measures: Vec<String>,
    /// Fields of which the number of distinct values is known.
    pub uniques: Vec<String>,
}

impl Fields {
    /// What the names of the module's features tell of them, in their order.
    #[must_use]
    pub fn of(names: &[String]) -> Self {
        let mut fields = Self::default();
        let has_items = |field: &str| names.iter().any(|name| name.strip_suffix(":entropy") == Some(field));
        for name in names {
            // Of a row of buckets, as in `peer*latency_ms[0]<0.25`, the first names the cross.
            if let Some((cross, _)) = name.split_once("[0]<") {
                if !fields.crosses.iter().any(|known| known == cross) {
                    fields.crosses.push(cross.to_owned());
                }
                continue;
            }
            match name.rsplit_once(':') {
                Some((field, "entropy")) if field.contains('*') => fields.crosses.push(field.to_owned()),
                Some((field, "entropy")) => fields.dimensions.push(field.to_owned()),
                Some((field, "p50")) => fields.measures.push(field.to_owned()),
                Some((field, "distinct")) if !has_items(field) => fields.uniques.push(field.to_owned()),
                _ => {}
            }
        }
        fields
    }
}

/// All about a monitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct MonitorDetails {
    #[serde(flatten)]
    glance: Glance,
    #[serde(flatten)]
    fields: Fields,
    /// Streams that it reads.
    sources: Vec<String>,
    /// Names of its features, in vector order.
    features: Vec<String>,
    /// What EDDY.INFO says; empty without the module.
    #[schema(value_type = Object)]
    info: BTreeMap<String, Json_>,
    /// What was set for it, by name; feedback stands with the incidents.
    settings: BTreeMap<String, String>,
}

impl MonitorDetails {
    /// Who counts for it, its window and its fields, its streams and its features.
    pub(super) fn definition(&self) -> (Kind, Option<u64>, &Fields, &[String], &[String]) {
        (self.glance.kind, self.glance.window_ms, &self.fields, &self.sources, &self.features)
    }

    /// Who moves its time, where the module says.
    pub(super) fn clock(&self) -> Option<&str> {
        self.info.get("clock")?.as_str()
    }
}

/// One monitor.
#[utoipa::path(
    get, path = "/v1/monitors/{name}", tag = "monitors",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout")),
    responses(
        (status = 200, body = MonitorDetails),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "What stands in Redis for it is none of ours"),
    ),
)]
pub(super) async fn monitor(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
) -> Result<Json<MonitorDetails>, Problem> {
    let mut connection = reading.connection()?;
    details(&mut connection, &keys).await?.map(Json).ok_or_else(|| unknown(&keys))
}

/// There is no such monitor.
pub(super) fn unknown(keys: &Companions) -> Problem {
    Problem::unknown_monitor(&utf8(keys.monitor(), 128))
}

/// All about a monitor; none where there is no such one.
pub(super) async fn details(connection: &mut Connection, keys: &Companions) -> Result<Option<MonitorDetails>, Problem> {
    let Some(Seen { glance, info }) = glance::look(connection, keys).await? else { return Ok(None) };
    let settings = settings(connection, keys).await?;
    let (features, sources) = match glance.kind {
        Kind::Module => (module_features(connection, keys).await?, reply::names_in(info.get("sources"))),
        Kind::Counted => {
            let schema = glance::newest_schema(connection, keys).await?;
            let features = schema.map(|schema| schema.features().collect()).unwrap_or_default();
            (features, counts::sources(connection, keys).await?)
        }
        Kind::Vectors => (vector_features(connection, keys, &settings).await?, Vec::new()),
    };
    let fields = if glance.kind == Kind::Vectors { Fields::default() } else { Fields::of(&features) };
    let info = info.iter().map(|(name, value)| (name.clone(), json(value))).collect();
    Ok(Some(MonitorDetails { glance, fields, sources, features, info, settings }))
}

/// The names that the module tells; none while it learns.
async fn module_features(connection: &mut Connection, keys: &Companions) -> RedisResult<Vec<String>> {
    let schema: HashMap<String, Value> =
        match redis::cmd("EDDY.SCHEMA").arg(keys.monitor()).query_async(connection).await {
            Err(error) if error.code() == Some("ERR") => HashMap::new(),
            schema => schema?,
        };
    Ok(schema.get("features").and_then(|names| Vec::from_redis_value_ref(names).ok()).unwrap_or_default())
}

/// The names that are set, or those that the first vector would set.
async fn vector_features(
    connection: &mut Connection,
    keys: &Companions,
    settings: &BTreeMap<String, String>,
) -> RedisResult<Vec<String>> {
    if let Some(names) = settings.get(FEATURES).and_then(|names| named_features(names.as_bytes()).ok()) {
        return Ok(names);
    }
    let mut first = redis::cmd("XRANGE");
    first.arg(keys.fingerprints()).arg("-").arg("+").arg("COUNT").arg(1);
    let page: Vec<crate::store::stream::RawEntry> = first.query_async(connection).await?;
    let reader = super::values::reader(connection, keys, &page).await?;
    Ok(reader.schema().map(|schema| schema.record.features().collect()).unwrap_or_default())
}

/// What was set for a monitor; nothing of a hash that is none of ours.
async fn settings(connection: &mut Connection, keys: &Companions) -> Result<BTreeMap<String, String>, Problem> {
    let fields: u64 = match redis::cmd("HLEN").arg(keys.settings()).query_async(connection).await {
        Err(error) if error.code() == Some("WRONGTYPE") => return Ok(BTreeMap::new()),
        fields => fields?,
    };
    if fields > MOST_SETTINGS {
        let message = format!("its settings have {fields} fields, more than the {MOST_SETTINGS} that are read");
        return Err(Problem::new(Code::Conflict, message));
    }
    let hash: Vec<(Vec<u8>, Vec<u8>)> = redis::cmd("HGETALL").arg(keys.settings()).query_async(connection).await?;
    let told = hash.iter().filter(|(name, _)| name != FIELD.as_bytes());
    Ok(told.map(|(name, value)| (utf8(name, 1024), utf8(value, LONGEST_SETTING))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_features() {
        let names = "count service:distinct service:new service:entropy service:burst service*status:distinct \
                     service*status:new service*status:entropy service*status:burst latency_ms:mean latency_ms:p50 \
                     user:distinct a:b:distinct service[0] service[1] peer*latency_ms[0]<0.25 peer*latency_ms[0]<1 \
                     peer*latency_ms[0]>=1 peer*latency_ms[1]<0.25";
        let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        let told = Fields {
            dimensions: vec!["service".to_owned()],
            crosses: vec!["service*status".to_owned(), "peer*latency_ms".to_owned()],
            measures: vec!["latency_ms".to_owned()],
            uniques: vec!["user".to_owned(), "a:b".to_owned()],
        };
        assert_eq!(Fields::of(&names), told);
    }
}
