//! Targets that need no server.

pub(crate) mod checkpoint;
pub(crate) mod commands;
pub(crate) mod intake;
pub(crate) mod monitor;
pub(crate) mod records;
pub(crate) mod sketches;
