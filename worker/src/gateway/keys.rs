//! Who may what: a key is known by its hash, and has scopes, a rate and a largest body.

use super::Gateway;
use super::errors::{Code, Problem};
use super::limits::BODY;
use super::settings::{HttpSettings, KeyHash, KeySettings, Scope};
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use std::num::NonZero;
use std::sync::Arc;

/// What every key starts with, so that one that leaked is recognised.
pub const PREFIX: &str = "edk_";
/// Longest key that is looked at.
const LONGEST: usize = 256;
/// Whatever the rate, so many items may come at once.
const LEAST_BURST: NonZero<u32> = NonZero::new(1000).unwrap();

/// All keys.
#[derive(Debug, Default)]
pub struct Keys(Vec<Arc<Key>>);

/// Who asks.
#[derive(Debug)]
pub struct Key {
    /// The operator's name for it; empty where nobody needs a key.
    pub name: String,
    /// Largest body, as it came and unpacked.
    pub body: usize,
    hash: KeyHash,
    scopes: Vec<Scope>,
    rate: Option<Rate>,
}

#[derive(Debug)]
struct Rate {
    limiter: DefaultDirectRateLimiter,
    burst: u32,
}

/// The key of this request, as an extension of it.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Key>);

impl Keys {
    /// The keys that the settings have.
    #[must_use]
    pub fn of(settings: &HttpSettings) -> Self {
        Self(settings.keys.iter().map(|(name, key)| Arc::new(Key::new(name, key))).collect())
    }

    /// Whether nobody needs a key.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Every hash is compared, each whole: how long it takes says nothing about any of them.
    fn find(&self, text: &[u8]) -> Option<Arc<Key>> {
        let hash = hash_of(text);
        let differs = |key: &Key| key.hash.0.iter().zip(hash.0).fold(0, |differs, (a, b)| differs | (a ^ b));
        self.0.iter().fold(None, |found, key| if differs(key) == 0 { Some(Arc::clone(key)) } else { found })
    }
}

/// Under which a key is known.
#[must_use]
pub fn hash_of(key: &[u8]) -> KeyHash {
    KeyHash(Sha256::digest(key).into())
}

impl Key {
    fn new(name: &str, settings: &KeySettings) -> Self {
        let rate = settings.rate.map(|rate| {
            let burst = rate.max(LEAST_BURST);
            Rate { limiter: RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)), burst: burst.get() }
        });
        let (hash, scopes, body) = (settings.hash, settings.scopes.clone(), settings.body.0);
        Self { name: name.to_owned(), body, hash, scopes, rate }
    }

    /// Who asks where nobody needs a key.
    fn anyone() -> Self {
        let scopes = vec![Scope::Admin];
        Self { name: String::new(), body: BODY, hash: KeyHash([0; 32]), scopes, rate: None }
    }

    fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    /// Takes `items` from what it may send.
    ///
    /// # Errors
    /// It sends more than it may, now or ever.
    pub fn take(&self, items: usize) -> Result<(), Problem> {
        let (Some(rate), Some(items)) = (&self.rate, NonZero::new(u32::try_from(items).unwrap_or(u32::MAX))) else {
            return Ok(());
        };
        let limited = |wait| Problem::new(Code::RateLimited, "more items a second than this key may").retry_after(wait);
        match rate.limiter.check_n(items) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(limited(not_until.wait_time_from(DefaultClock::default().now()))),
            Err(_) => {
                let why = format!("{items} items in one request, at most {} are allowed with this key", rate.burst);
                Err(Problem::new(Code::TooManyItems, why))
            }
        }
    }
}

/// Lets a request through whose key has the scope, and tells it whose it is. Each counts as one item.
pub(super) async fn check(
    State((gateway, scope)): State<(Gateway, Scope)>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&gateway.keys(), scope, request.headers()) {
        Ok(key) => {
            request.extensions_mut().insert(Caller(key));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn caller(keys: &Keys, scope: Scope, headers: &HeaderMap) -> Result<Arc<Key>, Problem> {
    if keys.is_open() {
        return Ok(Arc::new(Key::anyone()));
    }
    let said = said(headers).ok_or_else(|| {
        let how = "this needs a key, in the header 'authorization: Bearer edk_…' or 'x-api-key: edk_…'";
        Problem::new(Code::Unauthorized, how)
    })?;
    let found = Some(said).filter(|said| said.len() <= LONGEST).and_then(|said| keys.find(said));
    let key = found.ok_or_else(|| Problem::new(Code::Unauthorized, "this key isn't known here"))?;
    if !key.may(scope) {
        let missing = format!("{scope:?}").to_lowercase();
        return Err(Problem::new(Code::Forbidden, format!("this key doesn't have the scope '{missing}'")));
    }
    key.take(1)?;
    Ok(key)
}

/// The key as the request has it.
fn said(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(|value| {
        let (scheme, key) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii())
    });
    bearer.or_else(|| headers.get("x-api-key").map(HeaderValue::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::settings::BodySize;

    fn keys(rate: Option<u32>) -> Keys {
        let of = |key: &str, scopes: &[Scope]| KeySettings {
            hash: hash_of(key.as_bytes()),
            scopes: scopes.to_vec(),
            rate: rate.and_then(NonZero::new),
            body: BodySize::default(),
        };
        let keys =
            [("app".to_owned(), of("edk_app", &[Scope::Write])), ("ops".to_owned(), of("edk_ops", &[Scope::Admin]))];
        Keys::of(&HttpSettings { keys: keys.into(), ..HttpSettings::default() })
    }

    fn ask(keys: &Keys, scope: Scope, header: &'static str, value: &'static str) -> Result<String, Code> {
        let headers = HeaderMap::from_iter([(header.parse().unwrap(), HeaderValue::from_static(value))]);
        caller(keys, scope, &headers).map(|key| key.name.clone()).map_err(|problem| problem.code)
    }

    #[test]
    fn a_key_may_what_its_scopes_say_and_admin_may_all() {
        let keys = keys(None);
        assert_eq!(ask(&keys, Scope::Write, "authorization", "Bearer edk_app"), Ok("app".into()));
        assert_eq!(ask(&keys, Scope::Write, "x-api-key", "edk_app"), Ok("app".into()));
        assert_eq!(ask(&keys, Scope::Read, "authorization", "bearer edk_app"), Err(Code::Forbidden));
        assert_eq!(ask(&keys, Scope::Read, "authorization", "Bearer edk_ops"), Ok("ops".into()));
        for (header, value) in
            [("authorization", "Bearer edk_ap"), ("authorization", "Basic edk_app"), ("x-api-key", ""), ("cookie", "x")]
        {
            assert_eq!(ask(&keys, Scope::Write, header, value), Err(Code::Unauthorized), "{header}: {value}");
        }
        assert_eq!(ask(&Keys::default(), Scope::Admin, "x-api-key", "whatever"), Ok(String::new()));
    }

    #[test]
    fn who_sends_too_much_is_told_when_to_come_back_and_what_never_fits() {
        let keys = keys(Some(10));
        let key = keys.find(b"edk_app").unwrap();
        key.take(1000).unwrap();
        let problem = key.take(20).unwrap_err();
        assert_eq!(problem.code, Code::RateLimited);
        assert!(problem.retry_after.is_some_and(|wait| wait.as_millis() > 1000), "{problem:?}");
        assert_eq!(key.take(1001).unwrap_err().code, Code::TooManyItems);
        keys.find(b"edk_ops").unwrap().take(1000).unwrap();
    }
}
