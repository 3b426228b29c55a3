//! The worker: learns what is ordinary, says what is not, and does the same for files of events.
//!
//! In the order data meets it: the [`worker`] [`connect`]s, keeps a task at work for each monitor it [`discovery`]s or finds by [`search`], and
//! each task ([`scorer`]) holds the monitor's [`lease`], reads its [`settings`] and its [`stream`] of fingerprints, turns each into [`results`]
//! (the [`judge`] judges, [`announce`] says what changed), and lets one script [`write`] them. The [`checkpoint`] is a shortcut at the next start. [`replay`] feeds a file through the same code.
//! [`upkeep`] deletes, renames and copies a monitor with all its keys,
//! the [`doctor`] says what is wrong with a server.

pub mod announce;
pub mod checkpoint;
pub mod cli;
pub mod connect;
pub mod discovery;
pub mod doctor;
pub mod identity;
pub mod judge;
pub mod lease;
pub mod logs;
pub mod replay;
pub mod results;
pub mod scorer;
pub mod search;
pub mod settings;
pub mod stream;
pub mod translate;
pub mod upkeep;
pub mod vector;
pub mod worker;
pub mod write;
