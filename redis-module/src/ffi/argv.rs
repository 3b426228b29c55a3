//! A command's arguments as slices of bytes.

use redis_module::{RedisString, raw};
use std::ffi::c_int;

/// Arguments that fit on the stack, as those of most calls do.
const FEW: usize = 24;

/// The strings that the server passes with a call, the command's name left out.
///
/// # Safety
/// `argv` holds `argc` valid strings, which live as long as `'a`.
pub(super) unsafe fn strings<'a>(
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
) -> &'a [*mut raw::RedisModuleString] {
    // SAFETY: the caller's promise.
    let strings = unsafe { std::slice::from_raw_parts(argv, usize::try_from(argc).unwrap_or(0)) };
    strings.get(1..).unwrap_or_default()
}

/// Calls `f` with what the strings hold.
pub(super) fn with_bytes<R>(strings: &[*mut raw::RedisModuleString], f: impl FnOnce(&[&[u8]]) -> R) -> R {
    let bytes = |string: &*mut raw::RedisModuleString| RedisString::string_as_slice(*string);
    let mut few: [&[u8]; FEW] = [&[]; FEW];
    match few.get_mut(..strings.len()) {
        Some(few) => {
            few.iter_mut().zip(strings).for_each(|(argument, string)| *argument = bytes(string));
            f(few)
        }
        None => f(&strings.iter().map(bytes).collect::<Vec<_>>()),
    }
}
