//! The worker: learns what is ordinary, says what is not, and does the same for files of events.
//!
//! In the order data meets it: the [`service`] keeps a task at work for each monitor, over what stands in Redis ([`store`]):
//! it holds the monitor's lease, reads its settings and its stream of fingerprints, turns each into results ([`judging`]), and
//! lets one script write them. Where no module counts, it does that itself ([`mod@count`]). [`replay`] feeds a file through the
//! same code. [`upkeep`] deletes, renames and copies a monitor with all its keys, the [`doctor`] says what is wrong with a server,
//! [`explain`] why a window alerted or didn't. The [`gateway`] is for whoever speaks HTTP.

pub mod cli;
pub mod config;
pub mod count;
pub mod doctor;
pub mod explain;
pub mod feedback;
pub mod gateway;
pub mod judging;
pub mod logs;
pub mod markers;
pub mod notify;
pub mod observe;
pub mod replay;
pub mod service;
pub mod sinks;
pub mod store;
pub mod upkeep;
