//! Keyspace and server events.

use super::context::{select, selected, string};
use crate::guard::guard;
use crate::registry::Registry;
use redis_module::{Context, NotifyEvent, RedisString, raw};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The keyspace events that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEvent {
    /// A stream got an entry.
    Added,
    /// A stream was told which id is its last.
    Rewound,
    /// The key is gone.
    Gone,
    /// The key is there under a name it didn't have, with whatever it held elsewhere.
    Appeared,
}

impl KeyEvent {
    /// The event by the server's name for it.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"xadd" => Some(Self::Added),
            b"xsetid" => Some(Self::Rewound),
            b"del" | b"expired" | b"evicted" | b"rename_from" | b"move_from" => Some(Self::Gone),
            b"rename_to" | b"move_to" | b"copy_to" | b"restore" => Some(Self::Appeared),
            _ => None,
        }
    }
}

/// Who hears keyspace events.
type Listener = fn(&Context, KeyEvent, &[u8]);

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Subscribes `listener` to what happens to streams and to keys as a whole.
pub(crate) fn subscribe(ctx: &Context, listener: Listener) -> Result<(), &'static str> {
    let _ = LISTENER.set(listener);
    let events = NotifyEvent::STREAM | NotifyEvent::GENERIC | NotifyEvent::EXPIRED | NotifyEvent::EVICTED;
    // SAFETY: the callback is a static function.
    let status = unsafe {
        raw::RedisModule_SubscribeToKeyspaceEvents
            .map(|subscribe| subscribe(ctx.ctx, events.bits(), Some(on_keyspace_event)))
    };
    if status == Some(raw::Status::Ok as c_int) { Ok(()) } else { Err("keyspace events") }
}

unsafe extern "C" fn on_keyspace_event(
    ctx: *mut raw::RedisModuleCtx,
    _class: c_int,
    event: *const c_char,
    key: *mut raw::RedisModuleString,
) -> c_int {
    guard("the keyspace hook", (), || {
        // SAFETY: the server passes a C string and a key that live as long as the call.
        let event = unsafe { CStr::from_ptr(event) }.to_bytes();
        if let Some(event) = KeyEvent::from_name(event) {
            hear(&Context::new(ctx), event, RedisString::string_as_slice(key));
        }
    });
    raw::Status::Ok as c_int
}

/// Whether a monitor is in use. Only the server's main thread looks: this and the next need no more order than that.
static IN_USE: AtomicBool = AtomicBool::new(false);
/// Whether events wait, so that nobody has to look into [`KEPT`] without need.
static ANY_KEPT: AtomicBool = AtomicBool::new(false);
/// Events that came while a monitor was in use.
static KEPT: Mutex<Vec<(i32, KeyEvent, Vec<u8>)>> = Mutex::new(Vec::new());

fn kept() -> MutexGuard<'static, Vec<(i32, KeyEvent, Vec<u8>)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hear(ctx: &Context, event: KeyEvent, key: &[u8]) {
    if IN_USE.load(Ordering::Relaxed) {
        kept().push((selected(ctx), event, key.to_vec()));
        ANY_KEPT.store(true, Ordering::Relaxed);
    } else if let Some(listener) = LISTENER.get() {
        listener(ctx, event, key);
    }
}

/// Tells clients and modules that listen for keyspace events that `event` happened to `key`. Our own listener doesn't
/// know these names.
pub(crate) fn notify(ctx: &Context, event: &CStr, key: &[u8]) {
    let key = string(ctx, key);
    // SAFETY: the event and the key live as long as the call.
    unsafe {
        if let Some(notify) = raw::RedisModule_NotifyKeyspaceEvent {
            notify(ctx.ctx, NotifyEvent::GENERIC.bits(), event.as_ptr(), key.inner);
        }
    }
}

/// Tells those who are subscribed to `channel`, on the other nodes of a cluster too.
pub(crate) fn publish(ctx: &Context, channel: &[u8], message: &[u8]) {
    let (channel, message) = (string(ctx, channel), string(ctx, message));
    // SAFETY: both strings live as long as the call.
    unsafe {
        if let Some(publish) = raw::RedisModule_PublishMessage {
            publish(ctx.ctx, channel.inner, message.inner);
        }
    }
}

/// Runs `f`; keyspace events that it causes are heard when it is over, in their order.
pub(crate) fn kept_until_after<R>(ctx: &Context, f: impl FnOnce() -> R) -> R {
    /// Set back even where `f` panics.
    struct InUse;
    impl Drop for InUse {
        fn drop(&mut self) {
            IN_USE.store(false, Ordering::Relaxed);
        }
    }
    IN_USE.store(true, Ordering::Relaxed);
    let in_use = InUse;
    let result = f();
    drop(in_use);
    if ANY_KEPT.load(Ordering::Relaxed) {
        ANY_KEPT.store(false, Ordering::Relaxed);
        hear_kept(ctx);
    }
    result
}

#[cold]
fn hear_kept(ctx: &Context) {
    let events = std::mem::take(&mut *kept());
    let db = selected(ctx);
    for (at, event, key) in events {
        if select(ctx, at) {
            hear(ctx, event, &key);
        }
    }
    select(ctx, db);
}

/// Hears of swapped and emptied databases.
pub(crate) fn subscribe_server(ctx: &Context) -> Result<(), &'static str> {
    let swap = raw::RedisModuleEvent { id: raw::REDISMODULE_EVENT_SWAPDB, dataver: 1 };
    let flush = raw::RedisModuleEvent { id: raw::REDISMODULE_EVENT_FLUSHDB, dataver: 1 };
    // SAFETY: the callbacks are static functions.
    let statuses = unsafe {
        raw::RedisModule_SubscribeToServerEvent
            .map(|subscribe| [subscribe(ctx.ctx, swap, Some(on_swap)), subscribe(ctx.ctx, flush, Some(on_flush))])
    };
    if statuses == Some([raw::Status::Ok as c_int; 2]) { Ok(()) } else { Err("server events") }
}

unsafe extern "C" fn on_swap(
    _ctx: *mut raw::RedisModuleCtx,
    _event: raw::RedisModuleEvent,
    _sub: u64,
    data: *mut c_void,
) {
    guard("the swapdb hook", (), || {
        // SAFETY: with this event the server passes this structure.
        if let Some(info) = unsafe { data.cast::<raw::RedisModuleSwapDbInfo>().as_ref() } {
            Registry::lock().swap(info.dbnum_first, info.dbnum_second);
        }
    });
}

unsafe extern "C" fn on_flush(
    _ctx: *mut raw::RedisModuleCtx,
    _event: raw::RedisModuleEvent,
    sub: u64,
    data: *mut c_void,
) {
    guard("the flush hook", (), || {
        // SAFETY: with this event the server passes this structure.
        let info = unsafe { data.cast::<raw::RedisModuleFlushInfo>().as_ref() };
        if let (raw::REDISMODULE_SUBEVENT_FLUSHDB_END, Some(info)) = (sub, info) {
            Registry::lock().forget((info.dbnum >= 0).then_some(info.dbnum));
        }
    });
}
