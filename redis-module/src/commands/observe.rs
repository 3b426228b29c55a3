//! `EDDY.OBSERVE`.

use super::refused;
use crate::ffi::context::leads;
use crate::ffi::key::{KeyArgument, with_monitor_of};
use crate::tick;
use eddyline_monitor::{Clock, Monitor, NoWindow};
use eddyline_wire::command::observe::Observe;
use redis_module::{Context, RedisError, RedisResult, RedisValue};

pub(super) fn observe(ctx: &Context, key: KeyArgument<'_>, args: &[&[u8]]) -> RedisResult {
    let observe = Observe::parse(args).map_err(refused)?;
    count(ctx, key, observe.key, |monitor| monitor.observe(observe.fields()))
}

/// Counts by `f` in the window of now of the monitor behind `key`, which is called `name`, and says so in the log.
pub(super) fn count(
    ctx: &Context,
    key: KeyArgument<'_>,
    name: &[u8],
    f: impl FnOnce(&mut Monitor) -> Result<u64, NoWindow>,
) -> RedisResult {
    let n: Result<_, RedisError> = with_monitor_of(ctx, key, true, |monitor| {
        open_window_of_now(ctx, name, monitor)?;
        let n = f(monitor).map_err(|no| RedisError::String(format!("ERR {no}")))?;
        Ok((n, monitor.waiting() > 0))
    })?;
    let (n, waiting) = n?;
    ctx.replicate_verbatim();
    if waiting {
        tick::soon(ctx, name);
    }
    Ok(RedisValue::Integer(n as i64))
}

/// On the node that writes the log: a window that is over is closed first, and the log says so before the observation.
/// While a backlog is read, the open window is one of the past.
fn open_window_of_now(ctx: &Context, key: &[u8], monitor: &mut Monitor) -> Result<(), RedisError> {
    if monitor.definition().clock == Clock::Stream || monitor.paused() || !leads(ctx) {
        return Ok(());
    }
    if !monitor.following() && monitor.outbox_is_full() {
        return Err(RedisError::Str(
            "ERR the monitor's fingerprints can't be written and its sources wait, nothing was counted: INFO eddyline tells \
             why in last_refusal",
        ));
    }
    if !monitor.following() {
        return Err(RedisError::Str(
            "ERR the monitor still reads what its sources had before, nothing was counted: try again in a moment",
        ));
    }
    if monitor.open_window().is_none_or(|(_, end)| end <= tick::now_ms()) {
        tick::close_before_observation(ctx, key, monitor);
    }
    Ok(())
}
