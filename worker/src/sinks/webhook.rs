//! Any HTTP server: our JSON, signed.
//!
//! The signature is over the time and the body, so that a recorded request can't be played again later.

use super::http::Endpoint;
use super::settings::{Shared, Webhook as Settings};
use super::{Delivery, Sink, slim};
use crate::config::secret::Secret;
use eddyline_wire::notification::Notification;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: usize = 1024;

/// Any HTTP server.
#[derive(Debug)]
pub(super) struct Webhook {
    endpoint: Endpoint,
    secret: Option<Secret>,
}

impl Webhook {
    pub(super) fn new(settings: &Settings, shared: &Shared) -> Result<Self, String> {
        let mut endpoint = Endpoint::new(&settings.url, &settings.headers, shared)?;
        if let Some(secret) = &settings.secret {
            if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.expose().len()) {
                return Err(format!("`secret` is {SHORTEST_SECRET} to {LONGEST_SECRET} bytes"));
            }
            endpoint = endpoint.hiding(secret);
        }
        Ok(Self { endpoint, secret: settings.secret.clone() })
    }
}

impl Sink for Webhook {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        let body = slim::json(notification);
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        let event = if notification.test { "test" } else { notification.event.as_str() };
        let mut headers = vec![
            ("eddyline-delivery", notification.id.clone()),
            ("eddyline-event", event.to_owned()),
            ("eddyline-timestamp", seconds.clone()),
        ];
        if let Some(secret) = &self.secret {
            headers.push(("eddyline-signature", format!("sha256={}", signature(secret, &seconds, &body))));
        }
        let headers: HeaderMap = headers
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
            .collect();
        Box::pin(self.endpoint.post("application/json", headers, body.into_bytes()))
    }
}

fn signature(secret: &Secret, seconds: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("a key of any length will do");
    for part in [seconds, ".", body] {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_other_tools_compute() {
        // printf '1795166105.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let secret = Secret::new("0123456789abcdef".to_owned());
        assert_eq!(
            signature(&secret, "1795166105", "{}"),
            "d55dc57718283dfc098674e3bdfd25f7bb84b9fd5ec6f1727a3edcf2535c86a5"
        );
    }
}
