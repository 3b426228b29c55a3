//! `GET /v1/incidents` and `GET /v1/incidents/{id}`.

use super::Reading;
use super::asked::{Asked, IncidentId, limit, monitor};
use super::history::{self, Story, Wanted};
use super::shapes;
use crate::feedback::give;
use crate::feedback::record::{Said, What};
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::store::connect::Connection;
use axum::Json;
use axum::extract::State;
use eddyline_wire::alert::Alert;
use eddyline_wire::keys::Companions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Incidents of an answer, where the request doesn't say, and at most.
const USUAL: usize = 50;
const MOST: usize = 500;

/// Which incidents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// Those that aren't over.
    Open,
    /// Those that are.
    Resolved,
    /// Both.
    #[default]
    All,
}

/// Which incidents.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentsPage {
    /// Only those of this monitor.
    monitor: Option<String>,
    /// Only open or resolved ones.
    #[param(inline)]
    state: Option<Which>,
    /// Only those that were opened before this time, ms since the epoch.
    before: Option<u64>,
    /// Most incidents of the answer.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
}

/// What was said of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeedbackBody {
    /// `normal`, `anomaly` or `snooze`.
    word: String,
    /// Who said it.
    by: String,
    /// When, ms since the epoch.
    at_ms: u64,
    /// Until when it is snoozed, ms since the epoch.
    until_ms: Option<u64>,
}

impl From<&Said> for FeedbackBody {
    fn from(said: &Said) -> Self {
        let until_ms = match said.what {
            What::Snooze { until_ms } => Some(until_ms),
            What::Normal | What::Anomaly => None,
        };
        Self { word: said.what.word().to_owned(), by: said.by.clone(), at_ms: said.at_ms, until_ms }
    }
}

/// An incident: the latest message about it, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentBody {
    #[serde(flatten)]
    #[schema(value_type = shapes::AlertShape)]
    latest: Alert,
    /// `open` or `resolved`.
    #[schema(example = "open")]
    state: &'static str,
    /// End of its first window, ms since the epoch.
    opened_ms: u64,
    /// End of the window with which it was over, ms since the epoch.
    resolved_ms: Option<u64>,
    /// What was said of it last.
    feedback: Option<FeedbackBody>,
}

impl IncidentBody {
    fn of(story: Story, said: &[Said]) -> Self {
        let latest = story.latest;
        let is_open = latest.is_open();
        Self {
            state: if is_open { "open" } else { "resolved" },
            opened_ms: story.opened_ms,
            resolved_ms: (!is_open).then_some(latest.window_end_ms),
            feedback: said.iter().rev().find(|said| said.incident == latest.incident).map(FeedbackBody::from),
            latest,
        }
    }
}

/// Incidents, the one opened last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Incidents {
    incidents: Vec<IncidentBody>,
}

/// Incidents of all monitors, or of one: the one that was opened last comes first.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "incidents", params(IncidentsPage),
    responses((status = 200, body = Incidents), (status = 400, body = ErrorBody), (status = 503, body = ErrorBody)),
)]
pub(super) async fn incidents(
    State(reading): State<Reading>,
    Asked(page): Asked<IncidentsPage>,
) -> Result<Json<Incidents>, Problem> {
    let limit = limit(page.limit, USUAL, MOST)?;
    let which = page.state.unwrap_or_default();
    let mut connection = reading.connection()?;
    let monitors = match &page.monitor {
        Some(name) => vec![monitor(name)?],
        None => reading.monitors(&mut connection).await?,
    };
    let (open, resolved) = (which != Which::Resolved, which != Which::Open);
    let wanted = Wanted { before: page.before, limit, open, resolved };
    let stories = history::newest(&connection, &monitors, wanted).await?;
    let mut said: BTreeMap<Vec<u8>, Vec<Said>> = BTreeMap::new();
    let mut incidents = Vec::new();
    for story in stories {
        let name = story.keys.monitor().to_vec();
        if !said.contains_key(&name) {
            said.insert(name.clone(), said_of(&mut connection, &story.keys).await?);
        }
        incidents.push(IncidentBody::of(story, &said[&name]));
    }
    Ok(Json(Incidents { incidents }))
}

/// What is in force of what was said of a monitor's incidents.
async fn said_of(connection: &mut Connection, keys: &Companions) -> Result<Vec<Said>, Problem> {
    match give::list(connection, Some(keys)).await {
        Ok(said) => Ok(said.into_iter().flat_map(|(_, said)| said).collect()),
        Err(give::FeedbackError::Redis(error)) => Err(error.into()),
        // What somebody wrote there by hand is told where feedback is given.
        Err(_) => Ok(Vec::new()),
    }
}

/// Where the incident may be.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfMonitor {
    /// Its monitor, where it is known: it is found faster.
    monitor: Option<String>,
}

/// An incident and all messages about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentDetails {
    incident: IncidentBody,
    /// The messages, oldest first.
    #[schema(value_type = Vec<shapes::AlertShape>)]
    messages: Vec<Alert>,
}

/// One incident, with all messages about it.
#[utoipa::path(
    get, path = "/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id", pattern = "^[0-9a-fA-F]{16}$", example = "5b1f2c9a7e3d4860"), OfMonitor),
    responses(
        (status = 200, body = IncidentDetails),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn incident(
    State(reading): State<Reading>,
    IncidentId(id): IncidentId,
    Asked(of): Asked<OfMonitor>,
) -> Result<Json<IncidentDetails>, Problem> {
    let mut connection = reading.connection()?;
    let keys = locate(&reading, &mut connection, &id, of.monitor.as_deref()).await?;
    let messages = history::messages(&mut connection, &keys, &id).await?;
    let story = Story::of(keys, &messages).ok_or_else(|| unknown(&id))?;
    let said = said_of(&mut connection, &story.keys).await?;
    Ok(Json(IncidentDetails { incident: IncidentBody::of(story, &said), messages }))
}

fn unknown(id: &str) -> Problem {
    Problem::new(Code::UnknownIncident, format!("no monitor has an incident '{id}'; old ones go with their streams"))
}

/// The monitor that an incident is of.
pub(super) async fn locate(
    reading: &Reading,
    connection: &mut Connection,
    id: &str,
    name: Option<&str>,
) -> Result<Companions, Problem> {
    let monitors = match name {
        Some(name) => vec![monitor(name)?],
        None => reading.monitors(connection).await?,
    };
    // It may read much: one search at a time.
    let _turn = reading.searching.acquire().await;
    history::locate(connection, &monitors, id).await?.ok_or_else(|| unknown(id))
}
