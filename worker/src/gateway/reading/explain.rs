//! `GET …/explain`: why a window alerted or didn't, judged again by the code that scored it.

use super::Reading;
use super::asked::{Asked, Monitor, invalid};
use super::turn::Turn;
use crate::explain::ExplainError;
use crate::explain::answer::{self, Answer};
use crate::explain::which::Which;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which window.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WindowOf {
    /// The id of a window, a time in it (RFC 3339), or `last`.
    #[param(example = "last", default = "last")]
    window: Option<String>,
}

/// Why a window alerted or didn't, feature by feature: what `eddyline explain --json` prints.
///
/// All that was learnt before it is learnt again for that, which takes a moment: one is explained at a time.
#[utoipa::path(
    get, path = "/v1/monitors/{name}/explain", tag = "incidents",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout"), WindowOf),
    responses(
        (status = 200, body = Object), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn explain(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Asked(of): Asked<WindowOf>,
) -> Result<Json<Answer>, Problem> {
    let which: Which = of.window.as_deref().unwrap_or("last").parse().map_err(|why| invalid("window", why))?;
    let mut connection = reading.connection()?;
    super::known(&mut connection, &keys).await?;
    let turn = Turn::take(&reading.judging).await?;
    // Else by what was chosen when the last checkpoint was written.
    let chosen = reading.gateway.chosen(keys.monitor());
    let answer =
        turn.think_async(async move { answer::find_as_chosen(&mut connection, &keys, which, chosen.as_ref()).await });
    let answer = answer.await?;
    answer.map(Json).map_err(|error| match error {
        ExplainError::Redis(error) => error.into(),
        other => Problem::new(Code::NotFound, other.to_string()),
    })
}
