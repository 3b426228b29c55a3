//! All that is unsafe: the C callbacks and the pointers they are given.
#![allow(unsafe_code)]

mod argv;
pub(crate) mod cms_call;
pub(crate) mod cms_type;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod context;
mod defrag;
mod docs;
pub(crate) mod events;
pub(crate) mod info;
pub(crate) mod key;
mod load;
pub(crate) mod log;
pub(crate) mod monitor_type;
pub(crate) mod register;
pub(crate) mod reply;
