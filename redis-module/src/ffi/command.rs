//! From the server's `argv` to slices of bytes, and back to a reply.

use crate::guard::guard;
use redis_module::{Context, RedisError, RedisResult, RedisString, raw};
use std::ffi::{CString, c_int};

/// A command's handler: gets its arguments without the name.
pub(crate) type Handler = fn(&Context, &[&[u8]]) -> RedisResult;
/// What the server calls.
pub(crate) type Entry = extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int;

/// An [`Entry`] for a [`Handler`].
macro_rules! entry {
    ($handler:path) => {{
        extern "C" fn entry(
            ctx: *mut redis_module::raw::RedisModuleCtx,
            argv: *mut *mut redis_module::raw::RedisModuleString,
            argc: std::ffi::c_int,
        ) -> std::ffi::c_int {
            $crate::ffi::command::call(ctx, argv, argc, stringify!($handler), $handler)
        }
        entry as $crate::ffi::command::Entry
    }};
}
pub(crate) use entry;

/// Runs `handler` on the arguments; replies with what it gives, or with an error where it panics.
pub(crate) fn call(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
    what: &str,
    handler: Handler,
) -> c_int {
    let context = Context::new(ctx);
    let bug = RedisError::Str("ERR eddyline met a bug in this command; the server's log says more");
    let result = guard(what, Err(bug), || {
        let args: Vec<&[u8]> = (1..usize::try_from(argc).unwrap_or(0))
            // SAFETY: the server passes `argc` valid strings, which live as long as the call.
            .map(|i| RedisString::string_as_slice(unsafe { *argv.add(i) }))
            .collect();
        handler(&context, &args)
    });
    context.reply(result) as c_int
}

/// Registers `name`; with `keyed`, its first argument is a key.
pub(crate) fn register(ctx: &Context, name: &str, flags: &str, keyed: bool, entry: Entry) -> Result<(), &'static str> {
    let (Ok(name), Ok(flags), Some(create)) =
        (CString::new(name), CString::new(flags), unsafe { raw::RedisModule_CreateCommand })
    else {
        return Err("CreateCommand");
    };
    let key = c_int::from(keyed);
    // SAFETY: the strings outlive the call, which copies them; the entry is a static function.
    let status = unsafe { create(ctx.ctx, name.as_ptr(), Some(entry), flags.as_ptr(), key, key, key) };
    if status == raw::Status::Ok as c_int { Ok(()) } else { Err("a command's registration") }
}
