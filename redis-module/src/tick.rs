//! The timer: on the primary it closes windows whose time has come, reads backlogs and sends fingerprints, at most 1 ms of
//! work at once.

use crate::ffi::context::{leads, select};
use crate::ffi::key::with_monitor;
use crate::ffi::log;
use crate::guard::guard;
use crate::registry::{Registry, forget_missing};
use crate::{catch_up, counters, emit};
use eddyline_monitor::{Clock, Monitor};
use redis_module::Context;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Longest time between two ticks.
const IDLE: Duration = Duration::from_millis(100);
/// Time between two ticks while there is work left.
const BUSY: Duration = Duration::from_millis(1);
/// Most work in one tick.
const BUDGET: Duration = Duration::from_millis(1);
/// After a pause of this length nobody was ticking: the windows in it are unknown, not empty.
const ABSENT: Duration = Duration::from_secs(3);
/// Time between two log lines about the same refusal.
const REPEAT: Duration = Duration::from_secs(60);

/// A monitor: its database and key.
type Name = (i32, Vec<u8>);

/// What one node remembers between ticks; never part of a monitor.
struct Ticker {
    /// The tick before this one.
    last: Option<Instant>,
    /// Since when, ms since the epoch, each monitor's time is looked after.
    attended: BTreeMap<Name, u64>,
    /// The monitor that was served last: the next tick starts behind it.
    served: Option<Name>,
    /// When a refusal was logged.
    complained: Option<Instant>,
}

static TICKER: Mutex<Ticker> =
    Mutex::new(Ticker { last: None, attended: BTreeMap::new(), served: None, complained: None });
/// Whether a tick out of turn was asked for.
static SOON: AtomicBool = AtomicBool::new(false);

/// When a monitor is due again, and whether its time is looked after: only then is an empty window data.
struct Due {
    at: Duration,
    attended: bool,
}

/// Starts the timer; every tick arms the next.
pub(crate) fn start(ctx: &Context) {
    ctx.create_timer(IDLE, on_timer, ());
}

/// Something waits to be sent: ticks out of turn, once, as soon as the command is over.
pub(crate) fn soon(ctx: &Context) {
    if leads(ctx) && !SOON.swap(true, Ordering::Relaxed) {
        ctx.create_timer(
            BUSY,
            |ctx, ()| {
                SOON.store(false, Ordering::Relaxed);
                guard("the timer", BUSY, || tick(ctx));
            },
            (),
        );
    }
}

fn on_timer(ctx: &Context, (): ()) {
    let next = guard("the timer", IDLE, || tick(ctx));
    ctx.create_timer(next, on_timer, ());
}

fn ticker() -> MutexGuard<'static, Ticker> {
    TICKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One tick; says when the next one is due.
fn tick(ctx: &Context) -> Duration {
    let start = Instant::now();
    let next = tick_until(ctx, start, start + BUDGET);
    counters::LONGEST_TICK_US.raise_to(start.elapsed().as_micros() as u64);
    next
}

/// The work of one tick.
fn tick_until(ctx: &Context, start: Instant, deadline: Instant) -> Duration {
    let mut ticker = ticker();
    let absent = ticker.last.is_none_or(|last| start - last > ABSENT);
    if absent || !leads(ctx) {
        ticker.attended.clear();
    }
    ticker.last = Some(start);
    if !leads(ctx) {
        return IDLE;
    }
    let monitors = Registry::lock().count();
    let mut next = IDLE;
    for _ in 0..monitors {
        if Instant::now() >= deadline {
            return BUSY;
        }
        let Some(name) = Registry::lock().after(ticker.served.as_ref()) else { break };
        next = next.min(serve(ctx, &mut ticker, &name, deadline));
        ticker.served = Some(name);
    }
    next
}

