//! `PUT /v1/monitors/{name}`: a monitor of the module, or of vectors.

use super::Reading;
use super::asked::{Body, Monitor, invalid};
use super::glance::Kind;
use super::monitors::{MonitorDetails, details};
use crate::config::secret::Secret;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::store::connect::Connection;
use crate::store::discovery::{NO_MODULE, is_unknown_command};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use eddyline_wire::command::create::Create;
use eddyline_wire::keys::Companions;
use eddyline_wire::vector::{self, FEATURES, PERIOD};
use redis::Value;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// What to watch. Without any list of fields they are inferred from the first observations. With `period_ms` it is a monitor
/// of vectors, which has nothing else but `features`.
#[derive(Debug, Default, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Streams to read; none for observations that are sent.
    #[serde(default)]
    sources: Vec<String>,
    /// With `sources`, after which entry to start in them: an id, `0` for the beginning, `$` for now.
    #[schema(default = "$")]
    from: Option<String>,
    /// Who moves its time: `server`, its clock and entries, or `stream`, entries alone.
    #[schema(pattern = "^(server|stream)$", default = "server")]
    clock: Option<String>,
    /// Length of a window in ms.
    #[schema(minimum = 100, maximum = 86_400_000, default = 5000)]
    window_ms: Option<u64>,
    /// Into how many numbers the items of a field are folded in a window.
    #[schema(minimum = 8, maximum = 1024, default = 32)]
    buckets: Option<u64>,
    /// Fields whose items are counted.
    #[serde(default)]
    dimensions: Vec<String>,
    /// Joint items, such as `service*status` or, with a measure, `peer*latency_ms`.
    #[serde(default)]
    crosses: Vec<String>,
    /// Numeric fields.
    #[serde(default)]
    measures: Vec<String>,
    /// Fields of which only the number of distinct values matters.
    #[serde(default)]
    uniques: Vec<String>,
    /// Fields of which a keyed hash is kept in place of the item.
    #[serde(default)]
    hashed: Vec<String>,
    /// Key of that hash, 32 hexadecimal digits; the server draws one where none is given. It is never told.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, write_only, pattern = "^[0-9a-fA-F]{32}$")]
    salt: Option<Secret>,
    /// Entries that its streams keep.
    #[schema(minimum = 100, maximum = 10_000_000, default = 20_000)]
    retention: Option<u64>,
    /// Most memory that it may take, in bytes.
    #[schema(minimum = 16_384, maximum = 67_108_864, default = 1_048_576)]
    memory: Option<u64>,
    /// Of a monitor of vectors: ms from one to the next.
    #[schema(minimum = 100, maximum = 86_400_000)]
    period_ms: Option<u64>,
    /// Of a monitor of vectors: names of its features; else those of the first vector.
    features: Option<Vec<String>>,
}

/// A text, of which no error tells anything.
fn secret<'de, D: Deserializer<'de>>(salt: D) -> Result<Option<Secret>, D::Error> {
    match serde_json::Value::deserialize(salt)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(Secret::new(text))),
        _ => Err(D::Error::custom("salt: 32 hexadecimal digits as text")),
    }
}

/// Makes a monitor. One that is there already and is the same in what is asked for is left as it is; what it counts can't be
/// changed.
#[utoipa::path(
    put, path = "/v1/monitors/{name}", tag = "monitors",
    params(("name" = String, Path, description = "The monitor's name", min_length = 1, max_length = 1024, example = "checkout")),
    request_body = Definition,
    responses(
        (status = 201, body = MonitorDetails, description = "It was made"),
        (status = 200, body = MonitorDetails, description = "It was there"),
        (status = 400, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is there and otherwise"),
        (status = 503, body = ErrorBody),
    ),
)]
pub(super) async fn define(
    State(reading): State<Reading>,
    Monitor(keys): Monitor,
    Body(wanted): Body<Definition>,
) -> Result<(StatusCode, Json<MonitorDetails>), Problem> {
    let mut connection = reading.connection()?;
    let made = match wanted.period_ms {
        Some(period_ms) => vectors(&mut connection, &keys, &wanted, period_ms).await?,
        None => counted(&mut connection, &keys, &wanted).await?,
    };
    let there = details(&mut connection, &keys).await?;
    let there = there.ok_or_else(|| Problem::new(Code::Conflict, "it was removed at the same moment"))?;
    if !made {
        let different = wanted.different(&there);
        if !different.is_empty() {
            let message = format!("the monitor is there already, with other {}", different.join(", "));
            return Err(Problem::new(Code::Conflict, message));
        }
    }
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(there)))
}

