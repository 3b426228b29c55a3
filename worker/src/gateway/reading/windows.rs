//! `…/scores` and `…/fingerprints`: the windows of one monitor, page by page.

use super::asked::{Asked, Monitor, invalid, limit, window_id};
use super::scored::{self, Order, ScoreBody};
use super::values::{self, Selected, Values};
use super::{Reading, known};
use crate::gateway::errors::{ErrorBody, Problem};
use axum::Json;
use axum::extract::State;
use eddyline_wire::command::EntryId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Windows of an answer, where the request doesn't say, and at most.
const USUAL: usize = 100;
const MOST: usize = 1000;
/// Features that can be asked for, and the longest list of them in bytes.
const MOST_FEATURES: usize = 256;
const LONGEST_FEATURES: usize = 16 << 10;

/// Which windows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only windows after this one, the oldest of them first.
    #[param(example = "1795226643000-0")]
    after: Option<String>,
    /// Only windows before this one; without `after`, the newest of them.
    before: Option<String>,
    /// Most windows of the answer.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// A checked page.
pub(super) struct Range {
    after: Option<EntryId>,
    before: Option<EntryId>,
    pub(super) limit: usize,
}

impl Page {
    fn check(&self) -> Result<Range, Problem> {
        let id = |name: &str, text: &Option<String>| text.as_deref().map(|text| window_id(name, text)).transpose();
        let limit = limit(self.limit, USUAL, MOST)?;
        Ok(Range { after: id("after", &self.after)?, before: id("before", &self.before)?, limit })
    }
}

impl Range {
    /// From which end it is read, and the ends as the command takes them.
    pub(super) fn ends(&self) -> (Order, String, String) {
        let oldest = self.after.map_or_else(|| "-".to_owned(), |id| following(id).to_string());
        let newest = self.before.map_or_else(|| "+".to_owned(), |id| preceding(id).to_string());
        match self.after {
            Some(_) => (Order::OldestFirst, oldest, newest),
            None => (Order::NewestFirst, newest, oldest),
        }
    }
}

/// The next id; the last one where there is none. Redis refuses to leave out the very first and the very last itself.
fn following(EntryId { ms, seq }: EntryId) -> EntryId {
    match (seq.checked_add(1), ms.checked_add(1)) {
        (Some(seq), _) => EntryId { ms, seq },
        (None, Some(ms)) => EntryId { ms, seq: 0 },
        (None, None) => EntryId { ms, seq },
    }
}

/// The id before; 0-0, which no entry has, where there is none.
fn preceding(EntryId { ms, seq }: EntryId) -> EntryId {
    match (seq.checked_sub(1), ms.checked_sub(1)) {
        (Some(seq), _) => EntryId { ms, seq },
        (None, Some(ms)) => EntryId { ms, seq: u64::MAX },
        (None, None) => EntryId { ms, seq },
    }
}

/// Scores, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scores {
    scores: Vec<ScoreBody>,
    /// Entries of the stream that are no scores: something else wrote them.
    unreadable: usize,
}

/// The scores of a monitor, oldest first: the newest ones, or those after or before a window.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/scores", tag = "windows",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"), Page),
    responses(
        (status = 200, body = Scores),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn scores(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(page): Asked<Page>,
) -> Result<Json<Scores>, Problem> {
    let range = page.check()?;
    let mut connection = reading.connection()?;
    let (order, from, to) = range.ends();
    let scored = scored::read(&mut connection, &keys, order, (&from, &to), range.limit).await?;
    if scored.entries == 0 {
        known(&mut connection, &keys).await?;
    }
    let mut scores: Vec<ScoreBody> = scored.scores.into_iter().map(|(_, score)| score).collect();
    if order == Order::NewestFirst {
        scores.reverse();
    }
    Ok(Json(Scores { scores, unreadable: scored.unreadable }))
}

/// Which windows, and what of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FingerprintPage {
    /// Only windows after this one, the oldest of them first.
    #[param(example = "1795226643000-0")]
    after: Option<String>,
    /// Only windows before this one; without `after`, the newest of them.
    before: Option<String>,
    /// Most windows of the answer; fewer where they have more than 200,000 values together.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// Features by name, separated by commas, at most 256. Without it all numbers, without buckets.
    #[param(example = "count,latency_ms:p99")]
    features: Option<String>,
}

impl FingerprintPage {
    fn features(&self) -> Result<Selected, Problem> {
        let Some(text) = &self.features else { return Ok(Selected::Numbers) };
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let fits =
            text.len() <= LONGEST_FEATURES && names.len() <= MOST_FEATURES && names.iter().all(|name| !name.is_empty());
        let allowed = "1 to 256 names separated by commas, as in count,latency_ms:p99";
        if fits { Ok(Selected::Named(names)) } else { Err(invalid("features", allowed)) }
    }
}

/// A closed window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fingerprint {
    /// Id of the window.
    #[schema(example = "1795226643000-0")]
    pub(super) id: String,
    /// Its end, ms since the epoch.
    pub(super) end_ms: u64,
    /// Observations in it.
    pub(super) n: u64,
    /// Id of the schema that names its features.
    pub(super) schema: String,
    /// Milliseconds before what was observed of it of which nothing is known.
    pub(super) gap_ms: u64,
    /// Whether only a part of it was observed.
    pub(super) partial: bool,
    /// Values by feature; null where one is missing.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    pub(super) values: Values,
}

/// Fingerprints, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fingerprints {
    pub(super) fingerprints: Vec<Fingerprint>,
    /// Entries that can't be read, by reason.
    pub(super) unreadable: BTreeMap<String, u64>,
}

/// What closed windows of a monitor left, oldest first.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/fingerprints", tag = "windows",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"), FingerprintPage),
    responses(
        (status = 200, body = Fingerprints),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn fingerprints(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(asked): Asked<FingerprintPage>,
) -> Result<Json<Fingerprints>, Problem> {
    let selected = asked.features()?;
    let FingerprintPage { after, before, limit, features: _ } = asked;
    let range = Page { after, before, limit }.check()?;
    let mut connection = reading.connection()?;
    let read = values::read(&mut connection, &keys, &range, &selected).await?;
    if read.fingerprints.is_empty() && read.unreadable.is_empty() {
        known(&mut connection, &keys).await?;
    }
    Ok(Json(read))
}
