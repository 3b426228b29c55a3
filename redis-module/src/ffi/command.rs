//! From the server's `argv` to slices of bytes, and back to a reply.

use super::log::plain;
use crate::guard::guard;
use redis_module::{Context, RedisError, RedisResult, RedisString, raw};
use std::ffi::c_int;

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

/// Arguments that fit on the stack, as those of most observations do.
const FEW: usize = 24;

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
        let n = usize::try_from(argc).unwrap_or(0).saturating_sub(1);
        // SAFETY: the server passes `argc` valid strings, which live as long as the call.
        let arg = |i: usize| RedisString::string_as_slice(unsafe { *argv.add(1 + i) });
        if n <= FEW {
            let mut few: [&[u8]; FEW] = [&[]; FEW];
            few.iter_mut().take(n).enumerate().for_each(|(i, place)| *place = arg(i));
            handler(&context, &few[..n])
        } else {
            handler(&context, &(0..n).map(arg).collect::<Vec<_>>())
        }
    });
    guard("a reply", raw::Status::Err as c_int, || match result {
        Ok(value) => context.reply(Ok(value)) as c_int,
        Err(error) => reply_error(ctx, &error),
    })
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
