//! One POST to one receiver, and what its answer means.

use super::SinkError;
use super::guard::{Guard, NotPublic};
use super::hidden::Hidden;
use super::settings::Shared;
use crate::config::secret::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Most of an answer that is read.
const MAX_ANSWER: usize = 4096;
/// Longest that a receiver's `Retry-After` is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const MAX_URL: usize = 2048;
const MAX_HEADERS: usize = 20;
const MAX_HEADER: usize = 4096;
/// Headers that are ours, or the connection's.
const RESERVED: [&str; 6] = ["connection", "content-length", "content-type", "host", "transfer-encoding", "user-agent"];

/// Where one sink posts.
#[derive(Debug)]
pub(super) struct Endpoint {
    client: Client,
    url: Secret,
    headers: HeaderMap,
    timeout: Duration,
    hidden: Hidden,
    /// Host and port: all of the address that is shown.
    shown: String,
}

impl Endpoint {
    /// Checks the settings; connects to nothing.
    ///
    /// # Errors
    /// What is wrong, and what is allowed, without the secrets.
    pub(super) fn new(url: &Secret, headers: &BTreeMap<String, Secret>, shared: &Shared) -> Result<Self, String> {
        let parsed = address(url.expose())?;
        let guard = Guard { allow_private: shared.allow_private };
        guard.check_literal(parsed.host_str().unwrap_or_default()).map_err(|why| format!("`url`: {why}"))?;
        let mut hidden = Hidden::default();
        hidden.add_address(url.expose());
        hidden.add_address(parsed.as_str());
        headers.values().for_each(|value| hidden.add(value));
        let host = parsed.host_str().unwrap_or_default();
        let shown = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let timeout = shared.timeout.0;
        // Whoever made the process may have chosen a provider; without any, building a client would panic.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("eddyline/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(guard)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(timeout)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| format!("no HTTP client: {}", cause(&error)))?;
        // The login in an address is sent as a header, which a receiver may echo too.
        let login =
            client.post(parsed.clone()).build().ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        if let Some(login) = login.as_ref().and_then(|login| login.to_str().ok()) {
            hidden.add(&Secret::new(login.to_owned()));
        }
        Ok(Self { client, url: Secret::new(parsed.into()), headers: checked(headers)?, timeout, hidden, shown })
    }

    /// The same, with one more text that no error may repeat.
    pub(super) fn hiding(mut self, secret: &Secret) -> Self {
        self.hidden.add(secret);
        self
    }

    /// Posts `body`.
    pub(super) async fn post(
        &self,
        content_type: &'static str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(), SinkError> {
        let request = self
            .client
            .post(self.url.expose())
            .headers(self.headers.clone())
            .headers(headers)
            .header(CONTENT_TYPE, content_type)
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(self.refusal(response).await),
            Err(error) => Err(SinkError::Later { why: self.trouble(&error), after: None }),
        }
    }

    async fn refusal(&self, response: Response) -> SinkError {
        let status = response.status();
        let after = retry_after(response.headers(), SystemTime::now());
        let answer = self.answer(response).await;
        let why = format!("{} answered {}{answer}", self.shown, status.as_u16());
        match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                SinkError::Later { why, after }
            }
            _ if status.is_server_error() => SinkError::Later { why, after },
            _ if status.is_redirection() => SinkError::Never(format!("{why}; redirects aren't followed")),
            _ => SinkError::Never(why),
        }
    }

    /// What the receiver says beside its status, as it may be shown.
    async fn answer(&self, mut response: Response) -> String {
        let mut read = Vec::new();
        while read.len() < MAX_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - read.len())]),
                Ok(None) => break,
                // What was cut off could be half a secret.
                Err(_) => return String::new(),
            }
        }
        match self.hidden.quote(&read) {
            nothing if nothing.is_empty() => nothing,
            said => format!(": {said}"),
        }
    }

    fn trouble(&self, error: &reqwest::Error) -> String {
        let shown = &self.shown;
        if error.is_timeout() {
            return format!("no answer from {shown} within {:?}", self.timeout);
        }
        let why = cause(error);
        let why = self.hidden.quote(why.as_bytes());
        if error.is_connect() { format!("no connection to {shown}: {why}") } else { format!("{shown}: {why}") }
    }
}

/// The innermost cause: the ones around it only name the address.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
        if innermost.is::<NotPublic>() {
            break;
        }
    }
    innermost
        .downcast_ref::<reqwest::Error>()
        .map_or_else(|| innermost.to_string(), |_| "the request failed".to_owned())
}

fn address(url: &str) -> Result<Url, String> {
    const ALLOWED: &str = "`url` is an address such as https://example.com/hook, at most 2048 bytes";
    let parsed = if url.len() <= MAX_URL { Url::parse(url).ok() } else { None };
    let parsed = parsed.ok_or(ALLOWED)?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(format!("{ALLOWED}; its scheme is http or https"));
    }
    Ok(parsed)
}

fn checked(headers: &BTreeMap<String, Secret>) -> Result<HeaderMap, String> {
    if headers.len() > MAX_HEADERS {
        return Err(format!("`headers` are at most {MAX_HEADERS}"));
    }
    let mut checked = HeaderMap::new();
    for (name, value) in headers {
        let known =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`headers`: {name:?} is no header's name"))?;
        if RESERVED.contains(&known.as_str()) || known.as_str().starts_with("eddyline-") {
            return Err(format!("`headers`: {name} is set by eddyline itself"));
        }
        let value = value.expose();
        let mut value = (value.len() <= MAX_HEADER)
            .then(|| HeaderValue::from_str(value).ok())
            .flatten()
            .ok_or_else(|| format!("`headers`: the value of {name} is visible ASCII, at most {MAX_HEADER} bytes"))?;
        value.set_sensitive(true);
        checked.insert(known, value);
    }
    Ok(checked)
}

/// What `Retry-After` asks for: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => SystemTime::from(OffsetDateTime::parse(text, &Rfc2822).ok()?).duration_since(now).unwrap_or_default(),
    };
    Some(asked.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_for_a_pause_in_seconds_or_until_a_date() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
        };
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("99999999999"), Some(LONGEST_WAIT));
        for nonsense in ["", "-1", "soon", "999999999999999999999999", "Sun, 06 Nov"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn addresses_that_lead_nowhere_are_refused_without_being_repeated() {
        for url in
            ["", "hunter2", "ftp://hunter2/", "https://", "file:///hunter2", &format!("https://h/{}", "x".repeat(2048))]
        {
            let why = address(url).unwrap_err();
            assert!(why.contains("`url`") && !why.contains("hunter2"), "{why}");
        }
        // the many spellings of loopback come out as one
        for url in ["http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://127.0.0.1./", "http://0177.0.0.1/"]
        {
            assert_eq!(address(url).unwrap().host_str(), Some("127.0.0.1"), "{url}");
        }
    }

    #[test]
    fn headers_that_are_ours_or_broken_are_refused() {
        let of = |name: &str, value: &str| checked(&BTreeMap::from([(name.to_owned(), Secret::new(value.to_owned()))]));
        assert_eq!(of("Authorization", "Bearer x").unwrap().len(), 1);
        for (name, value) in
            [("Host", "x"), ("content-type", "x"), ("Eddyline-Event", "x"), ("a b", "x"), ("A", "hunter2\n"), ("", "x")]
        {
            let why = of(name, value).unwrap_err();
            assert!(why.contains("`headers`") && !why.contains("hunter2"), "{why}");
        }
    }
}