impl Definition {
    /// The command that makes it.
    fn create(&self, keys: &Companions) -> Result<Create, Problem> {
        if self.features.is_some() {
            return Err(invalid("features", "only with period_ms, for a monitor of vectors"));
        }
        let mut words: Vec<String> = Vec::new();
        let mut list = |option: &str, names: &[String]| {
            if !names.is_empty() {
                words.extend([option.to_owned(), names.len().to_string()]);
                words.extend_from_slice(names);
            }
        };
        list("SOURCES", &self.sources);
        list("DIMENSIONS", &self.dimensions);
        list("CROSSES", &self.crosses);
        list("MEASURES", &self.measures);
        list("UNIQUES", &self.uniques);
        list("HASHED", &self.hashed);
        let salt = self.salt.as_ref().map(|salt| salt.expose().to_owned());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        for (option, value) in [
            ("FROM", self.from.clone()),
            ("CLOCK", self.clock.clone()),
            ("WINDOW", number(self.window_ms)),
            ("BUCKETS", number(self.buckets)),
            ("RETENTION", number(self.retention)),
            ("MEMORY", number(self.memory)),
            ("SALT", salt),
        ] {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        words.push("NX".to_owned());
        let mut arguments = vec![keys.monitor()];
        arguments.extend(words.iter().map(String::as_bytes));
        Create::parse(&arguments).map_err(|error| {
            let why = error.to_string();
            Problem::new(Code::InvalidParameter, why.strip_prefix("ERR ").unwrap_or(&why))
        })
    }

    /// What the monitor has otherwise than asked for, as far as it tells.
    fn different(&self, there: &MonitorDetails) -> Vec<&'static str> {
        // The edge of a measure's first bucket isn't part of its name.
        let bare = |name: &String| {
            name.split('*').map(|part| part.split('@').next().unwrap_or(part)).collect::<Vec<_>>().join("*")
        };
        let same = |wanted: &[String], has: &[String]| {
            let sorted = |names: &[String]| {
                let mut names: Vec<String> = names.iter().map(bare).collect();
                names.sort();
                names
            };
            sorted(wanted) == sorted(has)
        };
        let (_, window_ms, fields, sources, features) = there.definition();
        let is_inferred =
            [&self.dimensions, &self.crosses, &self.measures, &self.uniques].iter().all(|names| names.is_empty());
        let lists: [(&'static str, &[String], &[String]); 4] = [
            ("dimensions", &self.dimensions, &fields.dimensions),
            ("crosses", &self.crosses, &fields.crosses),
            ("measures", &self.measures, &fields.measures),
            ("uniques", &self.uniques, &fields.uniques),
        ];
        let mut different: Vec<&'static str> = lists
            .into_iter()
            .filter(|(_, wanted, has)| !is_inferred && !same(wanted, has))
            .map(|(name, ..)| name)
            .collect();
        if !self.sources.is_empty() && !same(&self.sources, sources) {
            different.push("sources");
        }
        if self.window_ms.or(self.period_ms).is_some_and(|wanted| window_ms != Some(wanted)) {
            different.push(if self.period_ms.is_some() { "period_ms" } else { "window_ms" });
        }
        let clock = there.clock();
        if self.clock.as_ref().is_some_and(|wanted| clock.is_some_and(|has| !has.eq_ignore_ascii_case(wanted))) {
            different.push("clock");
        }
        if self.buckets.is_some_and(|wanted| buckets(features).is_some_and(|has| has != wanted)) {
            different.push("buckets");
        }
        if self.features.as_ref().is_some_and(|wanted| wanted.as_slice() != features) {
            different.push("features");
        }
        different
    }
}

/// Into how many buckets items are folded, as the names of the features tell: `service[0]`, `service[1]` …, beside each other.
fn buckets(features: &[String]) -> Option<u64> {
    let (name, _) =
        features.iter().find_map(|feature| feature.split_once("[0]").filter(|(_, rest)| rest.is_empty()))?;
    let is_bucket = |feature: &&String| {
        feature.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')).is_some_and(|rest| rest.ends_with(']'))
    };
    Some(features.iter().filter(is_bucket).count() as u64)
}

