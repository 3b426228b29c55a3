//! The worker at work: a task for each monitor, over connections that come and go.

pub mod scorer;
pub mod status;
pub mod worker;
