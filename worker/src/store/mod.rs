//! What stands in Redis, and how it is read and written.

pub mod checkpoint;
pub mod connect;
pub mod discovery;
pub mod lease;
pub mod search;
pub mod settings;
pub mod stream;
pub mod vector;
pub mod write;
