//! From the server's `argv` to slices of bytes, and back to a reply.

use super::log::plain;
use crate::guard::guard;
use eddyline_wire::command::table::Command;
use redis_module::{Context, RedisError, RedisResult, RedisString, raw};
use std::ffi::{CString, c_int};
use std::ptr::{null, null_mut};

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

/// Registers `command`, tells `COMMAND DOCS` what it does, and access control which keys it reads.
pub(crate) fn register(ctx: &Context, command: &Command, entry: Entry) -> Result<(), &'static str> {
    let [name, flags, summary, complexity] = [command.name, command.flags, command.summary, command.complexity]
        .map(|text| CString::new(text).unwrap_or_default());
    // SAFETY: the strings outlive the calls, which copy them; the entry is a static function.
    let registered = unsafe { raw::RedisModule_CreateCommand }.is_some_and(|create| {
        let key = c_int::from(command.keyed);
        let status = unsafe { create(ctx.ctx, name.as_ptr(), Some(entry), flags.as_ptr(), key, key, key) };
        status == raw::Status::Ok as c_int
    });
    if !registered {
        return Err("a command's registration");
    }
    let (Some(get), Some(describe)) =
        (unsafe { raw::RedisModule_GetCommand }, unsafe { raw::RedisModule_SetCommandInfo })
    else {
        return Ok(()); // an older server says less about commands
    };
    let version = raw::RedisModuleCommandInfoVersion {
        version: 1,
        sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
        sizeof_keyspec: size_of::<raw::RedisModuleCommandKeySpec>(),
        sizeof_arg: size_of::<raw::RedisModuleCommandArg>(),
    };
    let mut keys = key_specs(command);
    let info = raw::RedisModuleCommandInfo {
        version: &raw const version,
        summary: summary.as_ptr(),
        complexity: complexity.as_ptr(),
        since: c"0.1.0".as_ptr(),
        history: null_mut(),
        tips: null(),
        arity: command.arity,
        key_specs: if keys.len() > 1 { keys.as_mut_ptr() } else { null_mut() },
        args: null_mut(),
    };
    // SAFETY: everything that `info` points to outlives the call, which copies it; the list of keys ends in zeros.
    let described = unsafe { describe(get(ctx.ctx, name.as_ptr()), &raw const info) };
    if described == raw::Status::Ok as c_int { Ok(()) } else { Err("a command's description") }
}

/// The key itself and, after the word SOURCES, a number and as many keys. Ends in zeros.
fn key_specs(command: &Command) -> Vec<raw::RedisModuleCommandKeySpec> {
    // SAFETY: a structure of numbers, pointers and unions of them; all zeros end the list.
    let blank: raw::RedisModuleCommandKeySpec = unsafe { std::mem::zeroed() };
    let reads = u64::from(raw::REDISMODULE_CMD_KEY_ACCESS);
    let changes = u64::from(raw::REDISMODULE_CMD_KEY_UPDATE);
    let mut specs = Vec::new();
    if command.keyed {
        let mut key = blank;
        let writes = command.flags.contains("write");
        key.flags = if writes {
            u64::from(raw::REDISMODULE_CMD_KEY_RW) | changes
        } else {
            u64::from(raw::REDISMODULE_CMD_KEY_RO) | reads
        };
        key.begin_search_type = raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX;
        key.bs.index.pos = 1;
        key.find_keys_type = raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE;
        key.fk.range.keystep = 1;
        specs.push(key);
    }
    if command.arguments.contains("SOURCES") {
        let mut sources = blank;
        sources.flags = u64::from(raw::REDISMODULE_CMD_KEY_RO) | reads;
        sources.begin_search_type = raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_KEYWORD;
        sources.bs.keyword.keyword = c"SOURCES".as_ptr();
        sources.bs.keyword.startfrom = 2;
        sources.find_keys_type = raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_KEYNUM;
        sources.fk.keynum.firstkey = 1;
        sources.fk.keynum.keystep = 1;
        specs.push(sources);
    }
    specs.push(blank);
    specs
}
