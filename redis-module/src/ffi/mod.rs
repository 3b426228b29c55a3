//! All that is unsafe: the C callbacks and the pointers they are given.
#![allow(unsafe_code)]

pub(crate) mod command;
pub(crate) mod context;
mod docs;
pub(crate) mod events;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod monitor_type;
pub(crate) mod register;

#[allow(missing_docs, unreachable_pub)]
mod manifest {
    use super::monitor_type::MONITOR;
    use crate::load;

    redis_module::redis_module! {
        name: "eddyline",
        version: 1,
        allocator: (redis_module::alloc::RedisAlloc, redis_module::alloc::RedisAlloc),
        data_types: [MONITOR],
        init: load,
    }
}
