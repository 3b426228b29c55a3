//! A panic never crosses into the server.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic is logged and gives `otherwise`.
pub(crate) fn guard<R>(what: &str, otherwise: R, f: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        crate::ffi::log::warning(&format!("eddyline: a bug was caught in {what}, please report it: {text}"));
        otherwise
    })
}
