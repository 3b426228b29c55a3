//! The gateway, as a process of its own before a real server.

mod cluster;
mod events;
mod exporters;
mod hostile;
mod keys;
mod metrics;
mod restart;
mod rights;
mod stage;
mod vectors;
