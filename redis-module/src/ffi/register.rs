//! Registration: what the server, its clients and access control are told of a command.

use super::command::Entry;
use super::docs::Docs;
use eddyline_wire::command::grammar::Keys;
use eddyline_wire::command::table::Command;
use redis_module::{Context, raw};
use std::ffi::{CString, c_int};

/// A family's own category of access control, where the server can have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnCategory {
    /// `@eddy`, say, is there.
    There,
    /// The server only has its own ones, or none for modules.
    No,
}

/// Makes the category `name`; servers before Redis 7.4 and Valkey 8 can't.
pub(crate) fn own_category(ctx: &Context, name: &str) -> OwnCategory {
    let name = CString::new(name).unwrap_or_default();
    // SAFETY: the name is copied; the call is allowed while the module loads.
    let added = unsafe { raw::RedisModule_AddACLCategory.map(|add| add(ctx.ctx, name.as_ptr())) };
    if added == Some(raw::Status::Ok as c_int) { OwnCategory::There } else { OwnCategory::No }
}

/// Registers `command`, describes it, and puts it into its categories.
///
/// # Errors
/// What the server refused.
pub(crate) fn register(ctx: &Context, command: &Command, entry: Entry, own: OwnCategory) -> Result<(), &'static str> {
    let docs = Docs::of(command)?;
    let name = docs.name();
    let flags = CString::new(command.flags).unwrap_or_default();
    let first = c_int::from(command.keys()?.first() == Some(&Keys::At(1)));
    // SAFETY: the strings outlive the call, which copies them; the entry is a static function.
    let registered = unsafe {
        raw::RedisModule_CreateCommand
            .map(|create| create(ctx.ctx, name.as_ptr(), Some(entry), flags.as_ptr(), first, first, first))
    };
    if registered != Some(raw::Status::Ok as c_int) {
        return Err("a command's registration");
    }
    // SAFETY: the name is a C string.
    let Some(handle) = (unsafe { raw::RedisModule_GetCommand.map(|get| get(ctx.ctx, name.as_ptr())) }) else {
        return Err("a command it had just registered");
    };
    if !docs.tell(handle) {
        return Err("a command's description");
    }
    categorize(handle, command, own)
}

fn categorize(handle: *mut raw::RedisModuleCommand, command: &Command, own: OwnCategory) -> Result<(), &'static str> {
    let Some(set) = (unsafe { raw::RedisModule_SetCommandACLCategories }) else { return Ok(()) };
    let known = |category: &&str| own == OwnCategory::There || *category != command.family;
    let categories: Vec<&str> = command.categories().filter(known).collect();
    let list = CString::new(categories.join(" ")).unwrap_or_default();
    // SAFETY: the list outlives the call, which copies it.
    let set = unsafe { set(handle, list.as_ptr()) };
    if set == raw::Status::Ok as c_int { Ok(()) } else { Err("a command's categories") }
}
