//! `eddyline doctor`: looks at a server and its monitors, and says what is wrong and what to do about it. Changes nothing.

pub mod activity;
pub mod clock;
pub mod code;
pub mod command;
pub mod finding;
pub mod monitors;
pub mod orphans;
pub mod patient;
pub mod replicas;
pub mod rights;
pub mod server;
pub mod service;
