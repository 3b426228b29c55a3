//! What stands in Redis, and how it is read and written.

mod address;
pub mod checkpoint;
pub mod connect;
mod connection;
pub mod discovery;
pub mod end;
pub mod lease;
pub mod overdue;
pub mod peers;
pub mod search;
pub mod settings;
pub mod stream;
pub mod vector;
pub mod write;
