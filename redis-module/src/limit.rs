//! The operator's limit on one monitor's memory.

use crate::counters;
use crate::ffi::config::max_monitor_bytes;
use crate::ffi::context::leads;
use redis_module::{Context, RedisError};

/// Refuses a client's monitor of `bytes` if that is more than `eddyline.max-monitor-bytes`. Only a node that leads refuses:
/// what a primary accepted, a replica and a file that is loaded accept too.
pub(crate) fn check(ctx: &Context, bytes: u64) -> Result<(), RedisError> {
    let most = max_monitor_bytes();
    if bytes <= most || !leads(ctx) {
        return Ok(());
    }
    counters::LIMITED.add(1);
    Err(RedisError::String(format!(
        "ERR the monitor may take {bytes} bytes, eddyline.max-monitor-bytes allows {most}: a smaller MEMORY or fewer \
         fields take less"
    )))
}
