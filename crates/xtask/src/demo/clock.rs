//! The wall clock.

use std::time::SystemTime;

use anyhow::Result;

/// Milliseconds since the epoch.
pub(super) fn now_ms() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis() as u64)
}
