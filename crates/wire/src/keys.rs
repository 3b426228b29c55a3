//! Every key and channel name, built in one place.

/// Channel on which every alert of the deployment is published.
pub const ALERTS: &str = "eddyline:alerts";
/// Channel that wakes workers when a fingerprint was written; volatile, carries the monitor's name.
pub const CLOSED: &str = "eddyline:closed";
/// Longest name of a monitor, source or field, and longest item, in bytes.
pub const MAX_NAME: usize = 1024;

/// Keys of the service as a whole, all in one slot; of no monitor, whatever its name.
pub mod service {
    /// Sorted set: the workers that are alive, by when they said so last (ms since the epoch, the server's clock).
    pub const WORKERS: &str = "{eddyline}:workers";
    /// String with expiry: the token of the worker that notifies.
    pub const NOTIFIER_LEASE: &str = "{eddyline}:notifier-lease";
    /// Counter from which those tokens are drawn.
    pub const NOTIFIER_TOKENS: &str = "{eddyline}:notifier-tokens";
    /// String: what the notifier knows of open groups, and how far it read each monitor's incidents.
    pub const NOTIFIER: &str = "{eddyline}:notifier";
    /// Stream of notifications: what people are told.
    pub const NOTIFICATIONS: &str = "{eddyline}:notifications";
    /// Hash: sink → id of the last notification that it got.
    pub const DELIVERED: &str = "{eddyline}:delivered";
    /// Stream of notifications that a sink didn't take.
    pub const DEAD_LETTERS: &str = "{eddyline}:dead-letters";
    /// Stream of deploy markers.
    pub const MARKERS: &str = "{eddyline}:markers";
    /// Sorted set: the instances whose metrics come, by when they were heard of last (ms since the epoch).
    pub const INSTANCES: &str = "{eddyline}:instances";
    /// Stream of who changed what fires: feedback given and taken back.
    pub const AUDIT: &str = "{eddyline}:audit";
}

/// What the companions of a monitor end in, in the order of the path of an event.
const ENDINGS: [&str; 9] =
    ["counting", "fingerprints", "schemas", "scores", "incidents", "model", "lease", "lease:tokens", "settings"];

/// Why a name can't be a monitor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or longer than [`MAX_NAME`].
    #[error("a monitor's name is 1 to 1024 bytes")]
    Length,
    /// Braces from which no hash tag follows, or a name that is nothing but a tag.
    #[error("braces in a monitor's name must be one non-empty {{tag}} plus more text, as in {{shop}}:checkout")]
    Braces,
}

/// The companions of one monitor: keys that share its hash slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companions {
    name: Vec<u8>,
    stem: Vec<u8>,
}

