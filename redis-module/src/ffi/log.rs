//! The server's log. Our own call, because the crate's passes the text as the format.

use redis_module::{Context, raw};
use std::ffi::{CStr, CString};
use std::ptr::null_mut;

/// Writes a warning; bytes that aren't printable ASCII are escaped.
pub(crate) fn warning(text: &str) {
    write(null_mut(), c"warning", text);
}

/// The same, from within a call of the server.
pub(crate) fn warning_in(ctx: &Context, text: &str) {
    write(ctx.ctx, c"warning", text);
}

/// Writes what an operator may want to know, and needs no action.
pub(crate) fn notice_in(ctx: &Context, text: &str) {
    write(ctx.ctx, c"notice", text);
}

fn write(ctx: *mut raw::RedisModuleCtx, level: &CStr, text: &str) {
    let line = plain(text);
    // SAFETY: level and format are C strings, as is the one that the format takes; they live as long as the call; a null context is allowed.
    unsafe {
        if let Some(log) = raw::RedisModule_Log {
            log(ctx, level.as_ptr(), c"%s".as_ptr(), line.as_ptr());
        }
    }
}

/// `text` as one line of printable ASCII: everything else is `\xNN`.
pub(crate) fn plain(text: &str) -> CString {
    let escaped: String = text
        .bytes()
        .map(|byte| if (b' '..=b'~').contains(&byte) { char::from(byte).to_string() } else { format!("\\x{byte:02x}") })
        .collect();
    CString::new(escaped).unwrap_or_default()
}
