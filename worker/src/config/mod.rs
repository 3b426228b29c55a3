//! What the operator chose: flags, environment and one file.

pub mod duration;
pub mod secret;
