//! What the server calls to load the module. Our own instead of the crate's macro: nothing in it can panic across into the
//! server, and an operator's log has no lines about what we don't use.

use super::log;
use super::monitor_type::MONITOR;
use crate::guard::guard;
use redis_module::alloc::RedisAlloc;
use redis_module::{Context, RedisString, raw};
use std::ffi::c_int;

/// The server's memory, so that its limits and `INFO memory` know of ours.
#[global_allocator]
static ALLOCATOR: RedisAlloc = RedisAlloc;

const VERSION: c_int = 1;
/// Redis 7.0: before it, modules have no settings and a primary's pause can't be seen.
const OLDEST: c_int = 0x0007_0000;

/// Loads the module.
///
/// # Safety
/// Only for the server, which passes its context and `argc` strings.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
pub(super) unsafe extern "C" fn RedisModule_OnLoad(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> c_int {
    let (ok, refused) = (raw::Status::Ok as c_int, raw::Status::Err as c_int);
    // SAFETY: the server's context. Nothing allocates before this call, which brings the allocator.
    let started =
        unsafe { raw::Export_RedisModule_Init(ctx, c"eddyline".as_ptr(), VERSION, raw::REDISMODULE_APIVER_1 as c_int) };
    if started != ok {
        return refused;
    }
    guard("loading", refused, || {
        let context = Context::new(ctx);
        let args: Vec<&[u8]> = (0..usize::try_from(argc).unwrap_or(0))
            // SAFETY: the server passes `argc` valid strings, which live as long as the call.
            .map(|i| RedisString::string_as_slice(unsafe { *argv.add(i) }))
            .collect();
        match load(&context, &args) {
            Ok(()) => ok,
            Err(why) => {
                log::warning_in(&context, &format!("eddyline can't be loaded: {why}"));
                refused
            }
        }
    })
}

fn load(ctx: &Context, args: &[&[u8]]) -> Result<(), String> {
    // SAFETY: no argument.
    let server = unsafe { raw::RedisModule_GetServerVersion.map_or(0, |version| version()) };
    if server < OLDEST {
        let [major, minor, patch] = [server >> 16, server >> 8 & 0xff, server & 0xff];
        return Err(format!("it needs Redis 7.0 or Valkey, this server is {major}.{minor}.{patch}"));
    }
    // Data that ends early is then for us to refuse; without this the server would exit.
    // SAFETY: a number.
    if let Some(set) = unsafe { raw::RedisModule_SetModuleOptions } {
        unsafe { set(ctx.ctx, raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS as c_int) };
    }
    MONITOR.create_data_type(ctx.ctx).map_err(|_| "the server refused the type eddymonit".to_owned())?;
    crate::load(ctx, args)
}