impl Companions {
    /// The companions of monitor `name`: `{name}:…`, or `name:…` where the name already carries a hash tag.
    ///
    /// # Errors
    /// A name whose companions would collide with another's or fall into another slot.
    pub fn of(name: &[u8]) -> Result<Self, NameError> {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(NameError::Length);
        }
        let braces: Vec<usize> = (0..name.len()).filter(|&i| matches!(name[i], b'{' | b'}')).collect();
        let stem = match braces[..] {
            [] => [b"{", name, b"}:"].concat(),
            [open, close]
                if name[open] == b'{' && name[close] == b'}' && close > open + 1 && close - open + 1 < name.len() =>
            {
                [name, b":"].concat()
            }
            _ => return Err(NameError::Braces),
        };
        Ok(Self { name: name.to_vec(), stem })
    }

    /// The monitor's own key.
    #[must_use]
    pub fn monitor(&self) -> &[u8] {
        &self.name
    }

    /// String: the monitor itself, where a worker counts in place of the module.
    #[must_use]
    pub fn counting(&self) -> Vec<u8> {
        self.companion("counting")
    }

    /// String with expiry: the token of the worker that counts. It goes by itself, so it isn't looked for among what a
    /// monitor leaves behind.
    #[must_use]
    pub fn counting_lease(&self) -> Vec<u8> {
        self.companion("counting-lease")
    }

    /// Hashes with expiry: requests to the gateway that were counted, of this while and the one before. They go by themselves,
    /// so they aren't looked for among what a monitor leaves behind.
    #[must_use]
    pub fn requests(&self) -> [Vec<u8>; 2] {
        [self.companion("requests:0"), self.companion("requests:1")]
    }

    /// The same for what a gateway sends to a cluster, whose client may send it twice by itself.
    #[must_use]
    pub fn sendings(&self) -> [Vec<u8>; 2] {
        [self.companion("sendings:0"), self.companion("sendings:1")]
    }

    /// Hash with expiry: samples of metrics of windows that aren't over. It goes by itself.
    #[must_use]
    pub fn gathering(&self) -> Vec<u8> {
        self.companion("gathering")
    }

    /// Stream of fingerprints, id = window end.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<u8> {
        self.companion("fingerprints")
    }

    /// Hash: schema id → schema record.
    #[must_use]
    pub fn schemas(&self) -> Vec<u8> {
        self.companion("schemas")
    }

    /// Stream of scores, one a fingerprint, under its id.
    #[must_use]
    pub fn scores(&self) -> Vec<u8> {
        self.companion("scores")
    }

    /// Stream of incident changes.
    #[must_use]
    pub fn incidents(&self) -> Vec<u8> {
        self.companion("incidents")
    }

    /// String: the worker's checkpoint.
    #[must_use]
    pub fn model(&self) -> Vec<u8> {
        self.companion("model")
    }

    /// String with expiry: the token of the worker that scores this monitor.
    #[must_use]
    pub fn lease(&self) -> Vec<u8> {
        self.companion("lease")
    }

    /// Counter from which lease tokens are drawn.
    #[must_use]
    pub fn lease_tokens(&self) -> Vec<u8> {
        self.companion("lease:tokens")
    }

    /// String with expiry: why the worker that scores this monitor does so with less than its best, in words.
    #[must_use]
    pub fn condition(&self) -> Vec<u8> {
        self.companion("condition")
    }

    /// Hash of the monitor's live settings.
    #[must_use]
    pub fn settings(&self) -> Vec<u8> {
        self.companion("settings")
    }

    /// The monitor to which `key` would belong as a companion, and its companions.
    #[must_use]
    pub fn owning(key: &[u8]) -> Option<Self> {
        let stem =
            ENDINGS.iter().find_map(|what| key.strip_suffix(what.as_bytes()).filter(|stem| stem.ends_with(b":")))?;
        let name = &stem[..stem.len() - 1];
        let bare = name.strip_prefix(b"{").and_then(|name| name.strip_suffix(b"}"));
        // `{checkout}:…` belongs to `checkout`, since `{checkout}` is no monitor's name
        [bare.unwrap_or(name), name].into_iter().filter_map(|name| Self::of(name).ok()).find(|keys| keys.stem == stem)
    }

    /// Channel with this monitor's alerts only.
    #[must_use]
    pub fn alerts(&self) -> Vec<u8> {
        [ALERTS.as_bytes(), b":", &self.name].concat()
    }

    fn companion(&self, what: &str) -> Vec<u8> {
        [&self.stem, what.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(name: &str) -> Result<String, NameError> {
        Companions::of(name.as_bytes()).map(|keys| String::from_utf8(keys.fingerprints()).unwrap())
    }

    #[test]
    fn companions_share_the_monitors_hash_tag() {
        assert_eq!(fingerprints("checkout").unwrap(), "{checkout}:fingerprints");
        assert_eq!(fingerprints("{shop}:checkout").unwrap(), "{shop}:checkout:fingerprints");
        assert_eq!(fingerprints("eu-{shop}").unwrap(), "eu-{shop}:fingerprints");
    }

    #[test]
    fn names_whose_companions_would_collide_or_change_slot_are_refused() {
        for name in ["{checkout}", "a{}b", "a}b", "a{b", "}a{", "{a}{b}", "{{a}}b"] {
            assert_eq!(fingerprints(name), Err(NameError::Braces), "{name}");
        }
        assert_eq!(fingerprints(""), Err(NameError::Length));
        assert_eq!(fingerprints(&"x".repeat(1025)), Err(NameError::Length));
    }

    #[test]
    fn a_companion_names_its_monitor() {
        for name in ["checkout", "{shop}:checkout", "eu-{shop}", "lease", "a:lease"] {
            let keys = Companions::of(name.as_bytes()).unwrap();
            for key in ENDINGS.map(|what| keys.companion(what)) {
                assert_eq!(Companions::owning(&key), Some(keys.clone()), "{}", String::from_utf8_lossy(&key));
            }
        }
        for key in ["checkout:scores", "{checkout}", "{checkout}:other", "{a}{b}:model", ":lease", "scores", "{}:model"]
        {
            assert_eq!(Companions::owning(key.as_bytes()), None, "{key}");
        }
    }

    #[test]
    fn every_key_and_channel_is_where_the_documents_say() {
        let keys = Companions::of(b"checkout").unwrap();
        let all = [
            keys.counting(),
            keys.counting_lease(),
            keys.requests()[1].clone(),
            keys.sendings()[0].clone(),
            keys.gathering(),
            keys.fingerprints(),
            keys.schemas(),
            keys.scores(),
            keys.incidents(),
            keys.model(),
            keys.lease(),
            keys.condition(),
            keys.settings(),
            keys.alerts(),
        ];
        let all: Vec<_> = all.iter().map(|key| String::from_utf8_lossy(key)).collect();
        assert_eq!(
            all,
            [
                "{checkout}:counting",
                "{checkout}:counting-lease",
                "{checkout}:requests:1",
                "{checkout}:sendings:0",
                "{checkout}:gathering",
                "{checkout}:fingerprints",
                "{checkout}:schemas",
                "{checkout}:scores",
                "{checkout}:incidents",
                "{checkout}:model",
                "{checkout}:lease",
                "{checkout}:condition",
                "{checkout}:settings",
                "eddyline:alerts:checkout"
            ]
        );
    }
}
