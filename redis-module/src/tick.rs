//! The timer: on the primary it closes windows whose time has come, reads backlogs and sends fingerprints, at most 1 ms of
//! work at once.

use crate::ffi::context::{leads, select, selected};
use crate::ffi::key::with_monitor;
use crate::ffi::log;
use crate::guard::guard;
use crate::registry::{Registry, forget_missing};
use crate::{counters, emit};
use eddyline_monitor::{Clock, Monitor};
use redis_module::{CallOptionsBuilder, CallReply, CallResult, Context};
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
    /// What is known of each monitor that was served since this node leads.
    standings: BTreeMap<Name, Standing>,
    /// The monitor that was looked at last: the next one stands behind it.
    served: Option<Name>,
    /// Monitors that this round still has to look at. A round may take several ticks.
    left: usize,
    /// When the first monitor of this round is due again, ms since the epoch.
    earliest_ms: u64,
    /// How often databases had changed places.
    swaps: u64,
    /// When a refusal was logged.
    complained: Option<Instant>,
}

/// What a node knows of a monitor without opening its key.
#[derive(Clone, Copy)]
struct Standing {
    /// Since when its time is looked after, ms since the epoch: only then is an empty window data.
    attended_ms: Option<u64>,
    /// When there is something to do again, ms since the epoch, if nobody asks for it before.
    due_ms: u64,
}

static TICKER: Mutex<Ticker> = Mutex::new(Ticker {
    last: None,
    standings: BTreeMap::new(),
    served: None,
    left: 0,
    earliest_ms: 0,
    swaps: 0,
    complained: None,
});
/// Whether a tick out of turn was asked for.
static SOON: AtomicBool = AtomicBool::new(false);
/// Monitors that were changed by something else than the timer, so that they may be due, and whether another one stands
/// under the name now, of whose time until then nothing is known.
static CHANGED: Mutex<BTreeMap<Name, bool>> = Mutex::new(BTreeMap::new());

/// Starts the timer; every tick arms the next.
pub(crate) fn start(ctx: &Context) {
    ctx.create_timer(IDLE, on_timer, ());
}

/// There may be something to do for the monitor `key` of the selected database: ticks out of turn, once, as soon as the
/// command is over.
pub(crate) fn soon(ctx: &Context, key: &[u8]) {
    wake(ctx, key, false);
}

/// The same for a monitor that wasn't under this name before.
pub(crate) fn soon_anew(ctx: &Context, key: &[u8]) {
    wake(ctx, key, true);
}

