//! A monitor that the worker counts, as it stands in `{monitor}:counting`: bytes with a version and a checksum. The first
//! of them tell one state from the next, so that nobody goes on from another than the one that is there.

use eddyline_monitor::{DecodeError, EntryId, Monitor};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 4] = b"EDLC";
/// Raised whenever the payload changes.
const VERSION: u16 = 1;
/// Magic, version, length of the payload, its checksum.
pub const HEADER: usize = 4 + 2 + 4 + 8;

/// Why bytes aren't such a state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A newer release wrote it.
    #[error(
        "{{monitor}}:counting was written by a newer release (version {0}, this one reads {VERSION}): update this worker"
    )]
    Newer(u16),
    /// Not such bytes, or damaged ones.
    #[error("{{monitor}}:counting is damaged")]
    Damaged,
    /// The monitor in it can't be.
    #[error("{{monitor}}:counting can't be read: {0}")]
    Monitor(#[from] DecodeError),
}

/// How far a stream was followed, as the server counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Entries that were ever added up to the cursor; none where that can't be known.
    pub read: Option<u64>,
    /// The last id that the stream gave.
    pub last: EntryId,
    /// There was no stream of this name.
    pub gone: bool,
}

/// Since when a server is known to have been there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The server's run id.
    pub run: String,
    /// Milliseconds since the epoch, by its clock; none if it isn't known to be there.
    pub since_ms: Option<u64>,
}

/// Everything that goes on after a restart.
#[derive(Debug, Clone)]
pub struct State {
    /// The monitor; its cursors say what was read.
    pub monitor: Monitor,
    /// The streams, in the monitor's order.
    pub followed: Vec<Followed>,
    /// The server.
    pub presence: Presence,
}

impl State {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let payload = postcard::to_stdvec(&(self.monitor.encode(), &self.followed, &self.presence))
            .expect("plain values always serialise");
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(xxh3_64(&payload).to_le_bytes());
        bytes.extend(payload);
        bytes
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let (header, payload) = bytes.split_at_checked(HEADER).ok_or(StateError::Damaged)?;
        let (magic, header) = header.split_at(4);
        if magic != MAGIC {
            return Err(StateError::Damaged);
        }
        let version = u16::from_le_bytes([header[0], header[1]]);
        if version > VERSION {
            return Err(StateError::Newer(version));
        }
        let length = u32::from_le_bytes(header[2..6].try_into().expect("four bytes"));
        let checksum = u64::from_le_bytes(header[6..14].try_into().expect("eight bytes"));
        if version == 0 || payload.len() != length as usize || xxh3_64(payload) != checksum {
            return Err(StateError::Damaged);
        }
        let (monitor, followed, presence): (Vec<u8>, Vec<Followed>, Presence) =
            postcard::from_bytes(payload).map_err(|_| StateError::Damaged)?;
        let monitor = Monitor::decode(&monitor)?;
        if followed.len() != monitor.sources().len() || presence.run.len() > 128 {
            return Err(StateError::Damaged);
        }
        Ok(Self { monitor, followed, presence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_monitor::Definition;

    fn sample() -> State {
        let definition = Definition {
            sources: vec![b"metrics".to_vec()],
            dimensions: vec!["service".into()],
            ..Definition::default()
        };
        let mut monitor = Monitor::new(definition).unwrap();
        let fields = [(&b"service"[..], &b"pay"[..])];
        monitor.read(0, EntryId { ms: 5, seq: 1 }, fields.into_iter());
        let followed = vec![Followed { read: Some(1), last: EntryId { ms: 5, seq: 1 }, gone: false }];
        State { monitor, followed, presence: Presence { run: "r".into(), since_ms: Some(7) } }
    }

    #[test]
    fn a_state_that_was_put_away_is_the_same() {
        let bytes = sample().encode();
        let read = State::decode(&bytes).unwrap();
        assert_eq!((read.encode(), read.followed, read.presence), (bytes, sample().followed, sample().presence));
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let good = sample().encode();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(State::decode(&bad).is_err(), "byte {at}");
            assert!(State::decode(&good[..at]).is_err(), "cut at {at}");
        }
        let mut newer = good;
        newer[4] += 1;
        assert!(matches!(State::decode(&newer), Err(StateError::Newer(2))));
    }

    #[test]
    fn what_a_valid_checksum_covers_up_is_checked_too() {
        let none = State { followed: Vec::new(), ..sample() }.encode();
        assert_eq!(State::decode(&none).unwrap_err(), StateError::Damaged);
    }
}
