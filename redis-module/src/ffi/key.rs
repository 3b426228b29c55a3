//! Keys: a monitor's value behind its key.

use super::context::string;
use super::events;
use super::monitor_type::MONITOR;
use crate::counters::Before;
use eddyline_monitor::Monitor;
use redis_module::key::RedisKeyWritable;
use redis_module::stream::StreamRecord;
use redis_module::{Context, KeyType, RedisError, RedisString, raw};
use std::ffi::{c_char, c_int};
use std::marker::PhantomData;
use std::ptr::null_mut;

/// Why there is no monitor behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMonitor {
    /// The key doesn't exist.
    Missing,
    /// The key holds something else.
    WrongType,
}

impl From<NoMonitor> for RedisError {
    fn from(no: NoMonitor) -> Self {
        match no {
            NoMonitor::Missing => Self::Str("ERR no such monitor: EDDY.CREATE makes one, EDDY.LIST shows them"),
            NoMonitor::WrongType => Self::WrongType,
        }
    }
}

/// A key as the server's own string: nothing has to be made to open it.
#[derive(Clone, Copy)]
pub(crate) struct KeyArgument<'a> {
    string: *mut raw::RedisModuleString,
    lives: PhantomData<&'a ()>,
}

impl KeyArgument<'_> {
    /// The key of this name; null is no key.
    ///
    /// # Safety
    /// `string` is null or lives as long as this.
    pub(super) unsafe fn new(string: *mut raw::RedisModuleString) -> Self {
        Self { string, lives: PhantomData }
    }
}

/// Calls `f` with the monitor behind `key` for reading and changing it; `signal` says whether clients that watch the key
/// are told. Keyspace events that `f` causes, such as a source that expires when it is opened, are heard after it.
pub(crate) fn with_monitor<R>(
    ctx: &Context,
    key: &[u8],
    signal: bool,
    f: impl FnOnce(&mut Monitor) -> R,
) -> Result<R, NoMonitor> {
    let name = string(ctx, key);
    // SAFETY: the string lives as long as `name`.
    with_monitor_of(ctx, unsafe { KeyArgument::new(name.inner) }, signal, f)
}

/// The same with a key that the server has a string of already.
pub(crate) fn with_monitor_of<R>(
    ctx: &Context,
    key: KeyArgument<'_>,
    signal: bool,
    f: impl FnOnce(&mut Monitor) -> R,
) -> Result<R, NoMonitor> {
    if key.string.is_null() {
        return Err(NoMonitor::Missing);
    }
    let mode = raw::KeyMode::READ.bits() | if signal { raw::KeyMode::WRITE.bits() } else { 0 };
    let opened = raw::open_key(ctx.ctx, key.string, raw::KeyMode::from_bits_truncate(mode));
    if opened.is_null() {
        return Err(NoMonitor::Missing);
    }
    // SAFETY: an open key of our type holds the pointer that our callbacks or `create` put there. The server runs one
    // command, hook or timer at a time; a hook within `f` would come by `events`, which keeps it until `f` is over. So the
    // monitor is borrowed once.
    let monitor = unsafe {
        match value_type(opened) {
            KeyType::Empty => Err(NoMonitor::Missing),
            _ if module_type(opened) != *MONITOR.raw_type.borrow() => Err(NoMonitor::WrongType),
            _ => raw::RedisModule_ModuleTypeGetValue
                .and_then(|get| get(opened).cast::<Monitor>().as_mut())
                .ok_or(NoMonitor::Missing),
        }
    };
    let mut closed = false;
    let result = match monitor {
        Ok(monitor) => {
            let before = Before::of(monitor);
            Ok(events::kept_until_after(ctx, || {
                let result = f(monitor);
                closed = before.add_what_came(monitor);
                result
            }))
        }
        Err(no) => Err(no),
    };
    raw::close_key(opened);
    if closed {
        events::notify(ctx, c"eddy.close", RedisString::string_as_slice(key.string));
    }
    result
}

/// The entry `<ms>-0` of the stream behind `key`.
pub(crate) fn entry(ctx: &Context, key: &[u8], ms: u64) -> Option<StreamRecord> {
    let at = raw::RedisModuleStreamID { ms, seq: 0 };
    let stream = ctx.open_key(&string(ctx, key));
    stream.get_stream_range_iterator(Some(at), Some(at), false, false).ok()?.next()
}

/// Number of entries of the stream behind `key`.
pub(crate) fn length(ctx: &Context, key: &[u8]) -> u64 {
    let name = string(ctx, key);
    let opened = raw::open_key(ctx.ctx, name.inner, raw::KeyMode::READ);
    if opened.is_null() {
        return 0;
    }
    // SAFETY: `opened` is an open key.
    let length = unsafe { raw::RedisModule_ValueLength.map_or(0, |length| length(opened)) };
    raw::close_key(opened);
    length as u64
}

/// Whether the hash behind `key` has `field`.
pub(crate) fn has_field(ctx: &Context, key: &[u8], field: &[u8]) -> bool {
    let (key, field) = (string(ctx, key), string(ctx, field));
    let opened = raw::open_key(ctx.ctx, key.inner, raw::KeyMode::READ);
    if opened.is_null() {
        return false;
    }
    let mut there: c_int = 0;
    // SAFETY: the key is open; with this flag the server writes a number for each field of a list that ends in null.
    unsafe {
        if let Some(get) = raw::RedisModule_HashGet {
            let flag = raw::REDISMODULE_HASH_EXISTS as c_int;
            get(opened, flag, field.inner, &raw mut there, null_mut::<c_char>());
        }
    }
    raw::close_key(opened);
    there != 0
}

/// Puts `monitor` behind `key`.
pub(crate) fn create(ctx: &Context, key: &[u8], monitor: Monitor) -> Result<(), RedisError> {
    RedisKeyWritable::open(ctx.ctx, &string(ctx, key)).set_value(&MONITOR, monitor)
}

unsafe fn value_type(key: *mut raw::RedisModuleKey) -> KeyType {
    // SAFETY: `key` is open.
    unsafe { raw::RedisModule_KeyType.map_or(KeyType::Empty, |get| get(key).into()) }
}

unsafe fn module_type(key: *mut raw::RedisModuleKey) -> *mut raw::RedisModuleType {
    // SAFETY: `key` is open.
    unsafe { raw::RedisModule_ModuleTypeGetType.map_or(std::ptr::null_mut(), |get| get(key)) }
}
