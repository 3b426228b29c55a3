//! The time that waits are measured by, between notifiers too.

use std::time::SystemTime;

/// Now, ms since the epoch.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