fn wake(ctx: &Context, key: &[u8], anew: bool) {
    if !leads(ctx) {
        return;
    }
    *changed().entry((selected(ctx), key.to_vec())).or_default() |= anew;
    if !SOON.swap(true, Ordering::Relaxed) {
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

fn changed() -> MutexGuard<'static, BTreeMap<Name, bool>> {
    CHANGED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One tick; says when the next one is due.
fn tick(ctx: &Context) -> Duration {
    let start = Instant::now();
    let next = tick_until(ctx, start, start + BUDGET);
    counters::LONGEST_TICK_US.raise_to(start.elapsed().as_micros() as u64);
    next
}

/// The work of one tick: goes on with the round over all monitors, or begins one.
fn tick_until(ctx: &Context, start: Instant, deadline: Instant) -> Duration {
    let mut ticker = ticker();
    let absent = ticker.last.is_none_or(|last| start - last > ABSENT);
    let leads = leads(ctx);
    let swaps = Registry::lock().swaps();
    if absent || !leads || swaps != ticker.swaps {
        ticker.standings.clear();
        ticker.left = 0;
    }
    ticker.swaps = swaps;
    ticker.last = Some(start);
    for (name, anew) in std::mem::take(&mut *changed()) {
        if anew {
            ticker.standings.remove(&name);
        } else if let Some(standing) = ticker.standings.get_mut(&name) {
            standing.due_ms = 0;
        }
    }
    if !leads {
        return IDLE;
    }
    if ticker.left == 0 {
        let registry = Registry::lock();
        ticker.left = registry.count();
        if ticker.standings.len() > ticker.left {
            ticker.standings.retain(|name, _| registry.has(name));
        }
        ticker.earliest_ms = u64::MAX;
    }
    while ticker.left > 0 {
        if Instant::now() >= deadline {
            return BUSY;
        }
        let Some(name) = Registry::lock().after(ticker.served.as_ref()) else { break };
        let due_ms = match ticker.standings.get(&name) {
            Some(standing) if standing.due_ms > now_ms() => standing.due_ms,
            _ => serve(ctx, &mut ticker, &name, deadline),
        };
        ticker.earliest_ms = ticker.earliest_ms.min(due_ms);
        ticker.served = Some(name);
        ticker.left -= 1;
    }
    ticker.left = 0;
    Duration::from_millis(ticker.earliest_ms.saturating_sub(now_ms())).clamp(BUSY, IDLE)
}

/// Does what there is to do for one monitor; says when it is due again, ms since the epoch.
fn serve(ctx: &Context, ticker: &mut Ticker, name: &Name, deadline: Instant) -> u64 {
    let (db, key) = name;
    if !select(ctx, *db) {
        return retry_ms();
    }
    let attended_ms = ticker.standings.get(name).and_then(|standing| standing.attended_ms);
    let advanced = with_monitor(ctx, key, false, |monitor| advance(ctx, key, monitor, attended_ms, deadline));
    let Some(stands) = forget_missing(*db, key, advanced) else {
        ticker.standings.remove(name);
        return u64::MAX;
    };
    let due_ms = match stands {
        Stands::Behind if read_slice(ctx, key, deadline) => 0,
        Stands::Behind => retry_ms(),
        Stands::Still => u64::MAX,
        Stands::Moves { due_ms } => due_ms,
    };
    let due_ms = match emit::send_waiting(ctx, key, deadline) {
        Ok(true) => 0,
        Ok(false) => due_ms,
        Err(refusal) => {
            complain(ctx, ticker, key, &refusal);
            due_ms.min(retry_ms())
        }
    };
    let _ = with_monitor(ctx, key, false, |monitor| Registry::lock().saw(*db, key, monitor));
    let attended_ms = matches!(stands, Stands::Moves { .. }).then(|| attended_ms.unwrap_or_else(now_ms));
    ticker.standings.insert(name.clone(), Standing { attended_ms, due_ms });
    due_ms
}

/// Where nothing can be done now: when to try again, ms since the epoch.
fn retry_ms() -> u64 {
    now_ms() + IDLE.as_millis() as u64
}

fn complain(ctx: &Context, ticker: &mut Ticker, key: &[u8], refusal: &str) {
    counters::refused(log::plain(refusal));
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
}

/// How a monitor stands in time.
#[derive(Clone, Copy)]
enum Stands {
    /// It has a backlog to read.
    Behind,
    /// Only entries and commands move it.
    Still,
    /// This node's clock moves it, next at `due_ms`.
    Moves {
        /// Milliseconds since the epoch.
        due_ms: u64,
    },
}

/// Closes what is over.
fn advance(ctx: &Context, key: &[u8], monitor: &mut Monitor, attended_ms: Option<u64>, deadline: Instant) -> Stands {
    if !monitor.following() {
        return Stands::Behind;
    }
    if monitor.definition().clock == Clock::Stream || monitor.paused() {
        return Stands::Still;
    }
    // with a full outbox the entries of sources wait, so time does
    if !monitor.sources().is_empty() && monitor.outbox_is_full() {
        return Stands::Moves { due_ms: retry_ms() };
    }
    close_due(ctx, key, monitor, attended_ms, deadline);
    Stands::Moves { due_ms: monitor.open_window().map_or_else(retry_ms, |(_, end)| end) }
}

/// Reads a slice of the oldest backlog; says whether anything changed. By a command, since within one the server's time
/// stands still: no source expires between two looks at it.
fn read_slice(ctx: &Context, key: &[u8], deadline: Instant) -> bool {
    let options = CallOptionsBuilder::new().replicate().errors_as_replies().build();
    let left = deadline.saturating_duration_since(Instant::now()).as_micros().to_string();
    let reply: CallResult<'_> = ctx.call_ext("EDDY.CATCHUP", &options, &[key, left.as_bytes()][..]);
    matches!(reply, Ok(CallReply::I64(changed)) if changed.to_i64() == 1)
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

/// On the node that writes the log, before an observation: a window that is over is closed first.
pub(crate) fn close_before_observation(ctx: &Context, key: &[u8], monitor: &mut Monitor) {
    let db = selected(ctx);
    let attended_ms = ticker().standings.get(&(db, key.to_vec())).and_then(|standing| standing.attended_ms);
    close_due(ctx, key, monitor, attended_ms, Instant::now() + BUDGET);
}

/// This node's clock, ms since the epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
