//! RedisBloom's native type `CMSk-TYPE`, encoding 0: its dumps and files are read here, and ours there.

use super::defrag::defrag;
use super::log;
use crate::guard::guard;
use eddyline_sketch::ClassicCountMin;
use redis_module::native_types::RedisType;
use redis_module::raw;
use std::ffi::{c_char, c_int, c_longlong, c_void};
use std::ptr::null_mut;

/// Encoding version; RedisBloom's of Redis 8.12 is 1.
const ENCODING: c_int = 0;
/// Bytes that are freed as quickly as one small allocation: the server frees large values in the background by this.
const EFFORTLESS: usize = 4096;

/// Values are freed in the server's own thread too.
const fn freed_anywhere<T: Send>() {}
const _: () = freed_anywhere::<ClassicCountMin>();

/// The type. Only one module of a server can have it, so it is registered together with the commands.
pub(crate) static CMS: RedisType = RedisType::new(
    "CMSk-TYPE",
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

/// Zeros from the server's allocator, or none where it has no memory; pages are touched only when they are used.
pub(crate) fn zeros(bytes: usize) -> Option<Box<[u8]>> {
    // SAFETY: the module's global allocator frees by `RedisModule_Free`, which takes back what these functions give. The
    // bytes are initialised, in the last case here.
    unsafe {
        let start = match (raw::RedisModule_TryCalloc, raw::RedisModule_TryAlloc, raw::RedisModule_Calloc) {
            (Some(calloc), ..) => calloc(1, bytes).cast::<u8>(),
            (None, Some(alloc), Some(calloc)) => {
                // The older server has no call that is both: asked first, so that the second doesn't end it.
                let probe = alloc(bytes);
                if probe.is_null() {
                    return None;
                }
                if let Some(free) = raw::RedisModule_Free {
                    free(probe);
                }
                calloc(1, bytes).cast::<u8>()
            }
            _ => null_mut(),
        };
        (!start.is_null()).then(|| Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, bytes)))
    }
}

extern "C" fn rdb_save(rdb: *mut raw::RedisModuleIO, value: *mut c_void) {
    guard("rdb_save", (), || {
        let sketch = sketch(value);
        let (width, depth) = sketch.shape();
        for part in [width, depth, sketch.count().cast_unsigned()] {
            raw::save_unsigned(rdb, part);
        }
        raw::save_slice(rdb, sketch.cells());
    });
}

extern "C" fn rdb_load(rdb: *mut raw::RedisModuleIO, version: c_int) -> *mut c_void {
    guard("rdb_load", null_mut(), || {
        if version > ENCODING {
            log::warning(&format!(
                "eddyline: a sketch of CMSk-TYPE encoding {version} comes from a newer RedisBloom; this module reads {ENCODING}"
            ));
            return null_mut();
        }
        match load(rdb) {
            Ok(sketch) => Box::into_raw(Box::new(sketch)).cast(),
            Err(why) => {
                log::warning(&format!("eddyline: a CMSk-TYPE sketch in the payload can't be read: {why}"));
                null_mut()
            }
        }
    })
}

fn load(rdb: *mut raw::RedisModuleIO) -> Result<ClassicCountMin, String> {
    let number = || raw::load_unsigned(rdb).map_err(|error| error.to_string());
    let (width, depth, count) = (number()?, number()?, number()?.cast_signed());
    let cells = raw::load_string_buffer(rdb).map_err(|error| error.to_string())?;
    ClassicCountMin::from_parts(width, depth, count, cells.as_ref()).map_err(|error| error.to_string())
}

extern "C" fn aof_rewrite(aof: *mut raw::RedisModuleIO, key: *mut raw::RedisModuleString, value: *mut c_void) {
    guard("aof_rewrite", (), || {
        let sketch = sketch(value);
        let (width, depth) = sketch.shape();
        let numbers = [width.cast_signed(), depth.cast_signed(), sketch.count()].map(c_longlong::from);
        // SAFETY: the format `slllb` takes a string, three integers, and a buffer with its length.
        unsafe {
            if let Some(emit) = raw::RedisModule_EmitAOF {
                let ([width, depth, count], cells) = (numbers, sketch.cells());
                let command = c"EDDY.CMSRESTORE".as_ptr();
                let bytes = cells.as_ptr().cast::<c_char>();
                emit(aof, command, c"slllb".as_ptr(), key, width, depth, count, bytes, cells.len());
            }
        }
    });
}

unsafe extern "C" fn mem_usage(value: *const c_void) -> usize {
    guard("mem_usage", 0, || size_of::<ClassicCountMin>() + sketch(value).cells().len())
}

unsafe extern "C" fn digest(digest: *mut raw::RedisModuleDigest, value: *mut c_void) {
    guard("digest", (), || {
        let sketch = sketch(value);
        let (width, depth) = sketch.shape();
        // SAFETY: the buffer lives as long as the call.
        unsafe {
            if let (Some(number), Some(buffer), Some(end)) = (
                raw::RedisModule_DigestAddLongLong,
                raw::RedisModule_DigestAddStringBuffer,
                raw::RedisModule_DigestEndSequence,
            ) {
                for part in [width.cast_signed(), depth.cast_signed(), sketch.count()] {
                    number(digest, part);
                }
                buffer(digest, sketch.cells().as_ptr().cast::<c_char>(), sketch.cells().len());
                end(digest);
            }
        }
    });
}

unsafe extern "C" fn free(value: *mut c_void) {
    guard("free", (), || {
        // SAFETY: the server frees a value once, and every value came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(value.cast::<ClassicCountMin>()) });
    });
}

unsafe extern "C" fn free_effort(_key: *mut raw::RedisModuleString, value: *const c_void) -> usize {
    guard("free_effort", 1, || 1 + sketch(value).cells().len() / EFFORTLESS)
}

unsafe extern "C" fn copy(
    _from: *mut raw::RedisModuleString,
    _to: *mut raw::RedisModuleString,
    value: *const c_void,
) -> *mut c_void {
    guard("copy", null_mut(), || Box::into_raw(Box::new(sketch(value).clone())).cast())
}

fn sketch<'a>(value: *const c_void) -> &'a ClassicCountMin {
    // SAFETY: the server passes the value that `rdb_load`, `copy` or a command gave it, while it keeps it.
    unsafe { &*value.cast::<ClassicCountMin>() }
}
