//! `EDDY.ALTER`.

use super::{create, refused};
use crate::ffi::context::{leads, selected};
use crate::ffi::events::notify;
use crate::ffi::key::with_monitor;
use crate::registry::Registry;
use crate::tick::{close_due, soon};
use crate::translate;
use eddyline_monitor::{Clock, Monitor};
use eddyline_wire::command::alter::Alter;
use redis_module::{Context, REDIS_OK, RedisResult};
use std::time::Instant;

pub(super) fn alter(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let alter = Alter::parse(args).map_err(refused)?;
    let sources: Option<Vec<Vec<u8>>> =
        alter.sources.as_ref().map(|all| all.iter().map(|name| name.to_vec()).collect());
    create::refuse_other_slots(ctx, alter.key, sources.as_deref().unwrap_or_default())?;
    let extents = sources.as_ref().map(|sources| create::extents_of(ctx, sources)).transpose()?;
    with_monitor(ctx, alter.key, true, |monitor| {
        if let (Some(names), Some(extents)) = (&sources, &extents) {
            let start = |name: &[u8]| {
                let at = names.iter().position(|known| known == name).unwrap_or_default();
                (create::start(alter.from, extents[at].newest), extents[at])
            };
            monitor.set_sources(names, start);
            let read = monitor.sources().iter().zip(extents).all(|(source, extent)| extent.newest <= source.cursor);
            monitor.set_following(read && !monitor.displaced());
            Registry::lock().put(selected(ctx), alter.key, monitor);
        }
        if let Some(retention) = alter.retention {
            monitor.set_retention(retention);
        }
        if let Some(clock) = alter.clock {
            monitor.set_clock(translate::clock(clock));
        }
        if let Some(paused) = alter.paused {
            monitor.set_paused(paused);
        }
        ctx.replicate_verbatim();
    })?;
    notify(ctx, c"eddy.alter", alter.key);
    with_monitor(ctx, alter.key, false, |monitor| resume(ctx, alter.key, monitor, &alter))?;
    soon(ctx, alter.key);
    REDIS_OK
}

/// From now on its time is looked after; until now nobody did.
fn resume(ctx: &Context, key: &[u8], monitor: &mut Monitor, alter: &Alter<'_>) {
    let resumes = alter.clock.is_some() || alter.paused == Some(false);
    if resumes && monitor.definition().clock == Clock::Server && monitor.following() && leads(ctx) {
        close_due(ctx, key, monitor, None, Instant::now());
    }
}
