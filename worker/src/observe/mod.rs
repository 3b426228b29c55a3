//! What the worker tells about itself.

pub mod names;
