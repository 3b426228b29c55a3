//! The call of a `CMS.*` command, whose handlers open keys and reply as they go: nothing is allocated for a usual one.

use super::argv::{strings, with_bytes};
use super::cms_type::CMS;
use super::reply::Reply;
use crate::guard::guard;
use eddyline_sketch::ClassicCountMin;
use eddyline_wire::command::cms::CmsError;
use redis_module::{Context, KeyType, raw};
use std::ffi::c_int;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A handler: replies itself, or tells why not.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<(), CmsError>;

/// An [`Entry`](super::command::Entry) for a [`Handler`].
macro_rules! direct {
    ($handler:path) => {{
        extern "C" fn entry(
            ctx: *mut redis_module::raw::RedisModuleCtx,
            argv: *mut *mut redis_module::raw::RedisModuleString,
            argc: std::ffi::c_int,
        ) -> std::ffi::c_int {
            $crate::ffi::cms_call::run(ctx, argv, argc, stringify!($handler), $handler)
        }
        entry as $crate::ffi::command::Entry
    }};
}
pub(crate) use direct;

pub(crate) fn run(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    argc: c_int,
    what: &str,
    handler: Handler,
) -> c_int {
    let result = guard(what, Err(CmsError::Bug), || {
        // SAFETY: the server passes `argc` valid strings, which live as long as the call.
        let strings = unsafe { strings(argv, argc) };
        with_bytes(strings, |arguments| handler(&mut Call { ctx, strings, arguments }))
    });
    if let Err(error) = result {
        guard("an error reply", (), || Reply::to(ctx).error(&error.to_string()));
    }
    raw::Status::Ok as c_int
}

/// A call. Whoever borrows it to change a sketch holds the only open one.
pub(crate) struct Call<'a> {
    ctx: *mut raw::RedisModuleCtx,
    strings: &'a [*mut raw::RedisModuleString],
    /// The arguments after the command's name.
    pub(crate) arguments: &'a [&'a [u8]],
}

impl<'a> Call<'a> {
    /// Where the reply goes.
    pub(crate) fn reply(&self) -> Reply<'a> {
        Reply::to(self.ctx)
    }

    pub(crate) fn context(&self) -> Context {
        Context::new(self.ctx)
    }

    /// The command goes to replicas and to the log as it came.
    pub(crate) fn replicate(&self) {
        raw::replicate_verbatim(self.ctx);
    }

    /// The sketch behind the argument at `index`.
    pub(crate) fn sketch(&self, index: usize) -> Result<Opened<'_>, CmsError> {
        let key = self.open(index, raw::KeyMode::READ);
        Ok(Opened { value: key.sketch()?, key, borrowed: PhantomData })
    }

    /// The same for changing it; clients that watch the key are told.
    pub(crate) fn sketch_mut(&mut self, index: usize) -> Result<OpenedMut<'_>, CmsError> {
        let key = self.open(index, raw::KeyMode::READ | raw::KeyMode::WRITE);
        Ok(OpenedMut { value: key.sketch()?, key, borrowed: PhantomData })
    }

    /// Puts what `make` gives behind the argument at `index`, where nothing is yet.
    pub(crate) fn create(
        &mut self,
        index: usize,
        make: impl FnOnce() -> Result<ClassicCountMin, CmsError>,
    ) -> Result<(), CmsError> {
        let key = self.open(index, raw::KeyMode::READ | raw::KeyMode::WRITE);
        // SAFETY: the key is open.
        if unsafe { key.kind() } != KeyType::Empty {
            return Err(CmsError::KeyExists);
        }
        let value = Box::into_raw(Box::new(make()?));
        // SAFETY: an open, empty key, which takes the value over where the server agrees.
        let status =
            unsafe { raw::RedisModule_ModuleTypeSetValue.map(|set| set(key.0, *CMS.raw_type.borrow(), value.cast())) };
        if status == Some(raw::Status::Ok as c_int) {
            return Ok(());
        }
        // SAFETY: the server didn't take the box.
        drop(unsafe { Box::from_raw(value) });
        Err(CmsError::Bug)
    }

    fn open(&self, index: usize, mode: raw::KeyMode) -> Key {
        Key(raw::open_key(self.ctx, self.strings[index], mode))
    }
}

/// An open key, or none: a missing key isn't opened for reading.
struct Key(*mut raw::RedisModuleKey);

impl Key {
    /// The key must be open.
    unsafe fn kind(&self) -> KeyType {
        // SAFETY: as the caller promises.
        unsafe { raw::RedisModule_KeyType.map_or(KeyType::Empty, |kind| kind(self.0).into()) }
    }

    fn sketch(&self) -> Result<*mut ClassicCountMin, CmsError> {
        if self.0.is_null() {
            return Err(CmsError::NoKey);
        }
        // SAFETY: the key is open. One of our type holds what `create` or the type's callbacks put there.
        unsafe {
            if raw::RedisModule_ModuleTypeGetType.is_some_and(|get| get(self.0) == *CMS.raw_type.borrow()) {
                return raw::RedisModule_ModuleTypeGetValue.map(|get| get(self.0).cast()).ok_or(CmsError::Bug);
            }
            Err(if self.kind() == KeyType::Empty { CmsError::NoKey } else { CmsError::WrongType })
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if !self.0.is_null() {
            raw::close_key(self.0);
        }
    }
}

/// A sketch behind an open key.
pub(crate) struct Opened<'c> {
    value: *mut ClassicCountMin,
    #[expect(dead_code, reason = "closed when dropped")]
    key: Key,
    borrowed: PhantomData<&'c ()>,
}

impl Deref for Opened<'_> {
    type Target = ClassicCountMin;

    fn deref(&self) -> &ClassicCountMin {
        // SAFETY: the value lives while its key is open; nobody changes it while the call is borrowed.
        unsafe { &*self.value }
    }
}

/// The one sketch that is open for changes.
pub(crate) struct OpenedMut<'c> {
    value: *mut ClassicCountMin,
    #[expect(dead_code, reason = "closed when dropped")]
    key: Key,
    borrowed: PhantomData<&'c mut ()>,
}

impl Deref for OpenedMut<'_> {
    type Target = ClassicCountMin;

    fn deref(&self) -> &ClassicCountMin {
        // SAFETY: the value lives while its key is open; the call is borrowed by this alone.
        unsafe { &*self.value }
    }
}

impl DerefMut for OpenedMut<'_> {
    fn deref_mut(&mut self) -> &mut ClassicCountMin {
        // SAFETY: as above.
        unsafe { &mut *self.value }
    }
}
