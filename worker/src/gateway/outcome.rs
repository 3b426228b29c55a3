//! What Redis made of observations, and how a request is answered by it.

use super::errors::{Code, Problem};
use crate::store::connect::told;
use crate::store::discovery::is_unknown_command;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eddyline_intake::events::MOST_TOLD;
use redis::RedisError;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

const SOON: Duration = Duration::from_secs(1);

/// Why none of a command's observations were counted.
pub(super) fn refusal(monitor: &str, error: &RedisError) -> Problem {
    if let Some(problem) = Problem::forbidden(error) {
        return problem;
    }
    if is_unknown_command(error) {
        let why = "Redis doesn't have the module: redis-cli MODULE LOAD /path/to/libeddyline.so";
        return Problem::new(Code::NoModule, why).retry_after(SOON);
    }
    let text = told(error);
    match error.code() {
        Some("WRONGTYPE") => {
            let why = "the key of this name isn't a monitor of the module; EDDY.LIST shows them";
            Problem::new(Code::NoObservations, why)
        }
        _ if text.contains("no such monitor") => Problem::unknown_monitor(monitor),
        // It reads what its sources had before, or can't write what it found.
        _ if text.contains("nothing was counted") => Problem::new(Code::Busy, text).retry_after(SOON),
        _ => Problem::new(Code::RedisRefuses, text).retry_after(SOON),
    }
}

/// After commands were sent and no reply came.
pub(super) fn unknown(error: &RedisError) -> Problem {
    let why = format!(
        "the connection to Redis was lost before it answered, so this may have been counted or not; \
         an idempotency-key makes trying again safe ({})",
        told(error)
    );
    Problem::new(Code::UnknownOutcome, why).retry_after(SOON)
}

/// What became of some observations that stand beside each other.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) rows: usize,
    pub(super) result: Result<(), Problem>,
}

/// What became of a request's items.
#[derive(Debug, Default)]
pub(super) struct Tally {
    accepted: usize,
    rejected: usize,
    errors: Vec<ItemError>,
    worst: Option<Problem>,
}

/// An item that wasn't counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemError {
    /// Which one, from 0.
    index: u32,
    /// What is wrong, by a name that stays.
    #[schema(value_type = String, example = "invalid_item")]
    code: Code,
    /// The same in words.
    message: String,
}

/// The answer where some items weren't counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SomeAccepted {
    accepted: usize,
    rejected: usize,
    /// The first hundred.
    errors: Vec<ItemError>,
}

/// The answer where all items were counted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    accepted: usize,
}

impl Tally {
    /// These weren't observations, whatever Redis says.
    pub(super) fn refuse(&mut self, index: u32, message: String) {
        self.errors.push(ItemError { index, code: Code::InvalidItem, message });
    }

    /// So many weren't observations.
    pub(super) fn count_refused(&mut self, refused: usize) {
        self.rejected += refused;
    }

    /// What became of the observations that are these items.
    pub(super) fn add(&mut self, items: &[u32], parts: Vec<Part>) {
        let mut from = 0;
        for Part { rows, result } in parts {
            let to = (from + rows).min(items.len());
            match result {
                Ok(()) => self.accepted += to - from,
                Err(problem) => {
                    self.rejected += to - from;
                    for index in items[from..to].iter().take(MOST_TOLD).copied() {
                        self.errors.push(ItemError { index, code: problem.code, message: problem.message.clone() });
                    }
                    // That something may have been counted outweighs what surely wasn't.
                    if self.worst.as_ref().is_none_or(|worst| weight(&problem) > weight(worst)) {
                        self.worst = Some(problem);
                    }
                }
            }
            from = to;
        }
    }

    /// What went worst, where something did.
    pub(super) fn into_worst(self) -> Option<Problem> {
        self.worst
    }

