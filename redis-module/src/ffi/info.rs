//! What the module adds to the server's `INFO`.

use crate::guard::guard;
use redis_module::{Context, raw};
use std::ffi::{CStr, c_int};
use std::sync::OnceLock;

/// Where a section's fields go.
pub(crate) struct Fields {
    ctx: *mut raw::RedisModuleInfoCtx,
    wanted: bool,
}

/// Who tells the fields.
type Teller = fn(&mut Fields);

static TELLER: OnceLock<Teller> = OnceLock::new();

/// `INFO` asks `teller` from now on. It also does within a crash report: nothing may wait there.
///
/// # Errors
/// What the server refused.
pub(crate) fn register(ctx: &Context, teller: Teller) -> Result<(), &'static str> {
    let _ = TELLER.set(teller);
    // SAFETY: the callback is a static function.
    let status = unsafe { raw::RedisModule_RegisterInfoFunc.map(|register| register(ctx.ctx, Some(on_info))) };
    if status == Some(raw::Status::Ok as c_int) { Ok(()) } else { Err("INFO sections") }
}

unsafe extern "C" fn on_info(ctx: *mut raw::RedisModuleInfoCtx, _for_crash_report: c_int) {
    guard("INFO", (), || {
        if let Some(tell) = TELLER.get() {
            tell(&mut Fields { ctx, wanted: false });
        }
    });
}

impl Fields {
    /// Begins the section `eddyline_<name>`; the fields of one that nobody asked for are dropped.
    pub(crate) fn section(&mut self, name: &CStr) {
        // SAFETY: the server's context and a C string, which it copies.
        let added = unsafe { raw::RedisModule_InfoAddSection.map(|add| add(self.ctx, name.as_ptr())) };
        self.wanted = added == Some(raw::Status::Ok as c_int);
    }

    /// A field with a number.
    pub(crate) fn number(&mut self, name: &CStr, number: u64) {
        if self.wanted {
            // SAFETY: as above.
            unsafe { raw::RedisModule_InfoAddFieldULongLong.map(|add| add(self.ctx, name.as_ptr(), number)) };
        }
    }

    /// A field with a text of one line.
    pub(crate) fn text(&mut self, name: &CStr, text: &CStr) {
        if self.wanted {
            // SAFETY: as above.
            unsafe { raw::RedisModule_InfoAddFieldCString.map(|add| add(self.ctx, name.as_ptr(), text.as_ptr())) };
        }
    }
}
