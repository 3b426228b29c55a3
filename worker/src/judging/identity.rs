//! Which monitor of which deployment: what makes an incident's id the same on every retry and different elsewhere.

use eddyline_wire::keys::MAX_NAME;
use eddyline_wire::text::utf8;
use xxhash_rust::xxh3::xxh3_64;

/// A monitor's place in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the deployment, such as `production`.
    pub deployment: String,
    /// Name of the monitor.
    pub monitor: Vec<u8>,
    /// Number of the database.
    pub db: u32,
}

impl Identity {
    /// The monitor's name as text.
    #[must_use]
    pub fn shown(&self) -> String {
        utf8(&self.monitor, MAX_NAME)
    }

    /// Id of the incident whose first window ends at `opened_end_ms`: 16 hex digits.
    #[must_use]
    pub fn incident(&self, opened_end_ms: u64) -> String {
        let mut bytes = Vec::new();
        for part in [self.deployment.as_bytes(), &self.monitor] {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part);
        }
        bytes.extend(self.db.to_le_bytes());
        bytes.extend(opened_end_ms.to_le_bytes());
        format!("{:016x}", xxh3_64(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn an_incidents_id_is_stable_and_differs_elsewhere() {
        let here = Identity { deployment: "production".into(), monitor: b"checkout".to_vec(), db: 0 };
        let id = here.incident(1_795_166_105_000);
        assert_eq!(id, GOLDEN);
        assert_ne!(id, here.incident(1_795_166_110_000));
        assert_ne!(id, Identity { deployment: "staging".into(), ..here.clone() }.incident(1_795_166_105_000));
        assert_ne!(id, Identity { db: 1, ..here.clone() }.incident(1_795_166_105_000));
        let shifted = Identity { deployment: "productionc".into(), monitor: b"heckout".to_vec(), db: 0 };
        assert_ne!(id, shifted.incident(1_795_166_105_000));
    }

    const GOLDEN: &str = "bc5a710749b0ea5e";
}