/// Does what there is to do for one monitor; says when it is due again.
fn serve(ctx: &Context, ticker: &mut Ticker, name: &Name, deadline: Instant) -> Duration {
    let (db, key) = name;
    if !select(ctx, *db) {
        return IDLE;
    }
    let since = ticker.attended.get(name).copied();
    let moved = with_monitor(ctx, key, false, |monitor| {
        let due = advance(ctx, key, monitor, since, deadline);
        Registry::lock().saw(*db, key, monitor);
        due
    });
    let due = forget_missing(*db, key, moved);
    match &due {
        Some(Due { attended: true, .. }) => {
            ticker.attended.entry(name.clone()).or_insert_with(now_ms);
        }
        _ => {
            ticker.attended.remove(name);
        }
    }
    let Some(due) = due else { return IDLE };
    match emit::send_waiting(ctx, key, deadline) {
        Ok(true) => BUSY,
        Ok(false) => due.at,
        Err(refusal) => {
            counters::refused(log::plain(&refusal));
            if ticker.complained.is_none_or(|last| last.elapsed() > REPEAT) {
                ticker.complained = Some(Instant::now());
                let name = String::from_utf8_lossy(key);
                log::warning_in(
                    ctx,
                    &format!(
                        "eddyline: fingerprints of {name} wait, they can't be written: {refusal}. Nothing is lost while \
                         its outbox has room, it is tried again all the time; INFO eddyline tells how many wait"
                    ),
                );
            }
            due.at
        }
    }
}

/// Reads what is unread, or closes what is over.
fn advance(ctx: &Context, key: &[u8], monitor: &mut Monitor, since: Option<u64>, deadline: Instant) -> Due {
    if !monitor.following() {
        let moved = read_slice(ctx, key, monitor, deadline);
        return Due { at: if moved { BUSY } else { IDLE }, attended: false };
    }
    if monitor.definition().clock == Clock::Stream || monitor.paused() {
        return Due { at: IDLE, attended: false };
    }
    // with a full outbox the entries of sources wait, so time does
    if monitor.sources().is_empty() || !monitor.outbox_is_full() {
        close_due(ctx, key, monitor, since, deadline);
    }
    let left = monitor.open_window().map_or(IDLE, |(_, end)| Duration::from_millis(end.saturating_sub(now_ms())));
    Due { at: left.clamp(BUSY, IDLE), attended: true }
}

/// Closes every window that is over, and says so in the log. A window that ended while its time was looked after is data;
/// what lies between an earlier one and now is unknown.
pub(crate) fn close_due(ctx: &Context, key: &[u8], monitor: &mut Monitor, since: Option<u64>, deadline: Instant) {
    let now = now_ms();
    loop {
        let boundary = match monitor.open_window() {
            Some((_, end)) if end > now => return,
            // a clock that leapt is an absence too
            Some((_, end)) if since.is_some_and(|since| end > since) && now - end < ABSENT.as_millis() as u64 => end,
            _ => now,
        };
        if !counters::noting_a_close(monitor, |monitor| monitor.close(boundary)) {
            return;
        }
        ctx.replicate("EDDY.CLOSE", &[key, boundary.to_string().as_bytes()][..]);
        if Instant::now() >= deadline {
            return;
        }
    }
}

/// Reads a slice of the oldest backlog; with none left, finds that all is read. Says whether anything changed.
fn read_slice(ctx: &Context, key: &[u8], monitor: &mut Monitor, deadline: Instant) -> bool {
    let (displaced, before) = (monitor.displaced(), monitor.sources().to_vec());
    let (source, until) = catch_up::next_source(ctx, monitor).unwrap_or_else(|| (0, monitor.sources()[0].cursor));
    catch_up::read_up_to(ctx, monitor, source, until, Some(deadline));
    let read = &monitor.sources()[source];
    let changed = displaced || before != monitor.sources() || monitor.following();
    if changed {
        let last = format!("{}-{}", read.cursor.ms, read.cursor.seq);
        ctx.replicate("EDDY.READ", &[key, &read.name, last.as_bytes()][..]);
    }
    changed
}

/// On the node that writes the log, before an observation: a window that is over is closed first.
pub(crate) fn close_before_observation(ctx: &Context, key: &[u8], monitor: &mut Monitor) {
    let db = crate::ffi::context::selected(ctx);
    let since = ticker().attended.get(&(db, key.to_vec())).copied();
    close_due(ctx, key, monitor, since, Instant::now() + BUDGET);
}

/// This node's clock, ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
