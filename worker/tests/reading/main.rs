//! Reading over HTTP: what is told, what is refused, and that a stream of news has no gap.

mod client;
mod document;
mod listening;
mod looking;
#[path = "../plain/mod.rs"]
mod plain;
mod saying;
