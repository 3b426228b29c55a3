//! `POST /v1/incidents/{id}/feedback`: what somebody says of an incident.

use super::Reading;
use super::asked::{Body, IncidentId, invalid, monitor};
use super::incidents::locate;
use crate::cli::values::duration;
use crate::feedback::command::sentence;
use crate::feedback::give::{FeedbackError, LONGEST_SNOOZE_MS, Request, Word, give};
use crate::feedback::record::MAX_BY;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::gateway::keys::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be said.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// The like of it opens nothing any more.
    Normal,
    /// It is an anomaly.
    Anomaly,
    /// The like of it opens nothing for a while.
    Snooze,
    /// What was said last of it is taken back.
    Undo,
}

/// What somebody says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// What.
    word: Said,
    /// With `snooze`, for how long: a number and its unit, up to 720h.
    #[serde(rename = "for")]
    #[schema(example = "2h")]
    for_: Option<String>,
    /// Who says it, up to 128 bytes; else the name of the key.
    by: Option<String>,
    /// The incident's monitor, where it is known: it is found faster.
    monitor: Option<String>,
}

impl Feedback {
    fn word(&self) -> Result<Word, Problem> {
        let allowed = "with snooze, and no other word, a number and its unit: s, m or h, as in 2h; up to 720h";
        let ms = self.for_.as_deref().map(|text| duration(text).ok().filter(|ms| *ms <= LONGEST_SNOOZE_MS));
        match (self.word, ms) {
            (Said::Normal, None) => Ok(Word::Normal),
            (Said::Anomaly, None) => Ok(Word::Anomaly),
            (Said::Undo, None) => Ok(Word::Undo),
            (Said::Snooze, Some(Some(ms))) => Ok(Word::Snooze(ms)),
            _ => Err(invalid("for", allowed)),
        }
    }

    fn by(&self, key: &str) -> Result<String, Problem> {
        let by = match &self.by {
            Some(by) => by.as_str(),
            None if key.is_empty() => "http",
            None => key,
        };
        let fits = (1..=MAX_BY).contains(&by.len()) && !by.chars().any(char::is_control);
        if fits {
            Ok(by.to_owned())
        } else {
            Err(invalid("by", "a name of 1 to 128 bytes, without control characters"))
        }
    }
}

/// Feedback that was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct Given {
    /// Id of the incident.
    incident: String,
    /// What was said.
    word: &'static str,
    /// What comes of it.
    message: String,
}

/// Says of an incident that it is normal, an anomaly, or not to be heard of for a while. Workers act on it within two
/// seconds; `undo` takes back what was said last.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/feedback", tag = "incidents",
    params(("id" = String, Path, description = "The incident's id", pattern = "^[0-9a-fA-F]{16}$", example = "5b1f2c9a7e3d4860")),
    request_body = Feedback,
    responses(
        (status = 200, body = Given), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn feedback(
    State(reading): State<Reading>,
    Extension(Caller(key)): Extension<Caller>,
    IncidentId(incident): IncidentId,
    Body(said): Body<Feedback>,
) -> Result<Json<Given>, Problem> {
    let (word, by) = (said.word()?, said.by(&key.name)?);
    let mut connection = reading.connection()?;
    let keys = match locate(&reading, &mut connection, &incident, said.monitor.as_deref()).await {
        // What was said of an incident outlives the messages about it.
        Err(problem) if problem.code == Code::UnknownIncident && word == Word::Undo => {
            said.monitor.as_deref().map(monitor).transpose()?
        }
        found => Some(found?),
    };
    let request = Request { incident, word, by, monitor: keys };
    let given = give(&mut connection, &request).await.map_err(refused)?;
    let word = match word {
        Word::Normal => "normal",
        Word::Anomaly => "anomaly",
        Word::Snooze(_) => "snooze",
        Word::Undo => "undo",
    };
    Ok(Json(Given { incident: request.incident, word, message: sentence(&given, request.word) }))
}

fn refused(error: FeedbackError) -> Problem {
    let code = match error {
        FeedbackError::Redis(error) => return error.into(),
        FeedbackError::NoSuchIncident(_) => Code::UnknownIncident,
        FeedbackError::NothingSaid(_) => Code::NotFound,
        FeedbackError::Full(_) | FeedbackError::Unreadable(..) | FeedbackError::Restless => Code::Conflict,
        FeedbackError::NotAudited(_) => Code::RedisRefuses,
    };
    Problem::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Result<(Word, String), Problem> {
        let feedback: Feedback = serde_json::from_str(json).unwrap();
        Ok((feedback.word()?, feedback.by("ops")?))
    }

    #[test]
    fn only_what_is_snoozed_has_a_duration() {
        assert_eq!(said(r#"{"word":"normal"}"#).unwrap(), (Word::Normal, "ops".to_owned()));
        let snoozed = said(r#"{"word":"snooze","for":"2h","by":"ann"}"#).unwrap();
        assert_eq!(snoozed, (Word::Snooze(7_200_000), "ann".to_owned()));
        for bad in [
            r#"{"word":"snooze"}"#,
            r#"{"word":"normal","for":"2h"}"#,
            r#"{"word":"snooze","for":"721h"}"#,
            r#"{"word":"snooze","for":"long"}"#,
            r#"{"word":"undo","by":""}"#,
            r#"{"word":"undo","by":"a\nb"}"#,
        ] {
            assert_eq!(said(bad).map_err(|problem| problem.code), Err(Code::InvalidParameter), "{bad}");
        }
    }
}
