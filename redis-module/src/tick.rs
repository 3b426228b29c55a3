//! The timer: on the primary it closes windows whose time has come, reads backlogs and sends fingerprints, at most 1 ms of
//! work at once.

use crate::ffi::key::{leads, select, with_monitor};
use crate::guard::guard;
use crate::hook::forget_missing;
use crate::registry::Registry;
use crate::{catch_up, emit};
use eddyline_monitor::{Clock, Monitor};
use redis_module::Context;
use std::collections::BTreeMap;
use std::sync::Mutex;
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

/// What one node remembers between ticks; never part of a monitor.
struct Ticker {
    /// When each monitor's time was last looked after.
    attended: BTreeMap<(i32, Vec<u8>), Instant>,
    complained: Option<Instant>,
    turn: usize,
}

static TICKER: Mutex<Ticker> = Mutex::new(Ticker { attended: BTreeMap::new(), complained: None, turn: 0 });

/// Starts the timer; every tick arms the next.
pub(crate) fn start(ctx: &Context) {
    ctx.create_timer(IDLE, on_timer, ());
}

fn on_timer(ctx: &Context, (): ()) {
    let next = guard("the timer", IDLE, || tick(ctx));
    ctx.create_timer(next, on_timer, ());
}

/// One tick; says when the next one is due.
fn tick(ctx: &Context) -> Duration {
    let mut ticker = TICKER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !leads(ctx) {
        ticker.attended.clear();
        return IDLE;
    }
    let start = Instant::now();
    let deadline = start + BUDGET;
    let mut next = IDLE;
    let monitors = Registry::lock().all();
    // each tick starts with another monitor, so that a busy one can't starve the others
    ticker.turn = ticker.turn.wrapping_add(1) % monitors.len().max(1);
    let (later, sooner) = monitors.split_at(ticker.turn);
    for name in sooner.iter().chain(later) {
        if Instant::now() >= deadline {
            return BUSY;
        }
        let (db, key) = name;
        if !select(ctx, *db) {
            continue;
        }
        let present = ticker.attended.get(name).is_some_and(|last| start - *last < ABSENT);
        let moved = with_monitor(ctx, key, false, |monitor| advance(ctx, key, monitor, present, deadline));
        match forget_missing(*db, key, moved) {
            Some(Due { at, attended: true }) => {
                ticker.attended.insert(name.clone(), start);
                next = next.min(at);
            }
            Some(Due { at, attended: false }) => {
                ticker.attended.remove(name);
                next = next.min(at);
            }
            None => {
                ticker.attended.remove(name);
                continue;
            }
        }
        match emit::send_waiting(ctx, key, deadline) {
            Ok(true) => next = BUSY,
            Ok(false) => {}
            Err(refusal) => {
                if ticker.complained.is_none_or(|last| start - last > REPEAT) {
                    ticker.complained = Some(start);
                    ctx.log_warning(&format!(
                        "eddyline: fingerprints of {} wait, the server refuses to write them: {refusal}",
                        String::from_utf8_lossy(key)
                    ));
                }
            }
        }
    }
    next
}

/// When a monitor is due again, and whether its time is looked after: only then is an empty window data.
struct Due {
    at: Duration,
    attended: bool,
}

/// Reads what is unread, or closes what is over.
fn advance(ctx: &Context, key: &[u8], monitor: &mut Monitor, present: bool, deadline: Instant) -> Due {
    if !monitor.following() {
        read_slice(ctx, key, monitor, deadline);
        return Due { at: BUSY, attended: false };
    }
    if monitor.definition().clock == Clock::Stream {
        return Due { at: IDLE, attended: false };
    }
    close_due(ctx, key, monitor, now_ms(), present);
    let left = monitor.open_window().map_or(IDLE, |(_, end)| Duration::from_millis(end.saturating_sub(now_ms())));
    Due { at: left.clamp(BUSY, IDLE), attended: true }
}

/// Closes every window that is over at `now`, and says so in the log. If its time was looked after (`present`) each window
/// is data; otherwise what lies between the open window and now is unknown.
pub(crate) fn close_due(ctx: &Context, key: &[u8], monitor: &mut Monitor, now: u64, present: bool) {
    // with a full outbox the entries of sources wait, so time does
    while monitor.sources().is_empty() || !monitor.outbox_is_full() {
        let boundary = match monitor.open_window() {
            Some((_, end)) if end > now => return,
            // a clock that leapt is an absence too
            Some((_, end)) if present && now - end < ABSENT.as_millis() as u64 => end,
            _ => now - now % monitor.definition().window_ms,
        };
        if !monitor.close(boundary) {
            return;
        }
        ctx.replicate("EDDY.CLOSE", &[key, boundary.to_string().as_bytes()][..]);
    }
}

/// Reads a slice of the oldest backlog; with none left, this finds that all is read.
fn read_slice(ctx: &Context, key: &[u8], monitor: &mut Monitor, deadline: Instant) {
    let (source, until) = catch_up::next_source(ctx, monitor).unwrap_or_else(|| (0, monitor.sources()[0].cursor));
    catch_up::read_up_to(ctx, monitor, source, until, Some(deadline));
    let read = &monitor.sources()[source];
    let last = format!("{}-{}", read.cursor.ms, read.cursor.seq);
    ctx.replicate("EDDY.READ", &[key, &read.name, last.as_bytes()][..]);
}

/// This node's clock, ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
