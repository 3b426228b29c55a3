//! `POST /v1/monitors/{name}/vectors`: a vector for a monitor of vectors, such as a number of the business.

use super::Reading;
use super::asked::{Body, Monitor, invalid};
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::gateway::keys::Caller;
use crate::gateway::link::Current;
use crate::gateway::remembered::{self, RequestKey};
use crate::gateway::vectors::{PERIOD_MS, RETENTION};
use crate::judging::choices::Choices;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use eddyline_detect::controls::MAX_LIMITS;
use eddyline_wire::keys::{CLOSED, Companions, MAX_NAME};
use eddyline_wire::text::{printable, utf8};
use eddyline_wire::vector;
use redis::{RedisResult, Script};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::ToSchema;

static SCRIPT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("../recalled.lua"), include_str!("vector.lua"))));

/// A vector, whose window ends now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVector {
    /// Feature → number, 1 to 1024 of them. The features of the first vector are the monitor's.
    #[schema(example = json!({"value": 42.0}))]
    values: BTreeMap<String, f64>,
    /// Ms from one vector to the next. What was chosen for the monitor before stays.
    #[schema(minimum = 100, maximum = 86_400_000, default = 60_000)]
    period_ms: Option<u64>,
    /// What features of this vector may be, both ends included: `10..`, `..500` or `10..500`. A number outside opens an incident at
    /// once.
    #[serde(default)]
    #[schema(example = json!({"value": "10.."}))]
    expect: BTreeMap<String, String>,
}

/// A vector that was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// Id of its window.
    #[schema(example = "1795226643000-0")]
    id: String,
}

/// Adds a vector to a monitor of vectors, which it makes where there is none; needs no module. With an idempotency key it is safe
/// to try again.
#[utoipa::path(
    post, path = "/v1/monitors/{name}/vectors", tag = "writing",
    params(
        ("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "orders"),
        ("idempotency-key" = Option<String>, Header, description = "A second request with the same key within ten minutes adds \
         nothing", max_length = 128),
    ),
    request_body = NewVector,
    responses(
        (status = 202, body = Added, description = "It was added"),
        (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "`conflict`: the monitor of this name takes no vectors, or its settings \
         are full"),
        (status = 422, body = ErrorBody, description = "`idempotency_mismatch`: the same key, another body"),
        (status = 503, body = ErrorBody, description = "`redis_unavailable` or `redis_refuses`: nothing was added. \
         `unknown_outcome`: perhaps it was"),
    ),
)]
pub(super) async fn add(
    State(reading): State<Reading>,
    Extension(Caller(key)): Extension<Caller>,
    Monitor(keys): Monitor,
    headers: HeaderMap,
    Body(vector): Body<NewVector>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let checked = vector.checked()?;
    let request = remembered::key(&headers, &key.name)?.unwrap_or_else(RequestKey::of_sending);
    let digest = remembered::digest(&serde_json::to_vec(&vector).expect("numbers and texts always serialise"));
    let added = checked.add(&reading, &keys, &request, &digest).await;
    reading.gateway.count_items(if added.is_ok() { (1, 0) } else { (0, 1) });
    Ok((StatusCode::ACCEPTED, Json(Added { id: added? })))
}

/// What Redis is given.
#[derive(Debug, PartialEq)]
struct Checked {
    period_ms: u64,
    /// Fields and values.
    settings: Vec<(String, String)>,
    /// Features and values.
    vector: Vec<(String, String)>,
}

impl NewVector {
    fn checked(&self) -> Result<Checked, Problem> {
        let period_ms = self.period_ms.unwrap_or(PERIOD_MS);
        vector::period(period_ms.to_string().as_bytes()).map_err(|error| invalid("period_ms", &error.to_string()))?;
        for (feature, value) in &self.values {
            let is_name = (1..=MAX_NAME).contains(&feature.len()) && !feature.chars().any(char::is_control);
            // Of all features a limit for `*` would be.
            if !is_name || feature == "*" {
                let allowed = "a feature is called by 1 to 1024 bytes without control characters, and not '*'";
                return Err(invalid("values", allowed));
            }
            // As what it is judged.
            if !(*value as f32).is_finite() {
                let what = format!("values.{}", shown(feature));
                return Err(invalid(&what, "a number between -3.4e38 and 3.4e38"));
            }
        }
        let vector: Vec<_> = self.values.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        let pairs = || vector.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        vector::features(pairs()).map_err(|error| invalid("values", &error.to_string()))?;
        if vector::is_fingerprint(pairs()) {
            return Err(invalid("values", "features called 'schema' and 'v' would make it a window of the module"));
        }
        Ok(Checked { period_ms, settings: self.limits()?, vector })
    }