    /// How many were counted and how many weren't.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.accepted, self.rejected)
    }

    /// The answer. What failed as a whole is answered as a whole, and so is what isn't a list.
    pub(super) fn answer(self, is_single: bool, of_one_monitor: bool) -> Response {
        let Self { accepted, rejected, mut errors, worst } = self;
        errors.sort_by_key(|error| error.index);
        if rejected == 0 {
            return (StatusCode::ACCEPTED, Json(Accepted { accepted })).into_response();
        }
        let is_whole = |problem: &Problem| is_single || of_one_monitor || problem.retry_after.is_some();
        match (worst, errors.pop_if(|_| is_single)) {
            (Some(problem), _) if accepted == 0 && is_whole(&problem) => problem.into_response(),
            (None, Some(ItemError { code, message, .. })) => Problem::new(code, message).into_response(),
            (_, single) => {
                errors.extend(single);
                errors.truncate(MOST_TOLD);
                (StatusCode::MULTI_STATUS, Json(SomeAccepted { accepted, rejected, errors })).into_response()
            }
        }
    }
}

fn weight(problem: &Problem) -> u8 {
    match problem.code {
        Code::UnknownOutcome => 2,
        _ if problem.retry_after.is_some() => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rows: usize, code: Option<Code>) -> Part {
        let problem = |code| {
            let problem = Problem::new(code, "why");
            if code.status().as_u16() >= 429 { problem.retry_after(SOON) } else { problem }
        };
        Part { rows, result: code.map_or(Ok(()), |code| Err(problem(code))) }
    }

    fn status(parts: Vec<Part>, is_single: bool, of_one_monitor: bool) -> u16 {
        let mut tally = Tally::default();
        let items: Vec<u32> = (0..10).collect();
        tally.add(&items, parts);
        tally.answer(is_single, of_one_monitor).status().as_u16()
    }

    #[test]
    fn some_items_make_207_and_a_whole_request_its_own_status() {
        assert_eq!(status(vec![part(10, None)], false, true), 202);
        assert_eq!(status(vec![part(4, None), part(6, Some(Code::RedisRefuses))], false, true), 207);
        assert_eq!(status(vec![part(10, Some(Code::UnknownMonitor))], false, true), 404);
        assert_eq!(status(vec![part(10, Some(Code::UnknownMonitor))], false, false), 207);
        assert_eq!(status(vec![part(10, Some(Code::RedisUnavailable))], false, false), 503);
        assert_eq!(status(vec![part(1, Some(Code::UnknownMonitor))], true, false), 404);
    }

    #[test]
    fn what_may_have_been_counted_outweighs_what_was_not() {
        let mut tally = Tally::default();
        tally.add(&[0, 1], vec![part(1, Some(Code::UnknownOutcome)), part(1, Some(Code::Busy))]);
        assert_eq!(tally.worst.unwrap().code, Code::UnknownOutcome);
        let mut tally = Tally::default();
        tally.add(&[0, 1], vec![part(1, Some(Code::UnknownMonitor)), part(1, Some(Code::UnknownOutcome))]);
        assert_eq!(tally.worst.unwrap().code, Code::UnknownOutcome);
    }

    #[test]
    fn refusals_are_told_by_what_redis_says() {
        let code = |text: &str| {
            let value = redis::Value::ServerError(
                redis::parse_redis_value(format!("-{text}\r\n").as_bytes())
                    .map(|value| match value {
                        redis::Value::ServerError(error) => error,
                        other => panic!("{other:?}"),
                    })
                    .unwrap(),
            );
            let error = value.extract_error().unwrap_err();
            refusal("shop", &error).code
        };
        assert_eq!(code("ERR no such monitor: EDDY.CREATE makes one, EDDY.LIST shows them"), Code::UnknownMonitor);
        assert_eq!(code("WRONGTYPE Operation against a key"), Code::NoObservations);
        assert_eq!(code("ERR the monitor still reads, nothing was counted: try again in a moment"), Code::Busy);
        assert_eq!(code("LOADING Redis is loading the dataset in memory"), Code::RedisRefuses);
        assert_eq!(code("ERR unknown command 'EDDY.MOBSERVE', with args beginning with: "), Code::NoModule);
    }
}
