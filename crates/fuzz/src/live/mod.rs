//! Targets that are a server with the module.

pub(crate) mod commands;
pub(crate) mod dump;
pub(crate) mod restore;
pub(crate) mod sources;

mod stage;
