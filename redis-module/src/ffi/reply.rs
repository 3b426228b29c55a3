//! Replies written straight to the client.

use super::log::plain;
use redis_module::raw;
use std::ffi::{CStr, c_long};
use std::marker::PhantomData;

/// The client that waits for a reply. An array or map is announced with its length, then its parts follow.
#[derive(Clone, Copy)]
pub(crate) struct Reply<'a> {
    ctx: *mut raw::RedisModuleCtx,
    call: PhantomData<&'a ()>,
}

impl Reply<'_> {
    pub(super) fn to(ctx: *mut raw::RedisModuleCtx) -> Self {
        Self { ctx, call: PhantomData }
    }

    pub(crate) fn integer(self, value: i64) {
        raw::reply_with_long_long(self.ctx, value);
    }

    pub(crate) fn array(self, length: usize) {
        raw::reply_with_array(self.ctx, length as c_long);
    }

    /// A flat array for clients that speak RESP2.
    pub(crate) fn map(self, length: usize) {
        raw::reply_with_map(self.ctx, length as c_long);
    }

    pub(crate) fn word(self, text: &CStr) {
        raw::reply_with_simple_string(self.ctx, text.as_ptr());
    }

    pub(crate) fn error(self, text: &str) {
        raw::reply_with_error(self.ctx, plain(text).as_ptr());
    }
}
