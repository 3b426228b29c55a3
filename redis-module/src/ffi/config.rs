//! Settings that operators read and change by `CONFIG`, and that `CONFIG REWRITE` keeps.

use crate::guard::guard;
use eddyline_wire::config::{CMS_COMMANDS, CmsCommands, Config, MAX_MONITOR_BYTES, MONITOR_BYTES};
use redis_module::{Context, raw};
use std::ffi::{CString, c_char, c_int, c_longlong, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

static MOST_BYTES: AtomicI64 = AtomicI64::new(0);
static CMS: AtomicI32 = AtomicI32::new(0);

/// Most bytes that a monitor may take now.
pub(crate) fn max_monitor_bytes() -> u64 {
    MOST_BYTES.load(Ordering::Relaxed) as u64
}

/// Whether `CMS.*` is ours.
pub(crate) fn cms_commands() -> CmsCommands {
    CmsCommands::ALL.get(CMS.load(Ordering::Relaxed) as usize).copied().unwrap_or_default()
}

/// Makes the settings known to the server, which then sets what its file says; `arguments` hold where it says nothing.
///
/// # Errors
/// What the server refused; a value out of its range is told in the log.
pub(crate) fn register(ctx: &Context, arguments: &Config) -> Result<(), &'static str> {
    let (number, choice) = unsafe { (raw::RedisModule_RegisterNumericConfig, raw::RedisModule_RegisterEnumConfig) };
    let (Some(number), Some(choice), Some(load)) = (number, choice, unsafe { raw::RedisModule_LoadConfigs }) else {
        return Err("settings");
    };
    let [most_bytes, cms] = [MAX_MONITOR_BYTES, CMS_COMMANDS].map(|name| CString::new(name).unwrap_or_default());
    let words = CmsCommands::ALL.map(|choice| CString::new(choice.as_str()).unwrap_or_default());
    let mut words = words.each_ref().map(|word| word.as_ptr());
    let numbers = CmsCommands::ALL.map(|choice| choice as c_int);
    // SAFETY: names and words outlive the calls, which copy them; the callbacks are static functions.
    let refused = unsafe {
        [
            number(
                ctx.ctx,
                most_bytes.as_ptr(),
                arguments.max_monitor_bytes as c_longlong,
                raw::REDISMODULE_CONFIG_MEMORY,
                *MONITOR_BYTES.start() as c_longlong,
                *MONITOR_BYTES.end() as c_longlong,
                Some(most_bytes_now),
                Some(set_most_bytes),
                None,
                null_mut(),
            ),
            choice(
                ctx.ctx,
                cms.as_ptr(),
                arguments.cms_commands as c_int,
                raw::REDISMODULE_CONFIG_IMMUTABLE,
                words.as_mut_ptr(),
                numbers.as_ptr(),
                words.len() as c_int,
                Some(cms_now),
                Some(set_cms),
                None,
                null_mut(),
            ),
            load(ctx.ctx),
        ]
    };
    if refused == [raw::Status::Ok as c_int; 3] { Ok(()) } else { Err("settings") }
}

unsafe extern "C" fn most_bytes_now(_name: *const c_char, _data: *mut c_void) -> c_longlong {
    guard("a setting", 0, || MOST_BYTES.load(Ordering::Relaxed))
}

unsafe extern "C" fn set_most_bytes(
    _name: *const c_char,
    value: c_longlong,
    _data: *mut c_void,
    _error: *mut *mut raw::RedisModuleString,
) -> c_int {
    guard("a setting", (), || MOST_BYTES.store(value, Ordering::Relaxed));
    raw::Status::Ok as c_int
}

unsafe extern "C" fn cms_now(_name: *const c_char, _data: *mut c_void) -> c_int {
    guard("a setting", 0, || CMS.load(Ordering::Relaxed))
}

unsafe extern "C" fn set_cms(
    _name: *const c_char,
    value: c_int,
    _data: *mut c_void,
    _error: *mut *mut raw::RedisModuleString,
) -> c_int {
    guard("a setting", (), || CMS.store(value, Ordering::Relaxed));
    raw::Status::Ok as c_int
}