/// Makes a monitor of the module; says whether it wasn't there.
async fn counted(connection: &mut Connection, keys: &Companions, wanted: &Definition) -> Result<bool, Problem> {
    if let Some(there) = details(connection, keys).await?
        && there.definition().0 != Kind::Module
    {
        return Err(Problem::new(Code::Conflict, "the monitor is there already, and the module doesn't count for it"));
    }
    let arguments = wanted.create(keys)?.to_arguments();
    let mut command = redis::Cmd::new();
    command.arg(&arguments);
    match command.query_async(connection).await {
        Ok(Value::Nil) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) if is_unknown_command(&error) => Err(Problem::new(Code::NoModule, NO_MODULE)),
        Err(error) if matches!(error.code(), Some("ERR" | "WRONGTYPE")) => {
            Err(Problem::new(Code::Conflict, error.detail().unwrap_or_default()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes a monitor of vectors; says whether it wasn't there.
async fn vectors(
    connection: &mut Connection,
    keys: &Companions,
    wanted: &Definition,
    period_ms: u64,
) -> Result<bool, Problem> {
    if (Definition { period_ms: None, features: None, ..wanted.clone() }) != Definition::default() {
        return Err(invalid("period_ms", "a monitor of vectors has nothing else but 'features'"));
    }
    vector::period(period_ms.to_string().as_bytes()).map_err(|error| invalid("period_ms", &error.to_string()))?;
    let features = wanted.features.as_ref().map(|names| serde_json::to_vec(names).expect("strings always serialise"));
    if let Some(features) = &features {
        vector::named_features(features).map_err(|error| invalid("features", &error.to_string()))?;
    }
    match details(connection, keys).await?.map(|there| there.definition().0) {
        Some(Kind::Vectors) => return Ok(false),
        Some(_) => return Err(Problem::new(Code::Conflict, "the monitor is there already, and takes no vectors")),
        None => {}
    }
    let mut command = redis::cmd("HSET");
    command.arg(keys.settings()).arg(PERIOD).arg(period_ms);
    if let Some(features) = features {
        command.arg(FEATURES).arg(features);
    }
    command.exec_async(connection).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(json: &str) -> Result<String, Problem> {
        let definition: Definition = serde_json::from_str(json).unwrap();
        let create = definition.create(&Companions::of(b"checkout").unwrap())?;
        let words: Vec<String> =
            create.to_arguments().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Ok(words.join(" "))
    }

    #[test]
    fn a_definition_is_the_command_that_makes_it_and_checked_as_that() {
        let json = r#"{"sources":["metrics"],"window_ms":1000,"dimensions":["service"],"crosses":["service*ms@0.5"]}"#;
        let words = "EDDY.CREATE checkout SOURCES 1 metrics WINDOW 1000 BUCKETS 32 RETENTION 20000 MEMORY 1048576 \
                     DIMENSIONS 1 service CROSSES 1 service*ms@0.5 NX";
        assert_eq!(create(json).unwrap(), words);
        let json = r#"{"sources":["s"],"from":"5-1","clock":"stream","buckets":64,"hashed":["user"],"uniques":["user"],
                       "salt":"000102030405060708090a0b0c0d0e0f"}"#;
        let words = "EDDY.CREATE checkout SOURCES 1 s FROM 5-1 CLOCK stream WINDOW 5000 BUCKETS 64 RETENTION 20000 MEMORY 1048576 \
                     UNIQUES 1 user HASHED 1 user SALT 000102030405060708090a0b0c0d0e0f NX";
        assert_eq!(create(json).unwrap(), words);
        let refused = |json| create(json).unwrap_err().message;
        assert!(refused(r#"{"from":"5-1"}"#).starts_with("FROM needs SOURCES"));
        assert!(refused(r#"{"sources":["s"],"from":"yesterday"}"#).starts_with("FROM must be an entry id or $"));
        assert!(refused(r#"{"clock":"wall"}"#).starts_with("CLOCK must be server or stream"));
        assert!(refused(r#"{"buckets":7}"#).starts_with("BUCKETS must be 8 to 1024"));
        assert!(refused(r#"{"salt":"000102030405060708090a0b0c0d0e0f"}"#).starts_with("SALT needs HASHED"));
        assert!(refused(r#"{"window_ms":5}"#).starts_with("WINDOW must be 100 to 86400000 ms"));
        assert!(refused(r#"{"sources":["checkout"]}"#).contains("its own source"));
        assert!(refused(r#"{"features":["cpu"]}"#).starts_with("features: only with period_ms"));
    }
    #[test]
    fn a_salt_is_in_no_message() {
        for salt in [r#""5ec7e75ec7e7""#, "57575757", r#"["5ec7e75ec7e7"]"#] {
            let json = format!(r#"{{"hashed":["user"],"uniques":["user"],"salt":{salt}}}"#);
            let (shown, read) = match serde_json::from_str::<Definition>(&json) {
                Ok(definition) => (format!("{definition:?}"), create(&json).unwrap_err().message),
                Err(error) => (String::new(), error.to_string()),
            };
            assert!(
                !format!("{shown}{read}").contains("5757") && !format!("{shown}{read}").contains("5ec7"),
                "{shown} {read}"
            );
            assert!(read.contains("32 hexadecimal digits"), "{read}");
        }
    }

    #[test]
    fn buckets_are_known_by_the_names_of_features() {
        let names = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let all = "count service:entropy service[0] service[1] services[0] peer*ms[0]<0.25 peer*ms[0]>=1 a*b[0] a*b[1]";
        assert_eq!(buckets(&names(all)), Some(2));
        assert_eq!(buckets(&names("count ms:p50 peer*ms[0]<0.25 peer*ms[0]>=1")), None);
    }
}
