//! The native type: how a monitor is saved, loaded, rewritten, copied, digested and freed.

use super::defrag::defrag;
use super::log;
use crate::guard::guard;
use crate::registry::Registry;
use eddyline_monitor::Monitor;
use redis_module::native_types::RedisType;
use redis_module::{RedisString, raw};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

/// Encoding version of the type: that of the payload.
const ENCODING: c_int = eddyline_monitor::ENCODING as c_int;
/// Largest payload that is looked at: more than the largest monitor.
const MAX_PAYLOAD: usize = 1 << 28;

/// Bytes that are freed as fast as they are handed to the server's own thread for freeing: it takes values from 64 of
/// them upwards.
const FREE_EFFORT_BYTES: u64 = 1024;

/// Values are freed in the server's own thread too.
const fn freed_anywhere<T: Send>() {}
const _: () = freed_anywhere::<Monitor>();

/// The type `eddymonit`. A server reads of these methods what its version knows; newer ones are left out there. No
/// `unlink`: nothing has to happen before a value leaves its key, the registry hears of that as of any other key.
pub(crate) static MONITOR: RedisType = RedisType::new(
    "eddymonit",
    ENCODING,
    raw::RedisModuleTypeMethods {
        version: raw::REDISMODULE_TYPE_METHOD_VERSION as u64,
        rdb_load: Some(rdb_load),
        rdb_save: Some(rdb_save),
        aof_rewrite: Some(aof_rewrite),
        mem_usage: Some(mem_usage),
        digest: Some(digest),
        free: Some(free),
        aux_load: None,
        aux_save: None,
        aux_save_triggers: 0,
        free_effort: Some(free_effort),
        unlink: None,
        copy: Some(copy),
        defrag: Some(defrag),
        mem_usage2: None,
        free_effort2: None,
        unlink2: None,
        copy2: None,
        aux_save2: None,
    },
);

extern "C" fn rdb_save(rdb: *mut raw::RedisModuleIO, value: *mut c_void) {
    guard("rdb_save", (), || raw::save_slice(rdb, &monitor(value).encode()));
}

extern "C" fn rdb_load(rdb: *mut raw::RedisModuleIO, version: c_int) -> *mut c_void {
    guard("rdb_load", null_mut(), || {
        if version > ENCODING {
            refuse(rdb, &format!("encoding version {version} needs a newer module, this one reads up to {ENCODING}"));
            return null_mut();
        }
        let Ok(payload) = raw::load_string_buffer(rdb) else {
            refuse(rdb, "the data ends early");
            return null_mut();
        };
        // The server has the string by now, having held its length against what there is; what is decoded from it takes
        // its lengths from bytes that are there.
        let bytes: &[u8] = payload.as_ref();
        let decoded = if bytes.len() > MAX_PAYLOAD { Err("it is too long".to_owned()) } else { decode(bytes) };
        match decoded {
            Ok(monitor) => {
                register(rdb, &monitor);
                Box::into_raw(Box::new(monitor)).cast()
            }
            Err(why) => {
                refuse(rdb, &why);
                null_mut()
            }
        }
    })
}

fn decode(bytes: &[u8]) -> Result<Monitor, String> {
    Monitor::decode(bytes).map_err(|error| error.to_string())
}

/// The log says which monitor stays out, and why; the server itself says what that means for the file or command.
fn refuse(io: *mut raw::RedisModuleIO, why: &str) {
    let name = key_of(io).map_or("without a name".into(), |(_, name)| String::from_utf8_lossy(name));
    log::warning(&format!("eddyline: the monitor {name} can't be loaded: {why}"));
}

/// The registry learns of a loaded monitor from the key that is being loaded.
fn register(io: *mut raw::RedisModuleIO, monitor: &Monitor) {
    if let Some((db, name)) = key_of(io) {
        Registry::lock().put(db, name, monitor);
    }
}

/// Database and name of the key that is being loaded.
fn key_of<'a>(io: *mut raw::RedisModuleIO) -> Option<(i32, &'a [u8])> {
    // SAFETY: the server passes a valid `io`; the name lives as long as the call that it passed it to.
    let (name, db) = unsafe {
        let name = raw::RedisModule_GetKeyNameFromIO.map_or(null_mut(), |get| get(io).cast_mut());
        (name, raw::RedisModule_GetDbIdFromIO.map_or(0, |get| get(io)))
    };
    (!name.is_null()).then(|| (db.max(0), RedisString::string_as_slice(name)))
}

extern "C" fn aof_rewrite(aof: *mut raw::RedisModuleIO, key: *mut raw::RedisModuleString, value: *mut c_void) {
    guard("aof_rewrite", (), || {
        let bytes = monitor(value).encode();
        // SAFETY: the format `sb` takes a string and a buffer with its length.
        unsafe {
            if let Some(emit) = raw::RedisModule_EmitAOF {
                emit(aof, c"EDDY.RESTORE".as_ptr(), c"sb".as_ptr(), key, bytes.as_ptr().cast::<c_char>(), bytes.len());
            }
        }
    });
}

unsafe extern "C" fn mem_usage(value: *const c_void) -> usize {
    guard("mem_usage", 0, || monitor(value).bytes() as usize)
}

unsafe extern "C" fn digest(digest: *mut raw::RedisModuleDigest, value: *mut c_void) {
    guard("digest", (), || {
        let bytes = monitor(value).encode();
        // SAFETY: the buffer lives as long as the call.
        unsafe {
            if let (Some(add), Some(end)) = (raw::RedisModule_DigestAddStringBuffer, raw::RedisModule_DigestEndSequence)
            {
                add(digest, bytes.as_ptr().cast::<c_char>(), bytes.len());
                end(digest);
            }
        }
    });
}

unsafe extern "C" fn free(value: *mut c_void) {
    guard("free", (), || {
        // SAFETY: the server frees a value once, and every value came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(value.cast::<Monitor>()) });
    });
}

unsafe extern "C" fn free_effort(_key: *mut raw::RedisModuleString, value: *const c_void) -> usize {
    guard("free_effort", 1, || (monitor(value).bytes() / FREE_EFFORT_BYTES) as usize)
}

unsafe extern "C" fn copy(
    _from: *mut raw::RedisModuleString,
    _to: *mut raw::RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    guard("copy", null_mut(), || Box::into_raw(Box::new(monitor(value).clone())).cast())
}

fn monitor<'a>(value: *const c_void) -> &'a Monitor {
    // SAFETY: the server passes the value that `rdb_load`, `copy` or `create` gave it, while it keeps it.
    unsafe { &*value.cast::<Monitor>() }
}
