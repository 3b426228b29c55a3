//! Counting without the module: the same pure monitor over the same stream, run by the worker, for servers that load none.
//! What it leaves in Redis is what the module would have left.

pub mod counter;
pub mod keep;
pub mod load;
pub mod run;
pub mod settings;
pub mod source;
pub mod state;
pub mod time;
pub mod translate;
