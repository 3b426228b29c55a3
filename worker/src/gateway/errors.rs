//! What is answered where something is wrong: a code that stays the same while words change, and the words.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redis::{ErrorKind, RedisError};
use serde::{Serialize, Serializer};
use std::time::Duration;
use utoipa::ToSchema;

use crate::store::connect::{is_lost, told};
use crate::store::search::is_forbidden;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal, $status:ident;)+) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it stands in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The status of an answer that says nothing else.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    /// A parameter of the address, a header or a field of the body isn't what it may be.
    InvalidParameter = "invalid_parameter", BAD_REQUEST;
    /// The body isn't what its content type says.
    InvalidBody = "invalid_body", BAD_REQUEST;
    /// An item isn't an object of fields.
    InvalidItem = "invalid_item", BAD_REQUEST;
    /// The body's bytes didn't come in time.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT;
    /// No key, or one that isn't known.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// The key may not do this.
    Forbidden = "forbidden", FORBIDDEN;
    /// Without keys only this machine is served, under its own names.
    HostNotAllowed = "host_not_allowed", FORBIDDEN;
    /// A page of another site asks.
    OriginNotAllowed = "origin_not_allowed", FORBIDDEN;
    /// There is no such path.
    UnknownPath = "unknown_path", NOT_FOUND;
    /// There is no such monitor.
    UnknownMonitor = "unknown_monitor", NOT_FOUND;
    /// There is no such incident.
    UnknownIncident = "unknown_incident", NOT_FOUND;
    /// There is nothing of that name here: a window, a dimension, a measure.
    NotFound = "not_found", NOT_FOUND;
    /// The path takes other methods.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// The key under this name isn't a monitor that takes observations.
    NoObservations = "no_observations", CONFLICT;
    /// It is there, and otherwise.
    Conflict = "conflict", CONFLICT;
    /// More was missed than is sent again.
    TooFarBack = "too_far_back", GONE;
    /// The body is larger than this key may send, as it came or unpacked.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE;
    /// More items at once than this key may ever send in a second.
    TooManyItems = "too_many_items", PAYLOAD_TOO_LARGE;
    /// The body is of a type or coding that isn't taken here.
    UnsupportedMedia = "unsupported_media", UNSUPPORTED_MEDIA_TYPE;
    /// This idempotency key came with another body.
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY;
    /// More items a second than this key may send.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
    /// More waits for Redis than may.
    Busy = "busy", TOO_MANY_REQUESTS;
    /// Redis refuses for now; nothing was counted.
    RedisRefuses = "redis_refuses", SERVICE_UNAVAILABLE;
    /// There is no connection to Redis; nothing was counted.
    RedisUnavailable = "redis_unavailable", SERVICE_UNAVAILABLE;
    /// The server doesn't have the module.
    NoModule = "no_module", SERVICE_UNAVAILABLE;
    /// The connection was lost between request and reply: it was counted or it wasn't.
    UnknownOutcome = "unknown_outcome", SERVICE_UNAVAILABLE;
    /// It took longer than it may.
    Timeout = "timeout", GATEWAY_TIMEOUT;
    /// Redis said what this program doesn't understand.
    Internal = "internal", INTERNAL_SERVER_ERROR;
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub code: Code,
    /// The same in words, with what to do about it. Shows no secret.
    pub message: String,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
}

/// The body of an answer that says what is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong, by a name that stays.
    #[schema(value_type = String, example = "unknown_monitor")]
    pub code: Code,
    /// The same in words, with what to do about it.
    pub message: String,
}

/// After a lost connection.
const SOON: Duration = Duration::from_secs(1);
/// Until somebody gave a user the right that it lacks.
const MENDED: Duration = Duration::from_secs(10);

impl Problem {
    /// A problem for which trying again makes no sense.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Trying again after this makes sense.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// There is no such monitor.
    #[must_use]
    pub fn unknown_monitor(name: &str) -> Self {
        let name = eddyline_wire::text::printable(name.as_bytes(), 128);
        let how = "redis-cli EDDY.CREATE makes one, EDDY.LIST shows them";
        Self::new(Code::UnknownMonitor, format!("there is no monitor '{name}': {how}"))
    }

    /// There is no connection.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Code::RedisUnavailable, "there is no connection to Redis; try again").retry_after(SOON)
    }

    /// Redis knows this user and won't do it, or doesn't know it; none where it is about something else. Nothing was done.
    #[must_use]
    pub fn forbidden(error: &RedisError) -> Option<Self> {
        let is_stranger =
            matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) || error.kind() == ErrorKind::AuthenticationFailed;
        let how = if is_stranger {
            "Redis doesn't take the gateway's user and password; both stand in the address of Redis"
        } else if is_forbidden(error) {
            "the gateway's user lacks a right in Redis, which 'redis-cli ACL LOG' shows"
        } else {
            return None;
        };
        let message = format!("{how}; docs/operations.md has all that a gateway needs ({})", told(error));
        Some(Self::new(Code::RedisRefuses, message).retry_after(MENDED))
    }
}

impl From<RedisError> for Problem {
    /// Of a command that only reads.
    fn from(error: RedisError) -> Self {
        if let Some(problem) = Self::forbidden(&error) {
            return problem;
        }
        if is_lost(&error) {
            return Self::unavailable();
        }
        match error.code() {
            Some("LOADING" | "BUSY" | "CLUSTERDOWN" | "TRYAGAIN" | "OOM" | "MISCONF" | "NOREPLICAS") => {
                Self::new(Code::RedisRefuses, told(&error)).retry_after(SOON)
            }
            _ => Self::new(Code::Internal, told(&error)),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, message, retry_after } = self;
        let mut response = (code.status(), Json(ErrorBody { code, message })).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if code == Code::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Rounded up: who comes back earlier is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_may_not_is_no_fault_of_this_program() {
        let server = |text: &str| match redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap() {
            redis::Value::ServerError(error) => RedisError::from(error),
            other => panic!("{other:?}"),
        };
        for text in [
            "NOPERM this user has no permissions to run the 'xrange' command",
            "NOPERM No permissions to access a key",
            "ERR The user executing the script can't run this command or subcommand script: 12, on @user_script:1.",
            "ERR ACL failure in script: User w has no permissions to run the 'hget' command script: 12, on @user_script:1.",
            "NOAUTH Authentication required.",
            "WRONGPASS invalid username-password pair or user is disabled.",
        ] {
            let problem = Problem::from(server(text));
            assert_eq!((problem.code, problem.retry_after), (Code::RedisRefuses, Some(MENDED)), "{text}");
            assert!(problem.message.contains("docs/operations.md"), "{}", problem.message);
        }
        assert_eq!(Problem::from(server("ERR syntax error")).code, Code::Internal);
        assert_eq!(Problem::from(server("OOM command not allowed")).code, Code::RedisRefuses);
    }

    #[test]
    fn codes_are_snake_case_and_of_errors() {
        for code in Code::ALL {
            let text = code.as_str();
            assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{text}");
        }
    }

    #[test]
    fn who_is_to_come_back_is_told_when_in_whole_seconds() {
        let problem = Problem::new(Code::RateLimited, "slower").retry_after(Duration::from_millis(1200));
        let response = problem.into_response();
        assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (429, &HeaderValue::from(2)));
        let response = Problem::new(Code::Unauthorized, "no key").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