    /// Fields and values of the settings, as they are read and not as they were written.
    fn limits(&self) -> Result<Vec<(String, String)>, Problem> {
        let mut choices = Choices::default();
        for (feature, range) in &self.expect {
            let what = format!("expect.{}", shown(feature));
            if !self.values.contains_key(feature) {
                return Err(invalid(&what, "only features that are in 'values' have a range here"));
            }
            let set = choices.set(&format!("expect:{feature}"), range);
            set.unwrap_or(Ok(())).map_err(|why| invalid(&what, &why))?;
        }
        let limits = choices.controls.limits.into_iter();
        Ok(limits.filter_map(|(name, it)| Some((format!("expect:{name}"), it.expect?.to_string()))).collect())
    }
}

fn shown(feature: &str) -> String {
    printable(feature.as_bytes(), 64)
}

impl Checked {
    /// Adds it; the id of its entry.
    async fn add(
        &self,
        reading: &Reading,
        keys: &Companions,
        request: &RequestKey,
        digest: &[u8],
    ) -> Result<String, Problem> {
        let Current { mut connection, number } = reading.gateway.link.current()?;
        let mut call = remembered::begun(&SCRIPT, keys, request, digest);
        call.key(keys.counting()).key(keys.gathering()).key(keys.settings()).key(keys.fingerprints());
        call.arg(MAX_LIMITS).arg(RETENTION).arg(CLOSED).arg(self.period_ms);
        call.arg(self.settings.len() * 2).arg(&self.settings).arg(&self.vector);
        let reply: RedisResult<(String, String, String)> = call.invoke_async(&mut connection).await;
        let conflict = |why: &str| Err(Problem::new(Code::Conflict, why));
        let name = utf8(keys.monitor(), MAX_NAME);
        match reply {
            Ok((outcome, _, id)) => match outcome.as_str() {
                "counted" => Ok(id),
                "module" => conflict("the module counts for this monitor, so it takes no vectors: choose another name"),
                "worker" => conflict("a worker counts for this monitor, so it takes no vectors: choose another name"),
                "samples" => conflict("this monitor's vectors are made of samples of metrics: choose another name"),
                "crowded" => conflict("the monitor's settings have as many fields as they may; HDEL those not needed"),
                other => Err(remembered::undone(&name, other)),
            },
            Err(error) if error.code() == Some("WRONGTYPE") => {
                conflict("a key that the monitor needs holds something of another type: choose another name")
            }
            Err(error) => Err(remembered::failed(&reading.gateway.link, number, &name, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<Checked, String> {
        let vector: NewVector = serde_json::from_str(json).map_err(|error| error.to_string())?;
        vector.checked().map_err(|problem| problem.message)
    }

    #[test]
    fn what_is_given_to_redis_is_what_is_read_there() {
        let json = r#"{"values":{"value":42.0,"b":-0.5},"period_ms":1000,"expect":{"value":" 10 .. "}}"#;
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let vector = vec![pair("b", "-0.5"), pair("value", "42")];
        let settings = vec![pair("expect:value", "10..")];
        assert_eq!(checked(json), Ok(Checked { period_ms: 1000, settings, vector }));
        assert_eq!(checked(r#"{"values":{"v":1}}"#).unwrap().period_ms, 60_000);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        let many: Vec<String> = (0..1025).map(|i| format!(r#""f{i}":1"#)).collect();
        let limited: Vec<String> = (0..257).map(|i| format!(r#""f{i}":"1..""#)).collect();
        let many_limits = format!(r#"{{"values":{{{}}},"expect":{{{}}}}}"#, many[..300].join(","), limited.join(","));
        for (json, why) in [
            (r#"{"values":{}}"#, "values: vector has no number"),
            (r#"{"values":{"a":null}}"#, "invalid type: null"),
            (r#"{"values":{"a":"1"}}"#, "invalid type: string"),
            (r#"{"values":{"a":1e999}}"#, "number out of range"),
            (r#"{"values":{"a":1e39}}"#, "values.a: a number between"),
            (r#"{"values":{"":1}}"#, "values: a feature is called by 1 to 1024 bytes"),
            (r#"{"values":{"a\n":1}}"#, "values: a feature is called by 1 to 1024 bytes"),
            (r#"{"values":{"*":1}}"#, "values: a feature is called by 1 to 1024 bytes"),
            (r#"{"values":{"schema":1,"v":1}}"#, "values: features called 'schema' and 'v'"),
            (r#"{"values":{"a":1},"period_ms":99}"#, "period_ms: setting 'period_ms' must be 100 to 86400000"),
            (r#"{"values":{"a":1},"expect":{"b":"1.."}}"#, "expect.b: only features that are in 'values'"),
            (r#"{"values":{"a":1},"expect":{"a":"5..1"}}"#, "expect.a: two numbers, the smaller one first"),
            (r#"{"values":{"a":1},"expect":{"a":".."}}"#, "expect.a: two numbers, the smaller one first"),
            (r#"{"values":{"a":1},"extra":1}"#, "unknown field `extra`"),
            (&format!(r#"{{"values":{{{}}}}}"#, many.join(",")), "values: vector has more than 1024 features"),
            (&many_limits, "expect.f99: in one of at most 256 limits"),
        ] {
            let told = checked(json).unwrap_err();
            assert!(told.starts_with(why), "{told:?} for {}", &json[..json.len().min(80)]);
        }
    }
}
