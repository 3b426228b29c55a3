//! What module, worker and SDKs say to each other, as pure functions over bytes.
//!
//! In the order data meets them: the [`keys`] of a monitor and their [`slot`], the [`command`]s a client sends, the [`schema`] and the
//! [`fingerprint`] a closed window leaves (or the [`vector`] of somebody else), the [`score`] it gets, the [`alert`] it may lead to and the [`notification`] that tells people. Nothing here knows Redis,
//! a clock or the other crates; `fixtures/` holds golden samples that every language's implementation reads.

pub mod alert;
pub mod command;
pub mod config;
pub mod fingerprint;
pub mod keys;
pub mod notification;
pub mod schema;
pub mod score;
pub mod slot;
pub mod text;
pub mod vector;

#[cfg(test)]
mod golden;
