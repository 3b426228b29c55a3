//! What the server's defragmentation moves of a value.

use crate::guard::guard;
use redis_module::raw;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

/// Moves the value itself. What it owns is a few blocks of a fixed size, most of them too big to leave holes.
pub(super) unsafe extern "C" fn defrag(
    ctx: *mut raw::RedisModuleDefragCtx,
    _key: *mut raw::RedisModuleString,
    value: *mut *mut c_void,
) -> c_int {
    guard("defrag", (), || {
        // SAFETY: the server passes the place where it keeps the value. The value is one allocation of the server's own
        // allocator, which is ours too; it may be moved byte by byte, as nothing points into a value and none is in use
        // while the server defragments.
        unsafe {
            let moved = raw::RedisModule_DefragAlloc.map_or(null_mut(), |alloc| alloc(ctx, *value));
            if !moved.is_null() {
                *value = moved;
            }
        }
    });
    0 // all was looked at
}
