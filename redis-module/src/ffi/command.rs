//! From the server's `argv` to slices of bytes, and back to a reply.

use super::argv::{strings, with_bytes};
use super::key::KeyArgument;
use super::log::plain;
use crate::guard::guard;
use redis_module::{Context, RedisError, RedisResult, raw};
use std::ffi::c_int;
use std::ptr::null_mut;

/// A command's handler: gets its arguments without the name.
pub(crate) type Handler = fn(&Context, &[&[u8]]) -> RedisResult;
/// What the server calls.
pub(crate) type Entry = extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int;

/// The same for a command that is called so often that it takes its key as the server's own string.
pub(crate) type KeyedHandler = fn(&Context, KeyArgument<'_>, &[&[u8]]) -> RedisResult;

/// An [`Entry`] for a [`Handler`], or for a [`KeyedHandler`].
macro_rules! entry {
    (keyed $handler:path) => {{
        extern "C" fn entry(
            ctx: *mut redis_module::raw::RedisModuleCtx,
            argv: *mut *mut redis_module::raw::RedisModuleString,
            argc: std::ffi::c_int,
        ) -> std::ffi::c_int {
            $crate::ffi::command::call_keyed(ctx, argv, argc, stringify!($handler), $handler)
        }
        entry as $crate::ffi::command::Entry
    }};
    ($handler:path) => {{
        extern "C" fn entry(
            ctx: *mut redis_module::raw::RedisModuleCtx,
            argv: *mut *mut redis_module::raw::RedisModuleString,
            argc: std::ffi::c_int,
        ) -> std::ffi::c_int {
            let handler: $crate::ffi::command::Handler = $handler;
            $crate::ffi::command::call(ctx, argv, argc, stringify!($handler), handler)
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
    handler: impl FnOnce(&Context, &[&[u8]]) -> RedisResult,
) -> c_int {
    let context = Context::new(ctx);
    let bug = RedisError::Str("ERR eddyline met a bug in this command; the server's log says more");
    let result = guard(what, Err(bug), || {
        // SAFETY: the server passes `argc` valid strings, which live as long as the call.
        with_bytes(unsafe { strings(argv, argc) }, |args| handler(&context, args))
    });
    guard("a reply", raw::Status::Err as c_int, || match result {
        Ok(value) => context.reply(Ok(value)) as c_int,
        Err(error) => reply_error(ctx, &error),
    })
}

/// The same with a handler that takes its key as it came.
pub(crate) fn call_keyed(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
    what: &str,
    handler: KeyedHandler,
) -> c_int {
    // SAFETY: the server passes `argc` valid strings, which live as long as the call.
    let key = unsafe { KeyArgument::new(strings(argv, argc).first().copied().unwrap_or(null_mut())) };
    call(ctx, argv, argc, what, |context, args| handler(context, key, args))
}

/// Our own call, because the crate's cuts characters to their last byte and panics where that is 0.
fn reply_error(ctx: *mut raw::RedisModuleCtx, error: &RedisError) -> c_int {
    let text = match error {
        RedisError::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned(),
        error => error.to_string(),
    };
    let line = plain(&text);
    // SAFETY: the line is a C string that lives as long as the call, which copies it.
    unsafe { raw::RedisModule_ReplyWithError.map_or(raw::Status::Err as c_int, |reply| reply(ctx, line.as_ptr())) }
}
