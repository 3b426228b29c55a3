//! A monitor as bytes and back: the payload of its RDB entry, and what its digest is taken of.

use crate::monitor::Monitor;

/// Version of the encoding; every older one loads.
pub(crate) const VERSION: u8 = 1;

/// Why bytes aren't a monitor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer release.
    #[error("the monitor was written in encoding version {0}, this release reads up to {VERSION}: upgrade the module")]
    Version(u8),
    /// No bytes at all, or not those of a monitor.
    #[error("the monitor's bytes are truncated or corrupt")]
    Corrupt,
    /// Bytes of a monitor that can't have come about.
    #[error("the monitor's state contradicts itself: {0}")]
    Impossible(&'static str),
}

impl Monitor {
    /// The monitor as bytes: equal monitors give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("plain values always serialise")
    }

    /// Reads what [`Monitor::encode`] wrote.
    ///
    /// # Errors
    /// Bytes of another version, truncated, corrupt, or of a state that can't have come about.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (&version, rest) = bytes.split_first().ok_or(DecodeError::Corrupt)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let (mut monitor, rest): (Self, _) = postcard::take_from_bytes(rest).map_err(|_| DecodeError::Corrupt)?;
        if !rest.is_empty() {
            return Err(DecodeError::Corrupt);
        }
        monitor.check().map_err(DecodeError::Impossible)?;
        monitor.restore_schema();
        Ok(monitor)
    }
}
