//! What the worker tells about itself: metrics, and whether it lives and is at work, over HTTP.

pub mod exporter;
pub mod health;
pub mod http;
pub mod limits;
pub mod listen;
pub mod names;
pub mod process;
pub mod table;
