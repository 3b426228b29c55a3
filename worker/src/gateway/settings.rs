//! What the operator chose about the gateway: `[http]` and `[http.keys.NAME]`.

use super::limits::{BODY, MOST_BODY};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::num::NonZero;

/// Most items a second that a key may be given.
const MOST_RATE: u32 = 10_000_000;

/// What a reload changes about the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Pages of these origins may ask.
    pub cors: Vec<Origin>,
    /// Who may what, by a name of the operator's own; nobody needs a key where there is none.
    pub keys: BTreeMap<String, KeySettings>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// Of the key.
    pub hash: KeyHash,
    /// What it may do.
    #[serde(deserialize_with = "scopes")]
    pub scopes: Vec<Scope>,
    /// Items a second; as many as come where none is said.
    #[serde(default, deserialize_with = "rate")]
    pub rate: Option<NonZero<u32>>,
    /// Largest body, as it came and unpacked.
    #[serde(default)]
    pub body: BodySize,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send observations, metrics and markers.
    Write,
    /// Look at everything.
    Read,
    /// All of it, and change monitors and what alerts.
    Admin,
}

/// SHA-256 of a key. Keys are long and random, so nobody finds them by trying.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(pub [u8; 32]);

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl KeyHash {
    /// As the settings have it.
    #[must_use]
    pub fn to_text(self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.is_ascii())?;
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let what = "must be sha256: and 64 hexadecimal digits, as 'eddyline key' prints it";
        Self::parse(&text).ok_or_else(|| D::Error::custom(what))
    }
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scope>, D::Error> {
    let scopes = Vec::deserialize(deserializer)?;
    if scopes.is_empty() { Err(D::Error::custom("must be some of write, read and admin")) } else { Ok(scopes) }
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NonZero<u32>>, D::Error> {
    let rate = u32::deserialize(deserializer).ok().and_then(NonZero::new).filter(|rate| rate.get() <= MOST_RATE);
    rate.map(Some).ok_or_else(|| D::Error::custom(format!("must be items a second, from 1 to {MOST_RATE}")))
}

/// Bytes, written as 8MiB, 512KiB or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodySize(pub usize);

impl Default for BodySize {
    fn default() -> Self {
        Self(BODY)
    }
}

impl Serialize for BodySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}KiB", self.0.div_ceil(1024)))
    }
}

impl<'de> Deserialize<'de> for BodySize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match &text[digits..] {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            _ => 0,
        };
        let bytes = text[..digits].parse::<usize>().ok().and_then(|n| n.checked_mul(unit));
        let fits = bytes.filter(|bytes| (1024..=MOST_BODY).contains(bytes));
        fits.map(Self)
            .ok_or_else(|| D::Error::custom(format!("must be from 1KiB to {}MiB, such as \"8MiB\"", MOST_BODY >> 20)))
    }
}

/// `https://host[:port]`, as a browser says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// As a header has it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_host =
            |host: &str| !host.contains(['/', '@', '*']) && host.parse::<axum::http::uri::Authority>().is_ok();
        if host.is_some_and(is_host) {
            return Ok(Self(text));
        }
        Err(D::Error::custom("must be origins such as \"https://dash.example.com\": no path, no asterisk"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<KeySettings, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_key_is_its_hash_and_what_it_may() {
        let hash = KeyHash([7; 32]).to_text();
        let good = key(&format!("hash = '{hash}'\nscopes = ['write', 'read']\nrate = 50000\nbody = '1MiB'")).unwrap();
        assert_eq!((good.hash, good.body), (KeyHash([7; 32]), BodySize(1 << 20)));
        assert_eq!((good.scopes, good.rate), (vec![Scope::Write, Scope::Read], NonZero::new(50_000)));
        let plain = key(&format!("hash = '{hash}'\nscopes = ['admin']")).unwrap();
        assert_eq!((plain.rate, plain.body), (None, BodySize(BODY)));
        assert!(!format!("{plain:?}").contains("0707"));
    }

    #[test]
    fn what_a_key_cannot_be_is_refused_with_what_is_allowed() {
        let hash = KeyHash([7; 32]).to_text();
        for (text, why) in [
            ("hash = 'sha256:12'\nscopes = ['read']".to_owned(), "64 hexadecimal digits"),
            (format!("hash = '{hash}'\nscopes = []"), "write, read and admin"),
            (format!("hash = '{hash}'\nscopes = ['root']"), "unknown variant"),
            (format!("hash = '{hash}'\nscopes = ['read']\nrate = 0"), "from 1 to 10000000"),
            (format!("hash = '{hash}'\nscopes = ['read']\nbody = '1GiB'"), "from 1KiB to 32MiB"),
            (format!("hash = '{hash}'\nscopes = ['read']\nbody = '33MiB'"), "from 1KiB to 32MiB"),
            (format!("hash = '{hash}'\nscopes = ['read']\nrat = 1"), "unknown field"),
        ] {
            let error = key(&text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let origin = |text: &str| serde_json::from_value::<Origin>(text.into());
        assert!(origin("https://dash.example.com").is_ok() && origin("http://localhost:3000").is_ok());
        for text in ["*", "dash.example.com", "https://a/", "https://*.a", "https://u@a", "null", "https://"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
