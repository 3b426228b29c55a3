//! The gateway, as a process of its own before a real server.

mod events;
mod hostile;
mod keys;
mod metrics;
mod restart;
mod stage;
