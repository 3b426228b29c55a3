//! Requests with an idempotency key: what became of one is remembered in the monitor's slot by the very script that counts it,
//! so that the same request again is answered and not counted again, whatever was lost in between.

use super::errors::{Code, Problem};
use super::link::{Current, Link};
use super::outcome::{Part, refusal, unknown};
use crate::store::connect::is_lost;
use axum::http::HeaderMap;
use eddyline_intake::group::Group;
use eddyline_wire::command::mobserve::MAX_ROWS;
use eddyline_wire::keys::Companions;
use redis::{ErrorKind, RedisError, RedisResult, Script, ScriptInvocation};
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 128;
/// A request is remembered at least so long, and at most twice.
const MEMORY: Duration = Duration::from_secs(600);
/// A sending is, whose replies are waited for 10 s.
const MEMORY_OF_SENDINGS: Duration = Duration::from_secs(30);
/// Requests or sendings that a monitor remembers in that time: what they take is bounded.
const MOST: usize = 100_000;
/// Words that a script hands to one command; Lua's stack has room for 8,000.
const WORDS: usize = 7000;

static SCRIPT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("recalled.lua"), include_str!("remembered.lua"))));

/// By which a request is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestKey {
    key: Vec<u8>,
    is_sending: bool,
}

/// The request's own key, if it has one. Callers don't share them.
pub(super) fn key(headers: &HeaderMap, caller: &str) -> Result<Option<RequestKey>, Problem> {
    let Some(key) = headers.get(HEADER) else { return Ok(None) };
    if !(1..=LONGEST).contains(&key.len()) {
        let why = format!("an {HEADER} is 1 to {LONGEST} bytes");
        return Err(Problem::new(Code::InvalidParameter, why));
    }
    let mut hash = Sha256::new();
    hash.update((caller.len() as u64).to_le_bytes());
    hash.update(caller);
    hash.update(key.as_bytes());
    Ok(Some(RequestKey { key: hash.finalize()[..16].to_vec(), is_sending: false }))
}

impl RequestKey {
    /// Of a body that nobody sends twice but who tries again.
    pub(super) fn of_body(digest: &[u8]) -> Self {
        Self { key: [b"body:", digest].concat(), is_sending: false }
    }

    /// Of what has no key and must be counted once, whatever a cluster's client sends again by itself.
    pub(super) fn of_sending() -> Self {
        static GATEWAY: LazyLock<[u64; 2]> =
            LazyLock::new(|| [RandomState::new().build_hasher().finish(), RandomState::new().build_hasher().finish()]);
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let [first, second] = *GATEWAY;
        let parts = [first, second, NEXT.fetch_add(1, Ordering::Relaxed)];
        Self { key: parts.into_iter().flat_map(u64::to_le_bytes).collect(), is_sending: true }
    }
}

/// By which a body is known.
pub(super) fn digest(body: &[u8]) -> Vec<u8> {
    Sha256::digest(body)[..16].to_vec()
}

/// Counts groups of one monitor unless this request was counted before; what became of each, then or now.
pub(super) async fn count(
    link: &Link,
    request: &RequestKey,
    digest: &[u8],
    monitor: &str,
    groups: &[&Group],
) -> Result<Vec<Vec<Part>>, Problem> {
    let Current { mut connection, number } = link.current()?;
    let keys = Companions::of(monitor.as_bytes()).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let mut call = begun(&SCRIPT, &keys, request, digest);
    let mut sizes = Vec::new();
    for group in groups {
        let n = group.fields.len();
        // The monitor's name and n come before the fields.
        let rows = ((WORDS - 2 - n) / n).clamp(1, MAX_ROWS);
        let mut of_group = Vec::new();
        for from in (0..group.items.len()).step_by(rows) {
            let to = group.items.len().min(from + rows);
            call.arg(1 + n + (to - from) * n).arg(n);
            group.fields.iter().for_each(|field| {
                call.arg(field);
            });
            group.values.range(from * n..to * n).for_each(|value| {
                call.arg(value);
            });
            of_group.push(to - from);
        }
        sizes.push(of_group);
    }
    let reply: RedisResult<(String, String, String)> = call.invoke_async(&mut connection).await;
    let (outcome, flags, error) = reply.map_err(|error| failed(link, number, monitor, &error))?;
    match outcome.as_str() {
        "counted" => Ok(parts(monitor, &sizes, &flags, error)),
        outcome => Err(undone(monitor, outcome)),
    }
}

/// A call of a script that begins with `recalled.lua`.
pub(super) fn begun<'a>(
    script: &'a Script,
    keys: &Companions,
    request: &RequestKey,
    digest: &[u8],
) -> ScriptInvocation<'a> {
    let mut call = script.key(keys.monitor());
    let (memories, time) = match request.is_sending {
        true => (keys.sendings(), MEMORY_OF_SENDINGS),
        false => (keys.requests(), MEMORY),
    };
    for generation in memories {
        call.key(generation);
    }
    call.arg(&request.key).arg(digest).arg(time.as_millis() as u64).arg(MOST);
    call
}

/// Why such a script has no reply.
pub(super) fn failed(link: &Link, number: u64, monitor: &str, error: &RedisError) -> Problem {
    link.reporter().report(number, error);
    // A script that was refused did nothing.
    if is_lost(error) && error.code().is_none() { unknown(error) } else { refusal(monitor, error) }
}

/// Why such a script did nothing.
pub(super) fn undone(monitor: &str, outcome: &str) -> Problem {
    match outcome {
        "other" => {
            let why = format!("this {HEADER} came with another body before");
            Problem::new(Code::IdempotencyMismatch, why)
        }
        "full" => {
            let why = format!("monitor '{monitor}' remembers {MOST} requests of the last while, which is all it may");
            Problem::new(Code::Busy, why).retry_after(Duration::from_secs(60))
        }
        _ => Problem::new(Code::Internal, "the script answered what it never does"),
    }
}

/// A flag for each command: whether it counted.
fn parts(monitor: &str, sizes: &[Vec<usize>], flags: &str, error: String) -> Vec<Vec<Part>> {
    let problem = refusal(monitor, &server_error(error));
    let mut flags = flags.bytes();
    let mut part = |rows| {
        let counted = flags.next() == Some(b'1');
        Part { rows, result: if counted { Ok(()) } else { Err(problem.clone()) } }
    };
    sizes.iter().map(|sizes| sizes.iter().map(|rows| part(*rows)).collect()).collect()
}

/// As a client has it, from the text that the script has.
fn server_error(text: String) -> RedisError {
    let (code, detail) = text.split_once(' ').unwrap_or(("ERR", &text));
    match code {
        "ERR" => {
            RedisError::from((ErrorKind::Server(redis::ServerErrorKind::ResponseError), "refused", detail.to_owned()))
        }
        code => redis::make_extension_error(code.to_owned(), Some(detail.to_owned())),
    }
}
